// Fields that someone else has changed as well: both versions above the buttons, where they do not move the text.
"use strict";

function differences(parts) {
  const names = { insert: "ins", delete: "del" };
  const shown = parts.map(({ op, text }) => (names[op] ? element(names[op], {}, text) : text || "–"));
  return element("pre", { class: "difference", dir: "auto", tabindex: "0" }, ...(shown.length ? shown : ["–"]));
}

class Conflicts {
  // `done(decisions, version)` is called after a decision about every field.
  constructor(container, done) {
    Object.assign(this, { container, done, rows: new Map(), decisions: [] });
  }

  get size() { return this.rows.size; }

  has(name) { return this.rows.has(name); }

  // Whether a field is not saved until the user decides.
  blocks(name) { return Boolean(this.rows.get(name)?.blocks); }

  // `conflict` is the server's description, or null; with `blocks`, the fields were not saved.
  show(conflict, blocks) {
    for (const [name, row] of this.rows) if (row.blocks === blocks) this.rows.delete(name);
    for (const row of conflict?.rows || []) {
      if (!this.decisions.some(({ name }) => name === row.name)) this.rows.set(row.name, { ...row, blocks });
    }
    if (conflict) this.words = conflict.words;
    if (conflict && !blocks) this.version = conflict.version; // the record version that the decisions replace
    this.draw();
  }

  draw() {
    if (!this.size) { this.container.replaceChildren(); return; }
    const labels = [...this.rows.values()].map(({ label }) => label).join(", ");
    const titles = ["Field", "Before", "Yours", "Theirs"].map((title) => element("th", { scope: "col" }, translate(title)));
    const table = element("table", { class: "compare" }, element("thead", {}, element("tr", {}, ...titles)),
      element("tbody", {}, ...[...this.rows.values()].map((row) => this.row(row))));
    const open = this.container.querySelector("details")?.open;
    const details = element("details", open ? { open: "" } : {},
      element("summary", {}, translate("Someone else has also changed: %(labels)s.", { labels }), " ", element("span", { class: "link" }, translate("Compare"))),
      element("p", { class: "soft" }, `${this.words} ${translate("Nothing has been overwritten. Keep writing, or choose a version.")}`), table);
    this.container.replaceChildren(element("div", { class: "note warning", role: "status" }, details));
  }

  row(row) {
    const cell = (label, parts, ...more) => element("td", { "data-label": label }, differences(parts), ...more);
    return element("tr", { class: "changed" }, element("th", { scope: "row" }, row.label),
      cell(translate("Before"), row.base_parts), cell(translate("Yours"), row.yours_parts, this.button(translate("Keep mine"), row, true)),
      cell(translate("Theirs"), row.theirs_parts, this.button(translate("Use theirs"), row, false)));
  }

  button(label, row, mine) {
    const button = element("button", { type: "button", class: "button small", "aria-label": `${label}: ${row.label}` }, label);
    button.addEventListener("click", () => this.choose(row, mine));
    return button;
  }

  choose(row, mine) {
    this.decisions.push({ ...row, mine });
    this.rows.delete(row.name);
    this.draw();
    if (this.size) return;
    const { decisions, version } = this;
    Object.assign(this, { decisions: [], version: undefined });
    this.done(decisions, version);
  }
}
