// Fields that refer to an image: one button opens the media picker, another one clears the field.
"use strict";

class MediaField {
  constructor(field, address) {
    Object.assign(this, { field, address });
    this.label = field.closest(".field").querySelector("label").firstChild.textContent.trim();
    this.open = this.button(translate("Choose image"), () => this.choose());
    this.clear = this.button(translate("Remove"), () => this.set("", null));
    const place = field.closest(".picker") || field;
    place.after(element("div", { class: "media-buttons" }, this.open, this.clear));
    for (const name of ["input", "change", "restored"]) field.addEventListener(name, () => this.show());
    this.show();
  }

  button(words, run) {
    const button = element("button", { type: "button", class: "button small", "aria-label": `${words}: ${this.label}` }, words);
    button.addEventListener("click", run);
    return button;
  }

  show() { this.clear.hidden = !this.field.value; }

  choose() {
    const insert = (media) => this.use(media);
    const library = new LibraryDialog(this.address, { heading: translate("Choose an image: %(label)s", { label: this.label }), images: true, insert,
      onFiles: (files) => this.upload(files) });
    library.closed.then(() => this.open.focus());
  }

  upload(files) {
    const use = (media) => this.use(media);
    new UploadDialog(this.address, { label: translate("Upload"), use, done: () => this.open.focus(), limit: 1 }).add(files);
  }

  use(media) {
    const image = media.width ? media.variants["160"]?.webp || media.url : null;
    this.set(String(media.id), { image, label: media.original_name });
  }

  set(value, shown) {
    this.field.value = value;
    this.field.dispatchEvent(new CustomEvent("pick", { detail: shown }));
    this.field.dispatchEvent(new Event("change", { bubbles: true }));
    this.show();
  }
}

const mediaForm = document.querySelector("form[data-media]");
if (mediaForm) document.querySelectorAll("[data-media-field]").forEach((field) => new MediaField(field, mediaForm.dataset.media));
