// Roughly what search engines will show, updated while the title and description are typed.
"use strict";

const SEO_PREVIEW_DELAY = 400; // milliseconds

class SearchResultPreview {
  constructor(form) {
    this.form = form;
    this.part = form.elements.seo_title.closest("details");
    const names = ["title", "address", "description"];
    [this.title, this.address, this.description] = names.map((name) => element("p", { class: name, dir: "auto" }));
    const label = element("p", { class: "label", id: "result-label" }, translate("In search results"));
    const box = element("div", { class: "result", role: "group", "aria-labelledby": label.id }, this.title, this.address, this.description);
    this.part.querySelector(".panel-body").append(element("div", { class: "field" }, label, box));
    form.addEventListener("input", () => this.drawLater());
    form.addEventListener("change", () => this.drawLater());
    this.part.addEventListener("toggle", () => this.draw());
    for (const field of this.part.querySelectorAll("input, textarea")) {
      field.addEventListener("restored", () => { if (field.value) this.part.open = true; });
    }
    this.draw();
  }

  value(name) { return this.form.elements[name]?.value.trim() || ""; }

  drawLater() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), SEO_PREVIEW_DELAY);
  }

  async draw() {
    if (!this.part.open) return;
    this.title.textContent = `${this.value("seo_title") || this.value("title") || "…"} · ${this.form.dataset.site}`;
    this.address.textContent = location.host + this.form.dataset.publicPath.replace("{slug}", this.value("slug") || "…");
    this.description.textContent = this.value("seo_description") || this.value("excerpt") || await this.firstWords();
  }

  async firstWords() {
    const text = this.value("body");
    if (text !== this.renderedText) {
      const answer = await browserSession.post(this.form.dataset.renderUrl, new URLSearchParams({ text: text.slice(0, 3000) }));
      this.first = new DOMParser().parseFromString(answer.body?.html || "", "text/html").body.textContent.trim();
      this.renderedText = text;
    }
    return this.first || "…";
  }
}

if (editorForm?.dataset.publicPath && editorForm.elements.seo_title) new SearchResultPreview(editorForm);
