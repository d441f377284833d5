// Keeps a draft on the server a few seconds after each change, and says where what was typed is kept.
"use strict";

const PAUSE_BEFORE_SAVE = 3000;
const LONGEST_WAIT = 15000;
const RETRY = 10000; // milliseconds

class Autosave {
  constructor(form) {
    this.form = form;
    this.state = form.querySelector("[data-state]");
    this.notes = document.querySelector("[data-notes]");
    this.shown = this.snapshot();
    this.saved = form.dataset.refused ? "" : this.shown;
    this.offer();
    if (form.dataset.refused) this.refused();
    for (const name of ["input", "change"]) form.addEventListener(name, () => this.changed());
    form.addEventListener("submit", (event) => this.submitted(event));
    document.addEventListener("submit", (event) => this.left(event), true);
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.keepHere(); else this.resume(); });
    window.addEventListener("pagehide", () => this.keepHere());
    window.addEventListener("focus", () => this.resume());
    window.addEventListener("online", () => this.save());
  }

  snapshot() {
    return JSON.stringify(typedIn(this.form));
  }

  get dirty() { return this.snapshot() !== this.saved; }

  say(words, tone = "") {
    this.state.textContent = words;
    this.state.dataset.tone = tone;
  }

  note(...parts) {
    this.notes.replaceChildren(element("div", { class: "note warning", role: "status" }, element("div", {}, ...parts)));
  }

  button(label, run) {
    const made = element("button", { type: "button", class: "button small" }, label);
    made.addEventListener("click", run);
    return made;
  }

  // In this browser ---------------------------------------------------------------------------
  changed() {
    if (!this.dirty) { this.settled(); return; }
    clearTimeout(this.local);
    this.local = setTimeout(() => this.keepHere(), 200);
    if (this.conflict) return;
    clearTimeout(this.timer);
    this.since ||= Date.now();
    this.timer = setTimeout(() => this.save(), Math.min(PAUSE_BEFORE_SAVE, Math.max(0, this.since + LONGEST_WAIT - Date.now())));
  }

  keepHere() {
    if (this.dirty) this.kept = keeping.keep(JSON.parse(this.snapshot()));
  }

  refused() { // what was sent has come back
    sessionStorage.removeItem("sent");
    this.keepHere();
  }

  settled() {
    keeping.drop();
    changed = false; // of panel.js: leaving asks no more
  }

  offer() {
    const earlier = `${keeping.key}:earlier`;
    const found = keeping.load();
    if (found && JSON.stringify(found.values) !== this.shown) localStorage.setItem(earlier, JSON.stringify(found));
    keeping.drop();
    const kept = keeping.load(earlier);
    if (!kept || JSON.stringify(kept.values) === this.shown) { keeping.drop(earlier); return; }
    const done = () => { keeping.drop(earlier); this.notes.replaceChildren(); };
    const time = new Date(kept.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    this.note(element("p", {}, `This browser has kept what you typed until ${time}, which was not saved.`),
      this.button("Restore it", () => { fillIn(this.form, kept.values); done(); }), " ", this.button("Discard it", done));
  }

  // At the server -----------------------------------------------------------------------------
  get waits() { // a new record needs what every record must have
    return !this.form.dataset.id && [...this.form.querySelectorAll("[data-must]")].some((one) => !one.value.trim());
  }

  async save() {
    clearTimeout(this.timer);
    if (this.running) { this.again = true; return this.running; }
    if (!this.dirty || this.conflict) return undefined;
    this.keepHere();
    if (this.waits) { this.say("Kept in this browser until it has a title and a text"); return undefined; }
    this.running = this.send().finally(() => { this.running = null; });
    await this.running;
    if (this.again) { this.again = false; return this.save(); }
    return undefined;
  }

  async send() {
    const sent = this.snapshot();
    if (!this.form.dataset.id) this.nameItself();
    const body = new FormData(this.form);
    body.delete("csrf_token");
    body.set(this.form.dataset.id ? "_save_draft" : "_begin", "1");
    this.say("Saving");
    const answer = await keeping.post(this.form.action, body);
    if (answer.ok) await this.arrived(answer.body, sent);
    else this.failed(answer);
  }

  // A second try, after an answer that was lost, is not to make a second post.
  nameItself() {
    if (this.form.elements._page) return;
    this.form.prepend(element("input", { type: "hidden", name: "_page", value: `${Date.now()}-${Math.random()}` }));
  }

  async arrived(answer, sent) {
    const first = !this.form.dataset.id || !this.form.elements.draft_version;
    this.saved = sent;
    this.since = 0;
    if (this.signIn) { this.notes.replaceChildren(); this.signIn = false; }
    this.take(answer);
    this.say(`Saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false })}`, "good");
    if (this.dirty) this.changed(); else this.settled();
    if (answer.conflict) this.ask(answer.conflict);
    if (first) await this.refresh();
  }

  // The numbers that the next change is based on.
  take({ id, edit_url: address, version, draft_version: draft }) {
    if (id && !this.form.dataset.id) {
      keeping.drop();
      keeping.name(id);
      this.form.dataset.id = id;
      this.form.action = address;
      this.form.elements._page?.remove();
      history.replaceState(null, "", address);
    }
    for (const [name, value] of Object.entries({ version, draft_version: draft })) {
      if (!value) continue;
      if (!this.form.elements[name]) this.form.prepend(element("input", { type: "hidden", name }));
      for (const input of document.querySelectorAll(`input[name="${name}"]`)) input.value = value;
    }
  }

  // What stands around the form, as it is now that there is a draft.
  async refresh() {
    const answer = await fetch(this.form.action, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of [".page-head", ".savebar .buttons"]) {
      const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
      if (old && fresh && !old.contains(document.activeElement)) old.replaceWith(document.importNode(fresh, true));
    }
  }

  failed({ status, message, body }) {
    const where = this.kept === false ? "and this browser has no room for it" : "kept in this browser";
    if (status === 412 && body?.conflict) {
      this.say(`Not saved: somebody else has changed it; ${where}`, "bad");
      this.ask(body.conflict);
    } else if (status === 401) {
      this.say(`Not saved: ${message.replace(/\.$/, "")}, ${where}`, "bad");
      this.askSignIn(message);
    } else if (status === 0 || status >= 500) {
      this.say(`Not saved: ${navigator.onLine ? "the server does not answer" : "offline"}, ${where}`, "bad");
      this.timer = setTimeout(() => this.save(), RETRY);
    } else {
      this.say(`Not saved: ${message} It is ${where}.`, "bad");
    }
  }

  // The session is over ------------------------------------------------------------------------
  askSignIn(message) {
    if (!this.signIn) {
      const link = element("a", { href: "/auth/login?next=/admin/", target: "_blank", rel: "opener" }, "Sign in in a new tab");
      this.note(element("p", {}, `${message} Go on writing: it is kept in this browser, and saved when you are signed in again.`),
        element("p", {}, link));
    }
    this.signIn = true;
    this.timer = setTimeout(() => this.save(), RETRY);
  }

  resume() { if (this.signIn) this.save(); }

  // Somebody else was faster -------------------------------------------------------------------
  ask(conflict) {
    this.conflict = conflict;
    const rows = conflict.rows.map(({ label, yours, theirs }) => element("tr", { class: "changed" },
      element("th", { scope: "row" }, label), element("td", { "data-label": "Yours" }, element("pre", { tabindex: "0" }, yours || "–")),
      element("td", { "data-label": "Theirs" }, element("pre", { tabindex: "0" }, theirs || "–"))));
    const titles = ["Field", "Yours", "Theirs"].map((title) => element("th", { scope: "col" }, title));
    const table = element("table", { class: "compare" }, element("thead", {}, element("tr", {}, ...titles)), element("tbody", {}, ...rows));
    const head = element("div", { class: "panel-head" }, element("h2", {}, "Somebody else has changed this"));
    const body = element("div", { class: "panel-body" },
      element("p", { class: "soft" }, `${conflict.words} Nothing is overwritten. Go on writing, or choose.`),
      table, element("p", { class: "confirm-actions" }, this.button("Keep mine", () => this.keepMine()), this.button("Load theirs", () => this.loadTheirs())));
    this.notes.replaceChildren(element("section", { class: "panel", role: "alert" }, head, body));
    this.notes.scrollIntoView({ block: "nearest" });
  }

  keepMine() {
    this.take({ version: this.conflict.version, draft_version: this.conflict.draft_version });
    this.conflict = null;
    this.notes.replaceChildren();
    this.saved = "";
    this.save();
  }

  loadTheirs() {
    this.saved = this.snapshot();
    this.settled();
    leaving = true; // of panel.js
    location.reload();
  }

  // Leaving ------------------------------------------------------------------------------------
  submitted(event) {
    if (event.defaultPrevented) return;
    if (this.running) { // what is on its way must not arrive after this
      event.preventDefault();
      const { submitter } = event;
      this.running.then(() => this.form.requestSubmit(submitter));
      return;
    }
    clearTimeout(this.timer);
    this.keepHere();
    sessionStorage.setItem("sent", keeping.key);
  }

  // Publish and the like work on what is saved: what is typed goes first, unless there is no place for it.
  left(event) {
    const form = event.target;
    if (form === this.form || !form.closest(".head-actions") || !this.dirty) return;
    if (form.elements.action?.value === "restore") {
      leaving = true; // of panel.js
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    this.save().then(() => { if (!this.dirty && !this.conflict) this.present(form)?.requestSubmit(); });
  }

  // The form of the same button, which may have been put there anew.
  present(form) {
    const same = (name, one) => one.querySelector(`[name=${name}]`)?.value === form.querySelector(`[name=${name}]`)?.value;
    return [...document.querySelectorAll(".head-actions form")]
      .find((one) => one.getAttribute("action") === form.getAttribute("action") && same("action", one));
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (event.key.toLowerCase() === "s") { event.preventDefault(); this.saveNow(); }
    if (event.key === "Enter") { event.preventDefault(); this.publish(); }
  }

  async saveNow() {
    await this.save();
    if (!this.dirty && !this.state.textContent.startsWith("Saved")) this.say("Nothing to save", "good");
  }

  async publish() {
    await this.save();
    if (this.dirty || !this.form.dataset.id) return; // the foot of the page says why
    const action = document.querySelector('.head-actions form:has([name=action][value=publish])');
    if (await ask("Readers will see it as it is now.", "Publish", "primary")) (action || this.form).requestSubmit();
  }
}

if (writing?.dataset.autosave) new Autosave(writing);
