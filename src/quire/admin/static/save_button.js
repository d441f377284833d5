// The first button of a form names its effect, which depends on the publication date.
"use strict";

// Dates in the form are in the zone in which it was shown: UTC, or that of this browser.
function timingOf(date, zone) {
  if (!date) return "empty";
  return new Date(zone === "UTC" ? `${date}Z` : date) > new Date() ? "future" : "past";
}

function labelSaveButton(form) {
  const button = form.querySelector(".buttons .primary[data-future]");
  const date = form.elements.published_at;
  if (!button || !date) return;
  const timing = timingOf(date.value, form.elements._time_zone.value);
  const value = button.dataset[`${timing}Value`];
  button.textContent = button.dataset[timing];
  button.name = value ? "_publish" : "";
  button.value = value;
}

const recordForm = document.getElementById("record-form");
for (const name of ["input", "change"]) recordForm?.addEventListener(name, () => labelSaveButton(recordForm));
recordForm?.elements.published_at?.addEventListener("restored", () => labelSaveButton(recordForm));
