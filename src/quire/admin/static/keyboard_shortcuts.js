// Single-key shortcuts on lists: / search, j k move, x select, e edit, ? help; the help can turn them off.
"use strict";

const KEYS_OFF = "quire.keys.off";
const KEY_LABELS = [["/", translate("Search")], ["j", translate("Next row")], ["k", translate("Previous row")], ["Enter", translate("Open the row")], ["e", translate("Edit the row")],
  ["x", translate("Select the row")], [`${translate("Ctrl")}+K`, translate("Search everything")], ["?", translate("This help")]];

const rowTitles = () => [...document.querySelectorAll(".records tbody td.title a:first-child")];
const focusedRow = () => document.activeElement?.closest(".records tbody tr");

function moveRow(step) {
  const titles = rowTitles(), row = focusedRow();
  const place = titles.findIndex((title) => title.closest("tr") === row);
  const next = titles[place < 0 ? (step > 0 ? 0 : titles.length - 1) : place + step];
  next?.focus();
  next?.closest("tr").scrollIntoView({ block: "nearest" });
}

function showKeys() {
  const rows = KEY_LABELS.map(([key, words]) => element("div", {}, element("dt", {}, element("kbd", {}, key)), element("dd", {}, words)));
  const box = element("input", { type: "checkbox" });
  box.checked = !localStorage.getItem(KEYS_OFF);
  box.addEventListener("change", () => box.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, "1"));
  const form = element("form", { method: "dialog", "data-no-confirm": "" }, element("h2", { id: "keys-head" }, translate("Keyboard shortcuts")),
    element("dl", { class: "keys" }, ...rows), element("label", { class: "keys-switch" }, box, " ", translate("Use single keys")),
    element("div", { class: "dialog-actions" }, element("button", { class: "button", autofocus: "" }, translate("Close"))));
  const dialog = element("dialog", { "aria-labelledby": "keys-head" }, form);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

const KEY_ACTIONS = {
  "/": () => document.querySelector(".search [type=search]")?.focus(),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: () => focusedRow()?.querySelector("[name=rowid]")?.click(),
  e: () => focusedRow()?.querySelector("[data-edit]")?.click(),
  "?": showKeys,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog")) return;
  const action = Object.hasOwn(KEY_ACTIONS, event.key) && KEY_ACTIONS[event.key];
  if (!action || (localStorage.getItem(KEYS_OFF) && event.key !== "?")) return;
  event.preventDefault();
  action();
});

for (const button of document.querySelectorAll("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", showKeys);
}
