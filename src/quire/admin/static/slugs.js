// Slugs that follow the title until they are edited, and whether they are available; the lengths of texts.
"use strict";

const SLUG_CHECK_DELAY = 300; // milliseconds between the last key and the request

class SlugField {
  constructor(form) {
    this.form = form;
    this.title = form.elements.title || form.elements.name;
    this.field = form.elements.slug;
    this.status = element("p", { class: "hint", role: "status" });
    this.field.closest(".field").append(this.status);
    this.follows = this.field.value === "";
    this.title?.addEventListener("focus", () => this.detectGenerated(), { once: true });
    this.title?.addEventListener("input", () => this.checkLater(this.title.value, true));
    this.field.addEventListener("input", () => {
      this.follows = this.field.value === "";
      this.checkLater(this.field.value || this.title?.value, false);
    });
  }

  // The slug of a draft continues to follow the title if it was generated from it.
  async detectGenerated() {
    if (this.follows || this.form.dataset.status !== "draft") return;
    const answer = await this.ask(this.title.value);
    this.follows = answer?.suggestion === this.field.value;
  }

  checkLater(text, ofTitle) {
    clearTimeout(this.timer);
    if (ofTitle && !this.follows) return;
    this.timer = setTimeout(() => this.check(text || "", ofTitle), SLUG_CHECK_DELAY);
  }

  async ask(text) {
    const query = new URLSearchParams({ text, id: this.form.dataset.id });
    const answer = await fetch(`${this.form.dataset.slugUrl}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }

  async check(text, ofTitle) {
    const { id } = this.form.dataset;
    const answer = text.trim() ? await this.ask(text) : { free: true, slug: "", suggestion: "" };
    if ("saving" in this.form.dataset || this.form.dataset.id !== id) { // its own new slug may have seemed taken
      this.checkLater(text, ofTitle);
      return;
    }
    if (!answer) { this.status.textContent = ""; return; }
    if (ofTitle && this.follows) this.setSlug(answer.suggestion);
    else this.showAvailability(answer);
  }

  setSlug(slug) {
    this.field.value = slug;
    this.status.textContent = slug ? translate("Generated from the title.") : "";
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  showAvailability({ free, suggestion }) {
    this.status.textContent = !suggestion || this.field.value === "" ? "" : free ? translate("This slug is available.") : `${translate("This slug is already in use.")} `;
    if (free) return;
    const use = element("button", { class: "button small", type: "button" }, translate("Use %(slug)s", { slug: suggestion }));
    use.addEventListener("click", () => { this.setSlug(suggestion); this.status.textContent = translate("This slug is available."); this.field.focus(); });
    this.status.append(use);
  }
}

function countCharacters(field) {
  const recommended = Number(field.dataset.recommendedLength);
  const count = element("p", { class: "hint length" });
  const recount = () => {
    const { length } = [...field.value];
    count.textContent = length > recommended
      ? translate("%(length)s of %(recommended)s characters: the end may be cut off", { length, recommended })
      : translate("%(length)s of %(recommended)s characters", { length, recommended });
    count.classList.toggle("too-long", length > recommended);
  };
  field.closest(".field").append(count);
  for (const name of ["input", "restored"]) field.addEventListener(name, recount);
  recount();
}

for (const form of document.querySelectorAll("form[data-slug-url]")) new SlugField(form);
document.querySelectorAll("form[data-render-url] [data-recommended-length]").forEach(countCharacters);
