// Text of a form that was sent but never arrived (session over, network gone) is offered again.
"use strict";

const DRAFT = `draft:${location.pathname}${location.search}`;
const NOT_KEPT = new Set(["csrf_token", "_page", "version", "draft_version", "url"]);
const NOT_TYPED = new Set(["password", "submit", "button", "file"]);

function typedIn(form) {
  const kept = [...form.elements].filter((one) => one.name && !NOT_TYPED.has(one.type) && !NOT_KEPT.has(one.name));
  return kept.map((one) => [one.name, one.type, one.type === "checkbox" ? one.checked : one.value]);
}

function fillIn(form, values) {
  for (const [name, type, value] of values) {
    for (const one of form.elements) {
      if (one.name !== name || one.type !== type) continue;
      if (type === "checkbox") one.checked = value; else one.value = value;
      one.dispatchEvent(new Event("restored"));
    }
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

function offerDraft(form, values) {
  const restore = element("button", { type: "button", class: "button small" }, "Bring it back");
  const discard = element("button", { type: "button", class: "button small quiet" }, "Drop it");
  const note = element("div", { class: "note warning", role: "status" },
    element("div", {}, element("p", {}, "What you sent from this form last time was not saved."), restore, discard));
  const done = () => { sessionStorage.removeItem(DRAFT); note.remove(); };
  restore.addEventListener("click", () => { fillIn(form, values); done(); });
  discard.addEventListener("click", done);
  form.before(note);
}

function startDrafts(form) {
  const kept = JSON.parse(sessionStorage.getItem(DRAFT) || "null");
  const differs = kept && JSON.stringify(kept) !== JSON.stringify(typedIn(form));
  if (differs && !document.getElementById("problem")) offerDraft(form, kept);
  form.addEventListener("submit", () => sessionStorage.setItem(DRAFT, JSON.stringify(typedIn(form))));
}

if (document.querySelector(".messages .success")) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("draft:")) sessionStorage.removeItem(key);
  }
  localStorage.removeItem(sessionStorage.getItem("sent")); // what the editor has kept of it
}
document.querySelectorAll("form[data-guard]:not([data-autosave])").forEach(startDrafts);
