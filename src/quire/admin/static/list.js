// Columns of a list are arranged before they are applied, the menu of a row opens beside its button, and values
// show that they filter. Without this file, each move is sent separately, and menus open in the middle.
"use strict";

// Shown columns come first, in their order.
const shownColumns = (list) => [...list.children].filter((row) => row.querySelector("input").checked);

function announcePosition(row) {
  const rows = shownColumns(row.parentElement), label = row.querySelector("label").textContent.trim();
  const values = { label, place: rows.indexOf(row) + 1, total: rows.length };
  document.querySelector("[data-column-place]").textContent = translate("%(label)s: column %(place)s of %(total)s", values);
}

function moveColumn(button) {
  const row = button.closest("li"), up = button.dataset.move === "up";
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other?.querySelector("input").checked) return;
  if (up) other.before(row); else other.after(row);
  button.focus();
  announcePosition(row);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (button) { event.preventDefault(); moveColumn(button); }
});

// An added column becomes the last of the shown ones, a removed one the first of the others.
function placeColumn(row) {
  const rows = shownColumns(row.parentElement).filter((other) => other !== row);
  if (rows.length) rows.at(-1).after(row); else row.parentElement.prepend(row);
}

for (const list of document.querySelectorAll(".column-list")) {
  let dragged = null;
  for (const row of list.children) row.draggable = true;
  for (const grip of list.querySelectorAll(".grip")) grip.hidden = false;
  list.addEventListener("change", (event) => { const { target } = event; placeColumn(target.closest("li")); target.focus(); });
  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("li");
    if (!dragged?.querySelector("input").checked) { event.preventDefault(); dragged = null; return; }
    event.dataTransfer.setData("text/plain", "");
    event.dataTransfer.effectAllowed = "move";
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("li");
    if (!dragged) return;
    event.preventDefault();
    if (!over?.querySelector("input").checked || over === dragged) return;
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(dragged); else over.after(dragged);
  });
  list.addEventListener("drop", (event) => { if (dragged) event.preventDefault(); });
  list.addEventListener("dragend", () => { if (dragged) announcePosition(dragged); dragged = null; });
}

function placeMenu(menu) {
  const button = document.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + height + 8 < innerHeight;
  menu.style.margin = "0";
  menu.style.left = `${Math.max(8, button.right - width)}px`;
  menu.style.top = `${below ? button.bottom + 4 : Math.max(8, button.top - height - 4)}px`;
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.(".row-menu:popover-open")) placeMenu(event.target);
}, true);
document.addEventListener("scroll", () => document.querySelector(".row-menu:popover-open")?.hidePopover(), { passive: true, capture: true });

document.addEventListener("mouseover", (event) => {
  const link = event.target.closest(".records :is(a.narrow, a.tag)");
  if (link) link.title = translate("Show only these");
});

requestAnimationFrame(() => document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }));
