// Offers to restore the text of a form that was sent but not saved (session over, network gone).
"use strict";

const STORAGE_KEY = `draft:${location.pathname}${location.search}`;
const EXCLUDED_NAMES = new Set(["csrf_token", "_page", "_base", "_time_zone", "version", "live_version", "draft_version", "url"]);
const EXCLUDED_TYPES = new Set(["password", "submit", "button", "file"]);

function typedFields(form) {
  return [...form.elements].filter((one) => one.name && !one.name.startsWith("_theirs-") && !EXCLUDED_TYPES.has(one.type) && !EXCLUDED_NAMES.has(one.name));
}

function typedValues(form) {
  return typedFields(form).map((one) => [one.name, one.type, one.type === "checkbox" ? one.checked : one.value]);
}

// The values of all fields: text, or whether a checkbox is checked; the two numbers of a point as one text.
function textsOf(form) {
  const texts = {};
  for (const { name, type, value, checked } of typedFields(form)) {
    if (type === "checkbox") texts[name] = checked;
    else texts[name] = name in texts ? `${texts[name]} ${value}`.trim() : value;
  }
  return texts;
}

function setField(form, name, text) {
  const fields = typedFields(form).filter((one) => one.name === name);
  fields.forEach((one, number) => {
    if (one.type === "checkbox") one.checked = text;
    else if (fields.at(-1).type !== "checkbox") one.value = fields.length > 1 ? text.split(" ")[number] || "" : text;
    one.dispatchEvent(new Event("restored"));
  });
}

function labelOf(form, name) {
  const label = form.querySelector(`#field-${name} label`);
  return (label?.firstChild?.textContent || name).trim();
}

function isInField(form, name) {
  return Boolean(form.querySelector(`#field-${name}`)?.contains(document.activeElement));
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

function differsFrom(form, values) {
  const now = new Set(typedValues(form).map((one) => JSON.stringify(one)));
  return values.some((one) => !now.has(JSON.stringify(one)));
}

// The changed values and the previous ones: restoring all others would undo what others have changed since.
function changedValues(form, names, base) {
  const known = names.filter((name) => name in base);
  return { values: typedValues(form).filter(([name]) => names.includes(name)),
    base: Object.fromEntries(known.map((name) => [name, base[name]])) };
}

function offerDraft(form, { values, base }) {
  const restore = element("button", { type: "button", class: "button small" }, translate("Restore"));
  const discard = element("button", { type: "button", class: "button small quiet" }, translate("Discard"));
  const note = element("div", { class: "note warning", role: "status" },
    element("div", {}, element("p", {}, translate("Your last submission of this form was not saved.")), restore, discard));
  const done = () => { sessionStorage.removeItem(STORAGE_KEY); note.remove(); };
  restore.addEventListener("click", () => {
    fillIn(form, values);
    const baseField = form.elements._base;
    if (baseField) baseField.value = JSON.stringify({ ...JSON.parse(baseField.value), ...base });
    done();
  });
  discard.addEventListener("click", done);
  form.before(note);
}

function startDrafts(form) {
  const refused = document.getElementById("problem");
  const base = refused ? {} : textsOf(form);
  const stored = JSON.parse(sessionStorage.getItem(STORAGE_KEY) || "null");
  if (stored?.values && !refused && differsFrom(form, stored.values)) offerDraft(form, stored);
  form.addEventListener("submit", () => {
    const texts = textsOf(form);
    const names = Object.keys(texts).filter((name) => texts[name] !== base[name]);
    sessionStorage.setItem(STORAGE_KEY, JSON.stringify(changedValues(form, names, base)));
  });
}

// For a field that both have changed: shows theirs immediately, and mine again if that is undone.
function toggleTheirs(box) {
  const name = box.name.slice("_theirs-".length);
  if (box.checked) {
    const mine = textsOf(box.form)[name];
    box.dataset.mine = JSON.stringify(mine);
    setField(box.form, name, typeof mine === "boolean" ? box.value === "true" : box.value);
  } else if (box.dataset.mine) {
    setField(box.form, name, JSON.parse(box.dataset.mine));
  }
}

document.addEventListener("change", (event) => {
  if (event.target.name?.startsWith("_theirs-")) toggleTheirs(event.target);
});

document.addEventListener("input", ({ target }) => { // text typed afterwards is neither version
  const box = target.form?.elements[`_theirs-${target.name}`];
  if (box?.checked) box.checked = false;
});

if (document.querySelector(".messages .success")) {
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith("draft:")) sessionStorage.removeItem(key);
  }
  localStorage.removeItem(sessionStorage.getItem("sent")); // the editor's local backup of the form
}
document.querySelectorAll("form[data-unsaved-guard]:not([data-autosave])").forEach(startDrafts);
