// Columns of a list are arranged before they are applied; without this file each move is saved by itself.
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
