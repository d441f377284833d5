// The moderation queue: shortcuts for decisions about the current record, and selecting all of them.
"use strict";

const queueBar = document.getElementById("queue");
const queueAll = document.querySelector("[data-queue-all]");
const queueMatching = document.querySelector("[data-queue-matching]");
const queueBoxes = [...document.querySelectorAll(".queue-rest [name=rowid]")];

function showQueueSelection() {
  const selected = queueBoxes.filter((box) => box.checked).length;
  queueAll.checked = selected === queueBoxes.length;
  queueAll.indeterminate = selected > 0 && !queueAll.checked;
  queueBar.querySelector("[data-queue-count]").textContent = selected
    ? translate("%(rows)s selected", { rows: selected })
    : queueBoxes.length === 1 ? translate("Select") : translate("Select all %(rows)s", { rows: queueBoxes.length });
}

queueAll.closest("label").hidden = false;
queueAll.addEventListener("change", () => {
  for (const box of queueBoxes) box.checked = queueAll.checked;
  showQueueSelection();
});
for (const box of queueBoxes) box.addEventListener("change", showQueueSelection);
showQueueSelection(); // the browser may have restored a selection

queueBar.addEventListener("submit", (event) => {
  if (queueBoxes.some((box) => box.checked) || queueMatching?.checked) return;
  event.preventDefault();
  announce(translate("Select at least one first: with the boxes beside the list, or with “Select all”."), "warning");
});

const queueTargets = new Map([...document.querySelectorAll("[data-key]")].map((node) => [node.dataset.key, node]));
let isLeaving = false; // to the next record: a second key would apply to the same one, and the last key would win

function useQueueTarget(node) {
  if (node.matches("textarea")) { node.focus(); return; }
  if (isLeaving) return;
  isLeaving = true;
  node.click();
}
window.addEventListener("pageshow", () => { isLeaving = false; });
const queueLabels = { a: translate("Approve"), s: translate("Mark as spam"), u: translate("Mark as pending"), d: translate("Move to trash"), r: translate("Reply"), e: translate("Edit"), j: translate("Older"), k: translate("Newer") };
for (const key of Object.keys(KEY_ACTIONS)) if (key !== "?") delete KEY_ACTIONS[key];
for (const [key, node] of queueTargets) KEY_ACTIONS[key] = () => useQueueTarget(node);
KEY_LABELS.splice(0, KEY_LABELS.length - 2, ...Object.entries(queueLabels).filter(([key]) => queueTargets.has(key)));

if (new URLSearchParams(location.search).has("id")) document.querySelector("[data-queue-one]").focus({ preventScroll: true });
