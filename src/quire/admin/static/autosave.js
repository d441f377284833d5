// Saves a draft to the server a few seconds after each change, and shows where the text is stored.
"use strict";

const SAVE_DELAY = 3000;
const MAX_SAVE_DELAY = 15000;
const RETRY_DELAY = 10000; // milliseconds
const VERSION_FIELDS = new Set(["version", "live_version", "draft_version"]);
const ALWAYS_SENT = new Set([...VERSION_FIELDS, "_time_zone"]);

class Autosave {
  constructor(form) {
    this.form = form;
    this.state = form.querySelector("[data-state]");
    this.savedStatus = [this.state.textContent, this.state.dataset.tone]; // shown while nothing is unsaved
    this.notes = document.querySelector("[data-notes]");
    this.conflicts = new Conflicts(form.querySelector("[data-conflicts]"), (...decisions) => this.applyDecisions(...decisions));
    const stored = JSON.parse(form.elements._base?.value || "{}"); // what is stored, if the form was refused
    this.base = form.dataset.hasErrors ? stored : { ...stored, ...textsOf(form) };
    this.latest = [{}, []]; // the last response of the server
    if (form.dataset.hasErrors) this.restoreRefused(); else this.offer(); // a refused form shows what was typed
    for (const name of ["input", "change"]) form.addEventListener(name, () => this.onChange());
    form.addEventListener("submit", (event) => this.onSubmit(event));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.backUp(); else this.resume(); });
    window.addEventListener("pagehide", () => this.backUp());
    window.addEventListener("focus", () => this.resume());
    window.addEventListener("online", () => this.save());
  }

  // The fields that were changed here, except those with an open conflict.
  get changedNames() {
    const texts = textsOf(this.form);
    return Object.keys(texts).filter((name) => texts[name] !== this.base[name] && !this.conflicts.blocks(name));
  }

  get dirty() { return this.changedNames.length > 0; }

  get isSaved() { return !this.dirty && !this.conflicts.size; } // the server has all of it

  showStatus(words, tone = "") {
    this.state.textContent = words;
    this.state.dataset.tone = tone;
  }

  note(...parts) {
    this.notes.replaceChildren(element("div", { class: "note warning", role: "status" }, element("div", {}, ...parts)));
  }

  button(label, run) {
    const button = element("button", { type: "button", class: "button small" }, label);
    button.addEventListener("click", run);
    return button;
  }

  // In this browser ---------------------------------------------------------------------------
  onChange() {
    clearTimeout(this.local);
    this.local = setTimeout(() => this.backUp(), 200);
    if (!this.dirty) {
      this.applyServerTexts(...this.latest); // the text is again as it was sent, so the response can be shown now
      if (!this.conflicts.size) { this.markSaved(); this.showStatus(...this.savedStatus); }
      return;
    }
    clearTimeout(this.timer);
    this.since ||= Date.now();
    this.timer = setTimeout(() => this.saveWhenChosen(), Math.min(SAVE_DELAY, Math.max(0, this.since + MAX_SAVE_DELAY - Date.now())));
  }

  backUp() {
    const names = [...this.changedNames, ...this.conflicts.rows.keys()];
    if (names.length) this.isStored = localBackup.save(changedValues(this.form, names, this.base));
  }

  restoreRefused() { // what was submitted was not saved
    sessionStorage.removeItem("sent");
    this.backUp();
  }

  markSaved() {
    clearTimeout(this.local);
    localBackup.drop();
    hasUnsavedChanges = false; // of panel.js: leaving the page no longer asks
  }

  offer() {
    const earlier = `${localBackup.key}:earlier`;
    const backup = localBackup.load();
    if (backup && differsFrom(this.form, backup.values)) localStorage.setItem(earlier, JSON.stringify(backup));
    localBackup.drop();
    const unsaved = localBackup.load(earlier);
    if (!unsaved || !differsFrom(this.form, unsaved.values)) { localBackup.drop(earlier); return; }
    const done = () => { localBackup.drop(earlier); this.notes.replaceChildren(); };
    const time = new Date(unsaved.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    this.note(element("p", {}, translate("This browser has unsaved text from %(time)s.", { time })),
      this.button(translate("Restore"), () => this.restore(unsaved, done)), " ", this.button(translate("Discard"), done));
  }

  restore({ values, base }, done) {
    Object.assign(this.base, base); // others may have changed the same fields since
    fillIn(this.form, values);
    done();
  }

  // On the server -----------------------------------------------------------------------------
  get isIncomplete() { // a new record lacks required fields
    return !this.form.dataset.id && [...this.form.querySelectorAll("[data-required]")].some((one) => !one.value.trim());
  }

  get isChoosing() { // the beginning of a name is not a reference yet
    const field = document.activeElement.parentElement?.querySelector("[data-picker=one]");
    return Boolean(field) && "typing" in field.dataset && document.activeElement.getAttribute("aria-expanded") === "true" && this.changedNames.includes(field.name);
  }

  saveWhenChosen() {
    if (this.isChoosing) this.timer = setTimeout(() => this.saveWhenChosen(), SAVE_DELAY); else this.save();
  }

  async save(always = false) {
    clearTimeout(this.timer);
    if (this.running) { this.again = true; return this.running; }
    if (!this.dirty && !always) return undefined;
    this.backUp();
    if (this.isIncomplete) { this.showStatus(translate("Stored in this browser until it has a title and text")); return undefined; }
    this.form.dataset.saving = "";
    this.running = this.send().finally(() => { this.running = null; delete this.form.dataset.saving; });
    await this.running;
    if (this.again) { this.again = false; return this.save(); }
    return undefined;
  }

  async send() {
    const texts = textsOf(this.form);
    const names = this.form.dataset.id ? this.changedNames : Object.keys(texts);
    const body = this.form.dataset.id ? this.changes(names) : this.newRecord();
    this.showStatus(translate("Saving…"));
    const answer = await browserSession.post(this.form.action, body);
    if (answer.ok) await this.onSaved(answer.body, Object.fromEntries(names.map((name) => [name, texts[name]])));
    else this.onFailure(answer);
  }

  // The changed fields with their previous values; others may have changed the remaining fields.
  changes(names) {
    const body = new FormData();
    for (const [name, value] of new FormData(this.form)) if (names.includes(name) || ALWAYS_SENT.has(name)) body.append(name, value);
    const known = names.filter((name) => name in this.base);
    body.set("_base", JSON.stringify(Object.fromEntries(known.map((name) => [name, this.base[name]]))));
    body.set("_save_draft", "1");
    return body;
  }

  newRecord() {
    this.addPageId();
    const body = new FormData(this.form);
    body.delete("csrf_token");
    body.set("_begin", "1");
    return body;
  }

  // A retry after a lost response must not create a second record.
  addPageId() {
    if (this.form.elements._page) return;
    this.form.prepend(element("input", { type: "hidden", name: "_page", value: `${Date.now()}-${Math.random()}` }));
  }

  async onSaved(answer, submitted) {
    const isNew = !this.form.dataset.id;
    const first = isNew || !this.form.elements.draft_version;
    Object.assign(this.base, submitted);
    this.since = 0;
    if (this.signIn) { this.notes.replaceChildren(); this.signIn = false; }
    this.updateVersions(answer);
    this.latest = [answer.texts || {}, answer.merged || []];
    const updatedLabels = this.applyServerTexts(...this.latest);
    const time = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    this.savedStatus = [updatedLabels.length && !isNew
      ? translate("Saved %(time)s. Updated with someone else’s changes: %(fields)s", { time, fields: updatedLabels.join(", ") })
      : translate("Saved %(time)s", { time }), "success"];
    this.showStatus(...this.savedStatus);
    this.conflicts.show(answer.conflict, false);
    if (this.dirty) this.onChange(); else this.markSaved();
    if (first) await this.refresh();
  }

  // Shows others' changes in fields that the user has neither changed nor focused, and the lines that were merged into
  // a text unless it has changed since; returns the labels of the fields.
  applyServerTexts(texts, merged) {
    const updatedLabels = [];
    for (const [name, text] of Object.entries(texts)) {
      const before = textsOf(this.form)[name];
      if (before === undefined || before !== this.base[name] || this.conflicts.has(name)) continue;
      if (isInField(this.form, name) && !merged.includes(name)) continue;
      setField(this.form, name, text);
      this.base[name] = textsOf(this.form)[name];
      if (this.base[name] !== before) updatedLabels.push(labelOf(this.form, name));
    }
    return updatedLabels;
  }

  // Sets the versions that the next change is based on.
  updateVersions({ id, edit_url: address, version, live_version: live, draft_version: draft }) {
    if (id && !this.form.dataset.id) {
      localBackup.drop();
      localBackup.setKey(id);
      this.form.dataset.id = id;
      this.form.action = address;
      this.form.elements._page?.remove();
      history.replaceState(null, "", address);
    }
    for (const [name, value] of Object.entries({ version, live_version: live, draft_version: draft })) {
      if (!value) continue;
      this.hidden(name);
      for (const input of document.querySelectorAll(`input[name="${name}"]`)) input.value = value;
    }
  }

  hidden(name) {
    if (!this.form.elements[name]) this.form.prepend(element("input", { type: "hidden", name }));
    return this.form.elements[name];
  }

  // Updates the head and the buttons of the page, now that there is a draft.
  async refresh() {
    const answer = await fetch(this.form.action, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of [".page-head", ".savebar .buttons"]) {
      const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
      if (old && fresh && !old.contains(document.activeElement)) old.replaceWith(document.importNode(fresh, true));
    }
  }

  onFailure({ status, message, body }) {
    const where = this.isStored === false
      ? translate("and this browser has no room to store it") : translate("stored in this browser");
    if (status === 412 && body?.conflict) {
      this.conflicts.show(body.conflict, true);
      this.showStatus(translate("Not saved: someone else has changed it; %(where)s", { where }), "error");
      if (this.dirty) this.save(); // the other fields
    } else if (status === 401) {
      this.showStatus(translate("Not saved: %(message)s, %(where)s", { message: message.replace(/\.$/, ""), where }), "error");
      this.askSignIn(message);
    } else if (status === 0 || status >= 500) {
      this.showStatus(navigator.onLine
        ? translate("Not saved: the server is not responding, %(where)s", { where })
        : translate("Not saved: you are offline, %(where)s", { where }), "error");
      this.timer = setTimeout(() => this.save(), RETRY_DELAY);
    } else {
      this.showStatus(translate("Not saved: %(message)s Your text is %(where)s.", { message, where }), "error");
    }
  }

  // The session has ended ----------------------------------------------------------------------
  askSignIn(message) {
    if (!this.signIn) {
      const link = element("a", { href: "/auth/login?next=/admin/", target: "_blank", rel: "opener" }, translate("Sign in (opens in a new tab)"));
      this.note(element("p", {}, translate("%(message)s You can keep writing: your text is stored in this browser and saved once you sign in again.", { message })),
        element("p", {}, link));
    }
    this.signIn = true;
    this.timer = setTimeout(() => this.save(), RETRY_DELAY);
  }

  resume() { if (this.signIn) this.save(); }

  // Someone else saved first -------------------------------------------------------------------
  applyDecisions(decisions, version) {
    this.updateVersions({ version });
    for (const { name, value, blocks, mine } of decisions) {
      if (!mine) setField(this.form, name, value);
      if (blocks) this.base[name] = value;
    }
    this.save(true);
  }

  // Leaving ------------------------------------------------------------------------------------
  onSubmit(event) {
    if (event.defaultPrevented) return;
    if (this.running) { // a save in progress must not arrive after this one
      event.preventDefault();
      const { submitter } = event;
      this.running.then(() => this.form.requestSubmit(this.currentButton(submitter)));
      return;
    }
    clearTimeout(this.timer);
    this.backUp();
    if (this.form.dataset.id) this.hidden("_base").value = JSON.stringify(this.base);
    sessionStorage.setItem("sent", localBackup.key);
  }

  // The same button, which may have been replaced.
  currentButton(button) {
    if (!button || button.form === this.form) return button;
    const same = [...this.form.querySelectorAll(".buttons button")].find((one) => one.name === button.name && one.value === button.value);
    return same || this.form.querySelector(".buttons .primary");
  }
}
