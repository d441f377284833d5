// The command palette (Ctrl+K): pages of the menu, types to create, and records, all by keyboard.
"use strict";

const PALETTE_DELAY = 150; // milliseconds between the last key and the search

class Palette {
  constructor(address) {
    this.address = address;
    this.links = [...document.querySelectorAll(".nav a")].map((link) =>
      ({ label: link.textContent.trim(), hint: translate("Page"), url: link.href }));
    this.input = element("input", { type: "text", role: "combobox", "aria-expanded": "true", autocomplete: "off",
      "aria-controls": "palette-list", "aria-autocomplete": "list", "aria-label": translate("Search pages, actions and records"),
      placeholder: translate("Search pages, actions and records"), dir: "auto" });
    this.list = element("ul", { id: "palette-list", role: "listbox", "aria-label": translate("Results") });
    this.count = element("p", { class: "visually-hidden", role: "status" });
    this.dialog = element("dialog", { class: "palette", "aria-label": translate("Search everything") }, this.input, this.list, this.count);
    // the event is late: the palette may be open again
    this.dialog.addEventListener("close", () => { if (!this.dialog.open) this.dialog.remove(); });
    this.input.addEventListener("input", () => this.searchLater());
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.open(event.target.closest("[role=option]")));
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  start() {
    if (document.querySelector("dialog[open]")) return;
    this.input.value = "";
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.search();
  }

  searchLater() {
    clearTimeout(this.timer);
    this.show(this.matchingItems(this.links));
    this.timer = setTimeout(() => this.search(), PALETTE_DELAY);
  }

  matchingItems(items) {
    const words = this.input.value.toLowerCase().split(/\s+/).filter(Boolean);
    return items.filter((item) => words.every((word) => item.label.toLowerCase().includes(word)));
  }

  async search() {
    const text = this.input.value.trim();
    this.creations ??= await this.suggestions("");
    const records = text ? await this.suggestions(text) : [];
    if (this.input.value.trim() !== text) return; // a newer search is running
    this.show([...this.matchingItems(this.links), ...this.matchingItems(this.creations), ...records]);
  }

  async suggestions(text) {
    const address = `${this.address}?${new URLSearchParams({ q: text })}`;
    const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? (await answer.json()).results : [];
  }

  show(items) {
    this.list.replaceChildren(...items.map((item, number) => {
      const row = element("li", { role: "option", id: `palette-${number}`, "data-url": item.url }, element("bdi", {}, item.label),
        element("small", {}, item.hint));
      if (item.image) row.prepend(element("img", { src: item.image, alt: "", class: "thumb", width: "48", height: "48" }));
      return row;
    }));
    this.count.textContent = items.length === 1 ? translate("1 result") : translate("%(count)s results", { count: items.length });
    this.activate(0);
  }

  activate(number) {
    const rows = [...this.list.children];
    this.active = rows.length ? (number + rows.length) % rows.length : -1;
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === this.active)));
    if (this.active < 0) { this.input.removeAttribute("aria-activedescendant"); return; }
    this.input.setAttribute("aria-activedescendant", rows[this.active].id);
    rows[this.active].scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); this.activate(this.active + step); }
    if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); this.open(this.list.children[this.active]); }
  }

  open(row) {
    if (row) { this.dialog.close(); location.href = row.dataset.url; }
  }
}

const paletteButton = document.querySelector("[data-palette]");
if (paletteButton) {
  const palette = new Palette(paletteButton.dataset.palette);
  paletteButton.hidden = false;
  paletteButton.addEventListener("click", () => palette.start());
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k"
      && !event.target.closest?.(".cm-editor")) {
      event.preventDefault();
      palette.start();
    }
  });
}
