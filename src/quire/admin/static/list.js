// Columns of a list are arranged before they are applied, the menu of a row opens beside its button, and
// values say that they filter. Without this file each move is sent by itself, and menus open in the middle.
"use strict";

function moveColumn(button) {
  const row = button.closest("li"), up = button.dataset.move === "up";
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other?.querySelector("[data-move]")) return;
  if (up) other.before(row); else other.after(row);
  button.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (button) { event.preventDefault(); moveColumn(button); }
});

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

document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
