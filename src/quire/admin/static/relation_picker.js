// Relation pickers: a text field becomes a search over the records that this user may choose.
"use strict";

const PICKER_DELAY = 180; // milliseconds between the last key and the search

function splitNames(text) {
  const parts = [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/g)];
  return parts.map(([, quoted, bare]) => (quoted?.replaceAll('""', '"') ?? bare).trim()).filter(Boolean);
}

function joinNames(names) {
  return names.map((name) => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)).join(", ");
}

class Picker {
  constructor(field, number) {
    this.field = field;
    this.many = field.dataset.picker === "many";
    this.names = this.many ? splitNames(field.value) : [];
    this.labels = new Map([["", ""]]); // names of records by their keys
    if (field.dataset.name) this.labels.set(field.value, field.dataset.name);
    this.options = [];
    this.active = -1;
    this.build(`picker-${number}`);
    this.draw();
  }

  build(id) {
    this.input = element("input", { type: "text", autocomplete: "off" });
    this.list = element("ul", { class: "picker-list", role: "listbox", id, hidden: "" });
    this.list.setAttribute("aria-label", translate("Suggestions"));
    this.replaceField();
    for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": id })) this.input.setAttribute(key, value);
    this.listen();
  }

  // The field contains keys and is hidden; people read and type names beside it.
  replaceField() {
    const holder = element("div", { class: "picker" });
    this.field.before(holder);
    for (const key of ["id", "aria-describedby", "aria-invalid", "placeholder", "aria-label", "dir"]) {
      if (this.field.hasAttribute(key)) this.input.setAttribute(key, this.field.getAttribute(key));
    }
    this.field.removeAttribute("id");
    this.field.type = "hidden";
    if (this.many) this.box = element("div", { class: "picker-box" }, this.input);
    holder.append(this.box || this.input, this.field, this.list);
  }

  listen() {
    this.field.addEventListener("restored", () => { if (this.many) this.names = splitNames(this.field.value); this.draw(); });
    this.field.addEventListener("pick", ({ detail }) => { if (detail) this.labels.set(this.field.value, detail.label); this.draw(); });
    this.input.addEventListener("input", () => { this.type(); this.searchLater(); });
    this.input.addEventListener("focus", () => this.searchLater());
    this.input.addEventListener("blur", () => setTimeout(() => { this.close(); this.takeTyped(); }, 150));
    this.field.form?.addEventListener("submit", () => this.addTyped(), true); // before the form is sent: the field is still focused
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("mousedown", (event) => {
      const row = event.target.closest("[data-value]");
      if (row) { event.preventDefault(); this.choose(row.dataset.value); }
    });
  }

  // The typed text may be a key or a name; its record is chosen when the field loses focus, or on Enter.
  type() {
    if (this.many) return;
    this.field.dataset.typing = "";
    this.field.value = this.input.value.trim();
    this.showProblem("");
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  takeTyped() {
    if (this.many) { this.addTyped(); return; }
    if (this.isTyping) this.chooseTyped();
  }

  get isTyping() { return "typing" in this.field.dataset && Boolean(this.field.value) && !this.labels.has(this.field.value); }

  // The results of a search with these parameters; null if the server does not respond.
  async find(parameters) {
    const address = new URL(this.field.dataset.url, location.href);
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? (await answer.json()).results : null;
  }

  // Chooses the record with the typed key or name, or, with `only`, the only one whose name contains it; returns success.
  async chooseTyped(only = false) {
    const typed = this.field.value;
    let results = await this.find({ key: typed });
    if (only && results && !results.length) results = await this.find({ q: typed });
    if (!results || this.field.value !== typed) return false;
    if (results.length === 1) { this.close(); this.set(results[0].value, results[0]); return true; }
    if (!this.isFocused) this.showProblem(translate("Nothing is called “%(name)s”. Choose from the suggestions.", { name: typed }));
    return false;
  }

  get isFocused() { return document.activeElement === this.input || Boolean(document.querySelector("dialog.creation[open]")); }

  showProblem(text) {
    if (text) this.error ||= this.field.closest(".picker").appendChild(element("p", { class: "inline-error", role: "alert" }));
    if (this.error) this.error.textContent = text;
  }

  // Enter chooses a record before it sends a form; a search form is sent immediately.
  async enter() {
    const { form } = this.field;
    clearTimeout(this.timer);
    const done = await this.chooseTyped(true);
    if (form.method === "get") form.requestSubmit(); else if (!done) this.search();
  }

  searchLater() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), PICKER_DELAY);
  }

  async search() {
    const results = await this.find({ q: this.input.value.trim() });
    if (!results || document.activeElement !== this.input) return;
    this.show(this.withCreation(results.filter((item) => !this.names.includes(item.value))));
  }

  // Offers to create what does not exist yet, if the server has said how.
  withCreation(options) {
    const name = this.input.value.trim();
    const same = (text) => text.toLowerCase() === name.toLowerCase();
    if (!this.field.dataset.create || !name || options.some(({ value, label }) => same(value) || same(label))) return options;
    return [...options, { value: name, label: translate("Create “%(name)s”", { name }), creates: true }];
  }

  create(name) {
    const { createField, createFields } = this.field.dataset;
    if (createFields) { new CreationDialog(this, JSON.parse(createFields), { [createField]: name }); return; }
    this.send({ [createField]: name }).then((problem) => this.showProblem(messageOf(problem)));
  }

  // Creates the record and chooses it; returns the problem, or null.
  async send(values) {
    const headers = { "X-CSRFToken": csrf(), Accept: "application/json", "Content-Type": "application/json" };
    const answer = await fetch(this.field.dataset.create, { method: "POST", headers, body: JSON.stringify(values) }).catch(() => null);
    const created = await answer?.json().catch(() => null);
    if (!answer?.ok) return created || {};
    const { createKey, createField } = this.field.dataset;
    this.set(String(created[createKey]), { label: String(created[createField]) });
    return null;
  }

  show(options) {
    this.options = options;
    this.active = -1;
    this.list.replaceChildren(...options.map((item, number) => {
      const row = element("li", { role: "option", id: `${this.list.id}-${number}`, "aria-selected": "false" }, element("bdi", {}, item.label));
      row.dataset.value = item.value;
      if (item.image) row.prepend(element("img", { src: item.image, alt: "", class: "thumb", width: "48", height: "48" }), " ");
      if (item.hint) row.append(" ", element("small", {}, item.hint));
      return row;
    }));
    this.list.hidden = !options.length;
    this.input.setAttribute("aria-expanded", String(options.length > 0));
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  move(step) {
    const rows = this.list.querySelectorAll("[role=option]");
    if (!rows.length) return;
    this.active = (this.active + step + rows.length) % rows.length;
    rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === this.active)));
    this.input.setAttribute("aria-activedescendant", rows[this.active].id);
    rows[this.active].scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && (open && this.active >= 0 || this.many && this.input.value.trim())) {
      event.preventDefault();
      if (open && this.active >= 0) this.choose(this.options[this.active].value); else this.addTyped();
    } else if (event.key === "Enter" && this.isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.enter();
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.close();
    } else if (event.key === "," && this.many) {
      event.preventDefault();
      this.addTyped();
    } else if (event.key === "Backspace" && this.many && !this.input.value) {
      this.remove(this.names.at(-1));
    }
  }

  choose(value) {
    if (this.options.some((item) => item.creates && item.value === value)) { this.close(); this.create(value); return; }
    const chosen = this.options.find((item) => item.value === value);
    this.close();
    if (!this.many) { this.set(value, chosen); return; }
    this.input.value = "";
    this.add(value);
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  set(value, shown) {
    this.field.value = value;
    this.field.dispatchEvent(new CustomEvent("pick", { detail: shown }));
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  addTyped() {
    if (!this.many || !this.input.value.trim()) return;
    this.add(this.input.value.trim());
    this.input.value = "";
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  add(name) {
    if (!this.names.includes(name)) this.names.push(name);
    this.draw();
  }

  remove(name) {
    this.names = this.names.filter((other) => other !== name);
    this.draw();
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
    this.input.focus();
  }

  // A key may be restored without its name: from a backup in this browser, or with someone else's changes.
  drawName() {
    const key = this.field.value;
    delete this.field.dataset.typing;
    this.showProblem("");
    this.input.value = this.labels.get(key) ?? key;
    if (!key || this.labels.has(key)) return;
    this.find({ key }).then((results) => {
      if (!results?.length || this.field.value !== key) return;
      this.labels.set(key, results[0].label);
      this.input.value = results[0].label;
    });
  }

  draw() {
    if (!this.many) { this.drawName(); return; }
    this.field.value = joinNames(this.names);
    this.box.querySelectorAll(".chip").forEach((chip) => chip.remove());
    for (const name of this.names) {
      const drop = element("button", { type: "button", "aria-label": translate("Remove %(name)s", { name }) }, "×");
      drop.addEventListener("click", () => this.remove(name));
      this.input.before(element("span", { class: "chip" }, element("bdi", {}, name), drop));
    }
  }
}

document.querySelectorAll("[data-picker]").forEach((field, number) => new Picker(field, number));
