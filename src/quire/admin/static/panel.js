// Enhancements of the admin panel, with delegated listeners only; every page works without this file.
"use strict";

const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

// The server formats times in the user's time zone, which it learns from this cookie. The name of the zone is looked up
// once per tab, when the browser is idle: the first time blocks a slow phone for half a second.
function storeTimeZone(offset) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split("; ").includes(`time_zone=${zone}`)) {
    document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  }
  sessionStorage.setItem("zone-offset", offset);
}
const zoneOffset = String(new Date().getTimezoneOffset());
if (sessionStorage.getItem("zone-offset") !== zoneOffset || !document.cookie.includes("time_zone=")) {
  (window.requestIdleCallback || setTimeout)(() => storeTimeZone(zoneOffset), { timeout: 1000 }); // a page at rest may never be idle
}

// Texts in the language of the page; English ones are their own keys.
const language = document.documentElement.lang;
const texts = JSON.parse(document.getElementById("texts")?.textContent || "{}");

function translate(text, values = {}) {
  return (texts[text] || text).replace(/%\((\w+)\)s/g, (_, name) => values[name]);
}

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function postForm(address, values, ...children) {
  const form = element("form", { method: "post", action: address, "data-no-confirm": "" });
  for (const [name, value] of Object.entries({ csrf_token: csrf(), ...values })) {
    form.append(element("input", { type: "hidden", name, value }));
  }
  form.append(...children);
  return form;
}

// With `batch`, a button beside the message undoes the change.
function announce(message, tone = "error", batch = null) {
  const list = document.querySelector(".messages");
  const note = element("div", { class: `note ${tone}` }, element("div", {}, message));
  if (batch) {
    const values = { action: "undo", rowid: batch, url: location.pathname + location.search };
    note.append(postForm(list.dataset.undo, values, element("button", { class: "button small", type: "submit", "data-busy": "" }, translate("Undo"))));
  }
  list.hidden = false;
  list.replaceChildren(note);
}

// A thumbnail may be missing briefly after its upload, while another image is being processed.
const MAX_TRIES = 4;
document.addEventListener("error", ({ target }) => {
  const tries = Number(target.dataset?.tries || 0) + 1;
  if (!target.matches?.("img.thumb") || tries > MAX_TRIES) return;
  target.dataset.tries = tries;
  setTimeout(() => { target.src = `${target.src.split("&")[0]}&${tries}`; }, 1000 * tries);
}, true);

// Menu on phones -----------------------------------------------------------------------------
const menu = document.getElementById("menu");
function toggleMenu(open) {
  menu.classList.toggle("open", open);
  const target = open ? menu.querySelector(".nav a") : document.querySelector("[data-menu-open]");
  target.focus();
}

// Confirmation before something is lost ------------------------------------------------------
function confirmInDialog(question, label, tone = "danger solid") {
  const yes = element("button", { class: `button ${tone}`, value: "yes" }, label);
  const no = element("button", { class: "button", value: "", autofocus: "" }, translate("Cancel"));
  const form = element("form", { method: "dialog", "data-no-confirm": "" },
    element("h2", { id: "ask-head" }, translate("Are you sure?")), element("p", {}, question),
    element("div", { class: "dialog-actions" }, no, yes));
  const dialog = element("dialog", { "aria-labelledby": "ask-head" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => {
    dialog.remove();
    done(dialog.returnValue === "yes");
  }));
}

function post(address, values) {
  const form = postForm(address, values);
  form.hidden = true;
  document.body.append(form);
  isSubmitting = true;
  form.submit();
}

// A list has one question for all of its rows.
function deleteQuestion(link) {
  if (link.dataset.confirm) return link.dataset.confirm;
  const title = link.closest("tr").querySelector(".title a").textContent.trim();
  return link.closest("[data-delete-question]").dataset.deleteQuestion.replace("{title}", () => title);
}

async function deleteRecord(link) {
  if (!(await confirmInDialog(deleteQuestion(link), translate("Delete")))) return;
  const address = new URL(link.href);
  post(address.pathname, { id: address.searchParams.get("id"), url: address.searchParams.get("url") || "" });
}

async function submitAfterConfirmation(form, submitter, question, label) {
  if (!(await confirmInDialog(question, label))) return;
  form.append(element("input", { type: "hidden", name: "confirmed", value: "1" }));
  form.dataset.isConfirmed = "1";
  form.requestSubmit(submitter || undefined);
}

// The server asks before it changes all matching rows, since it knows how many there are.
const selectsAll = (form) => Boolean(form.elements.matching?.checked);

function countSelectedRows(form) {
  return form.querySelectorAll('input[name="rowid"]:checked').length;
}

function confirmationOf(form) {
  if (form.dataset.confirm) return [form.dataset.confirm, translate("Continue")];
  const chosen = form.querySelector("select[name=action]")?.selectedOptions[0];
  if (!chosen?.dataset.confirm) return null;
  const selected = translate("%(rows)s selected", { rows: countSelectedRows(form) });
  return [`${chosen.dataset.confirm} (${selected})`, chosen.textContent];
}

// Unsaved changes ----------------------------------------------------------------------------
let hasUnsavedChanges = false;
let isSubmitting = false;
const guardedForm = document.querySelector("form[data-unsaved-guard]");
function markChanged({ target }) {
  if (target.form && target.form !== guardedForm) return; // such as the form that replaces a file
  hasUnsavedChanges = true;
  const state = guardedForm.querySelector("[data-state]");
  state.textContent = translate("Unsaved changes");
  state.dataset.tone = "";
}
window.addEventListener("beforeunload", (event) => {
  if (hasUnsavedChanges && !isSubmitting) event.preventDefault();
});

// Selected rows ------------------------------------------------------------------------------
function showSelection(form) {
  const rows = countSelectedRows(form);
  const words = rows ? translate("%(rows)s selected", { rows }) : translate("With selected");
  form.querySelector("[data-selection-count]").textContent = selectsAll(form) ? translate("All that match") : words;
  for (const box of form.querySelectorAll('input[name="rowid"]')) {
    box.closest("tr").classList.toggle("selected", box.checked);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a, button");
  if (!link) return;
  if (link.matches("[data-delete]")) { event.preventDefault(); deleteRecord(link); }
  if (link.matches("[data-menu-open]")) { event.preventDefault(); toggleMenu(true); }
  if (link.matches("[data-menu-close]")) { event.preventDefault(); toggleMenu(false); }
});

// Menus of buttons close on Escape, and on a click elsewhere.
function closeMenus(but) {
  for (const one of document.querySelectorAll("details.menu[open]")) if (!one.contains(but)) one.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (menu?.classList.contains("open")) toggleMenu(false);
  const open = event.target.closest("details.menu[open]");
  if (open) { open.open = false; open.querySelector("summary").focus(); }
});

// Menus that open below a button --------------------------------------------------------------
function closeDropdowns(except) {
  for (const one of document.querySelectorAll("details.dropdown[open]")) {
    if (one.contains(except)) continue;
    if (one.contains(document.activeElement)) one.querySelector("summary").focus();
    one.open = false;
  }
}
document.addEventListener("click", (event) => closeDropdowns(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) closeDropdowns(null);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.isConfirmed === "1" || form.matches("[data-no-confirm]") || selectsAll(form)) return;
  const question = confirmationOf(form);
  if (form.matches("[data-bulk]") && !countSelectedRows(form)) {
    event.preventDefault();
    announce(translate("Select at least one row first."), "warning");
  } else if (question) {
    event.preventDefault();
    submitAfterConfirmation(form, event.submitter, ...question);
  } else if (form === guardedForm) {
    isSubmitting = true;
  }
});

// The second half of a double click must not submit again; on the window, after all listeners that may stop a form.
const DOUBLE_CLICK = 1000; // milliseconds
let lastSent = { at: 0 };
window.addEventListener("submit", (event) => {
  const { target: form, submitter, timeStamp: at } = event;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form === lastSent.form && submitter === lastSent.submitter && at - lastSent.at < DOUBLE_CLICK) event.preventDefault();
  else lastSent = { form, submitter, at };
});

// Where to poll the progress of an action; `count` converts the response to the rows done and their total.
const PROGRESS_INTERVAL = 400;

function undoProgress(form, batch) {
  let total = 0;
  return { url: `${form.getAttribute("action")}progress?undoing=${batch}`, count: ({ left }) => { total ||= left; return [total - left, total]; } };
}

function actionProgress(form, submitter, { progress, total, after }) {
  const [name, row] = submitter?.name === "one" ? submitter.value.split(" ") : [form.elements.action?.value, form.elements.rowid?.value];
  if (name === "undo" && row) return undoProgress(form, row);
  if (total) return { url: progress, count: ({ done }) => [done, Number(total)] };
  const rows = countSelectedRows(form);
  return after && rows ? { url: `${progress}?after=${after}`, count: ({ done }) => [done, rows] } : null;
}

// The buttons of a running action; the menu of a row is closed, so its Undo is reported in a message.
function busyElement(form, submitter) {
  if (submitter?.name !== "one" || !submitter.value.startsWith("undo ")) return form.querySelector("[data-busy]");
  announce("", "info");
  return document.querySelector(".messages .note div");
}

// Slow actions show that they are running, and cannot be submitted twice.
document.addEventListener("submit", (event) => {
  const buttons = event.defaultPrevented ? null : busyElement(event.target, event.submitter);
  if (!buttons) return;
  const words = translate("Working … This can take a few seconds.");
  const bar = element("progress", { "aria-label": translate("Progress") }), figure = element("span");
  buttons.after(element("p", { class: `busy ${buttons.matches(".bulk") ? "bulk" : ""}` }, bar, element("span", { role: "status" }, words), figure));
  buttons.hidden = true;
  const progress = actionProgress(event.target, event.submitter, buttons.dataset);
  if (progress) showActionProgress(progress, bar, figure);
});

// A page restored by the Back button is as it was before.
window.addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  for (const one of document.querySelectorAll(".busy")) { one.previousElementSibling.hidden = false; one.remove(); }
});

// Shows how many rows are done, until the response to the form replaces this page.
async function showActionProgress({ url, count }, bar, figure) {
  const format = new Intl.NumberFormat(language).format;
  for (;; await new Promise((next) => setTimeout(next, PROGRESS_INTERVAL))) {
    const answer = await fetch(url).catch(() => null);
    if (!answer?.ok) return;
    const [done, total] = count(await answer.json());
    if (!done) continue;
    bar.max = total;
    bar.value = done;
    figure.textContent = translate("%(done)s of %(total)s", { done: format(done), total: format(total) });
    bar.setAttribute("aria-valuetext", figure.textContent);
  }
}

// The last batch before an action on selected rows: the next one is that of the action.
async function rememberLastBatch(bar) {
  if (!bar?.dataset.progress || bar.dataset.after) return;
  const answer = await fetch(bar.dataset.progress).catch(() => null);
  if (answer?.ok) bar.dataset.after = (await answer.json()).batch;
}

document.addEventListener("change", (event) => {
  const box = event.target;
  const form = box.form;
  if (box.matches("[data-select-all], .all-matching input")) {
    for (const other of form.querySelectorAll('input[name="rowid"]')) other.checked = box.checked;
  }
  if (!form?.matches("[data-bulk]") || box.type !== "checkbox") return;
  showSelection(form);
  rememberLastBatch(form.querySelector(".bulk"));
});

guardedForm?.addEventListener("input", markChanged);
guardedForm?.addEventListener("change", markChanged);
for (const box of document.querySelectorAll("[data-select-all]")) box.hidden = false;

// Scrolls a menu that is longer than the window to its current entry.
const menuEntry = document.querySelector("#menu [aria-current=page]");
// after other scripts have changed the page, since reading a position forces the browser to lay it out
requestAnimationFrame(() => { if (menuEntry) menuEntry.closest("#menu").scrollTop = menuEntry.offsetTop - window.innerHeight / 2; });
document.getElementById("problem")?.focus();
