// Inline editing of a cell: sends the field, its value and the version it was read at, so nothing is overwritten.
"use strict";

// Cells contain times in UTC; people see and type them in their own zone.
const localMoment = (utc) => {
  const moment = new Date(`${utc}Z`);
  return new Date(moment - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
};
const utcMoment = (local) => new Date(local).toISOString().slice(0, 19);
const isMoment = (input, text) => input.type === "datetime-local" && text;

function inlineInput(link) {
  const { kind, choices } = document.querySelector(`th[data-column="${link.dataset.inline}"]`).dataset;
  const value = kind === "datetime-local" && link.dataset.value ? localMoment(link.dataset.value) : link.dataset.value;
  if (!choices) return element("input", { type: kind || "text", value });
  const select = element("select");
  for (const [key, label] of JSON.parse(choices)) select.append(new Option(label, key, false, key === value));
  return select;
}

// An input in the last columns is moved left, as far as the buttons of the row would cover it.
function moveIntoView(box) {
  const tools = box.closest("tr").querySelector(".tools-cell").getBoundingClientRect();
  const edge = box.getBoundingClientRect(), over = edge.right - tools.left;
  if (edge.top < tools.bottom && edge.left < tools.left && over > 0) box.style.translate = `${-over}px`;
}

function startInline(link) {
  const cell = link.closest(".cell");
  const input = inlineInput(link);
  input.setAttribute("aria-label", link.getAttribute("aria-label"));
  const save = element("button", { type: "button", class: "button small primary" }, translate("Save"));
  const cancel = element("button", { type: "button", class: "button small quiet" }, translate("Cancel"));
  const error = element("span", { class: "inline-error", role: "alert" });
  const box = element("span", { class: "inline-edit" }, input, save, cancel, error);
  const stop = () => { box.remove(); cell.hidden = false; link.focus(); };
  cell.hidden = true;
  cell.after(box);
  moveIntoView(box);
  input.focus();
  cancel.addEventListener("click", stop);
  save.addEventListener("click", () => saveInline(link, input, error, stop));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
    if (event.key === "Enter") { event.preventDefault(); saveInline(link, input, error, stop); }
  });
}

// A title is a link, in which its image stays.
function showSaved(cell, html) {
  const shown = cell.querySelector("[data-cell-value]") || cell.querySelector("a"), picture = shown.querySelector("img");
  shown.innerHTML = html; // escaped by the server
  if (picture) shown.prepend(picture);
}

async function saveInline(link, input, error, stop) {
  const row = link.closest("tr");
  const body = new URLSearchParams({ id: row.dataset.id, field: link.dataset.inline,
    value: isMoment(input, input.value) ? utcMoment(input.value) : input.value, base: link.dataset.value, version: row.dataset.version,
    _time_zone: "UTC" });
  const answer = await fetch(document.querySelector("[data-inline-url]").dataset.inlineUrl,
    { method: "POST", body, headers: { "X-CSRFToken": csrf(), Accept: "application/json" } }).catch(() => null);
  const result = await answer?.json().catch(() => null);
  if (!result) { error.textContent = translate("The server is not responding. Try again."); return; }
  if (answer.status === 412 && "raw" in result) link.dataset.value = result.raw; // a second attempt replaces it knowingly
  if (!answer.ok) { error.textContent = result.message; input.setAttribute("aria-invalid", "true"); return; }
  row.dataset.version = result.version;
  link.dataset.value = result.raw;
  showSaved(link.closest(".cell"), result.html);
  stop();
  announce(translate("Saved."), "success", result.batch);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-inline]");
  if (link) { event.preventDefault(); startInline(link); }
});
