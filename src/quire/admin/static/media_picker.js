// The media picker: existing files, recently used ones first, and new files with their alternative text.
"use strict";

const SEARCH_DELAY = 250; // milliseconds between the last key and the search
let dialogNumber = 0;

// A modal dialog that removes itself, and nothing else, when it closes; `closed` is resolved afterwards.
function openDialog(heading, parts, buttons) {
  dialogNumber += 1;
  const title = element("h2", { id: `dialog-${dialogNumber}` }, heading);
  const cancel = element("button", { class: "button", type: "button" }, translate("Cancel"));
  const actions = element("div", { class: "dialog-actions" }, cancel, ...buttons);
  const dialog = element("dialog", { "aria-labelledby": title.id, class: "media-dialog" }, title, ...parts, actions);
  cancel.addEventListener("click", () => dialog.close());
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => { dialog.remove(); resolve(); });
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, closed };
}

// Accepts files dropped on a dialog or pasted into it; otherwise the browser would leave the page to open dropped ones.
function acceptFiles(dialog, onFiles) {
  dialog.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) { event.preventDefault(); onFiles(files); }
  });
  dialog.addEventListener("dragover", (event) => event.preventDefault());
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  });
}

// A file waiting in the dialog: its image, its alternative text, the progress of its upload, errors.
class PendingUpload {
  constructor(file, remove) {
    this.file = file;
    this.alt = element("textarea", { rows: "2", maxlength: "1000", dir: "auto" });
    this.progress = element("progress", { max: "100", value: "0", "aria-label": translate("Uploading %(name)s", { name: this.name }), hidden: "" });
    this.error = element("p", { class: "inline-error", role: "alert" });
    const label = element("label", {}, element("span", {}, translate("Alternative text")), this.alt);
    const drop = element("button", { type: "button", class: "button quiet small", "aria-label": translate("Remove %(name)s", { name: this.name }) }, translate("Remove"));
    drop.addEventListener("click", () => remove(this));
    const head = element("div", { class: "upload-head" }, element("strong", { dir: "auto" }, this.name), drop);
    this.item = element("li", {}, this.preview(), element("div", {}, head, label, this.progress, this.error));
  }

  get name() { return this.file.name || translate("Pasted image"); }

  preview() {
    if (!this.file.type.startsWith("image/")) return element("span", { class: "upload-preview none" });
    const picture = element("img", { src: URL.createObjectURL(this.file), alt: "", class: "upload-preview" });
    for (const name of ["load", "error"]) picture.addEventListener(name, () => URL.revokeObjectURL(picture.src), { once: true });
    return picture;
  }

  // Returns the response as {ok, body, status, message}.
  async upload(address) {
    if (this.status === 401 || this.status === 403) await browserSession.renewToken(); // signed in again meanwhile
    const formData = new FormData();
    formData.append("file", this.file, this.file.name || "pasted.png");
    if (this.alt.value.trim()) formData.append("alt", this.alt.value.trim());
    this.error.textContent = "";
    [this.progress.hidden, this.alt.readOnly] = [false, true];
    const answer = await this.request(address, formData);
    [this.progress.hidden, this.alt.readOnly] = [true, false];
    this.status = answer.status;
    if (!answer.ok) this.error.textContent = answer.message;
    return answer;
  }

  request(address, formData) {
    const request = new XMLHttpRequest();
    return new Promise((resolve) => {
      request.open("POST", address);
      request.setRequestHeader("X-CSRFToken", csrf());
      request.setRequestHeader("Accept", "application/json");
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        this.progress.value = Math.floor((loaded / total) * 100);
      });
      request.addEventListener("loadend", () => resolve(this.answerOf(request)));
      request.send(formData);
    });
  }

  answerOf({ status, responseText }) {
    let body = null;
    try { body = JSON.parse(responseText); } catch { /* no response, or not one of ours */ }
    const signedOut = translate("You have been signed out. Sign in in another tab, then try again.");
    const message = status === 401 ? signedOut : body?.message || translate("The server is not responding. Try again.");
    return { ok: Boolean(body) && (status === 200 || status === 201), body, status, message };
  }
}

// Uploads files to the library. Nothing is uploaded before the button is pressed, so “Cancel” leaves nothing behind.
class UploadDialog {
  // `use(media, alt)` gets each uploaded file; `done` is called when the dialog has closed.
  constructor(address, { label, heading = translate("Upload files"), use, done, limit = Infinity }) {
    Object.assign(this, { address, use, limit, pending: [] });
    this.list = element("ul", { class: "uploads" });
    this.button = element("button", { class: "button primary", type: "button" }, label);
    this.button.addEventListener("click", () => this.uploadAll());
    const hint = element("p", { class: "hint" },
      translate("Describe the image for people who cannot see it. Leave it empty if the image is only decorative."));
    const { dialog, closed } = openDialog(heading, [this.list, hint], [this.button]);
    acceptFiles(dialog, (files) => this.add(files));
    this.dialog = dialog;
    this.closed = closed.then(() => { this.pending = []; done(); });
  }

  add(files) {
    const added = files.slice(0, this.limit - this.pending.length).map((file) => new PendingUpload(file, (one) => this.remove(one)));
    this.pending.push(...added);
    this.list.append(...added.map(({ item }) => item));
    added[0]?.alt.focus();
  }

  remove(one) {
    this.pending = this.pending.filter((other) => other !== one);
    one.item.remove();
    if (this.pending.length) this.pending[0].alt.focus(); else this.dialog.close();
  }

  async uploadAll() {
    this.button.disabled = true;
    for (const one of [...this.pending]) {
      if (this.pending.includes(one)) await this.send(one);
    }
    this.button.disabled = false;
    this.pending[0]?.alt.focus();
  }

  // Uploads are not aborted, since the server may already have the file: it is deleted after it has arrived.
  async send(one) {
    const { ok, body, status } = await one.upload(this.address);
    if (ok && this.pending.includes(one)) {
      rememberMedia(body);
      this.use(body, one.alt.value.trim() || body.alt);
      this.remove(one);
    } else if (status === 201 && ok) {
      this.discard(body);
    }
  }

  discard({ id }) {
    const headers = { "X-CSRFToken": csrf(), Accept: "application/json" };
    fetch(`${this.address}/${id}`, { method: "DELETE", headers, keepalive: true }).catch(() => null);
  }
}

// The ids recently chosen in this browser, the latest first.
const RECENT_MEDIA = "quire:recent-media";
const MAX_RECENT = 6;

function recentMedia() {
  try { return JSON.parse(localStorage.getItem(RECENT_MEDIA)) || []; } catch { return []; }
}

function rememberMedia({ id }) {
  const ids = [id, ...recentMedia().filter((other) => other !== id)].slice(0, MAX_RECENT);
  try { localStorage.setItem(RECENT_MEDIA, JSON.stringify(ids)); } catch { /* the storage is full */ }
}

// Existing media, and a way to upload new files.
class LibraryDialog {
  // `insert(media)` gets the chosen file, `onFiles(files)` new ones; with `images`, only images are offered.
  constructor(address, { heading, insert, onFiles, images = false }) {
    Object.assign(this, { address, images });
    const file = element("input", { type: "file", id: "picture-file", ...(images ? { accept: "image/*" } : { multiple: "" }) });
    const search = element("input", { type: "search", id: "picture-search", placeholder: translate("File name or alternative text") });
    this.recent = element("ul", { class: "library", "aria-label": translate("Recently used") });
    this.recentPart = element("div", { hidden: "" }, element("p", { class: "label" }, translate("Recently used")), this.recent,
      element("p", { class: "label" }, images ? translate("All images") : translate("All files")));
    this.list = element("ul", { class: "library", "aria-label": translate("Media") });
    this.error = element("p", { class: "inline-error", role: "alert" });
    const field = (control, label) => element("div", { class: "field" }, element("label", { for: control.id }, label), control);
    const hint = element("p", { class: "hint" }, translate("Or drop a file here, or paste one."));
    const parts = [field(search, translate("Choose an existing file")), element("div", { class: "library-scroll" }, this.recentPart, this.list),
      this.error, field(file, translate("Upload a new file")), hint];
    const { dialog, closed } = openDialog(heading, parts, []);
    this.dialog = dialog;
    this.choose = (then) => { dialog.close(); closed.then(then); };
    acceptFiles(dialog, (files) => this.choose(() => onFiles(files)));
    file.addEventListener("change", () => { if (file.files.length) this.choose(() => onFiles([...file.files])); });
    this.insert = (media) => { rememberMedia(media); this.choose(() => insert(media)); };
    this.listenTo(search);
    dialog.addEventListener("keydown", (event) => this.move(event));
    this.closed = closed;
    this.find("");
    this.showRecent();
  }

  listenTo(search) {
    let timer;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.find(search.value.trim()), SEARCH_DELAY);
    });
  }

  async ask(query) {
    const parameters = new URLSearchParams({ count: "none", is_avatar: "false", ...(this.images ? { width__isnull: "false" } : {}), ...query });
    const answer = await fetch(`${this.address}?${parameters}`, { headers: { Accept: "application/json" } }).catch(() => null);
    return answer?.ok ? (await answer.json().catch(() => null))?.media : null;
  }

  async find(text) {
    this.lastQuery = text;
    const media = await this.ask({ per_page: "24", ...(text ? { search: text } : { sort: "-id" }) });
    if (this.lastQuery !== text) return; // another search has started
    this.error.textContent = media ? "" : translate("The media library could not be loaded.");
    this.recentPart.hidden = Boolean(text) || !this.recent.childElementCount;
    this.list.replaceChildren(...(media || []).map((one) => element("li", {}, this.entry(one))));
    if (media && !media.length) this.list.append(element("li", { class: "soft" }, text ? translate("No results.") : translate("No files yet.")));
  }

  async showRecent() {
    const ids = recentMedia();
    const media = ids.length ? await this.ask({ id__in: ids.join(",") }) : [];
    const known = ids.map((id) => media?.find((one) => one.id === id)).filter(Boolean);
    this.recent.replaceChildren(...known.map((one) => element("li", {}, this.entry(one))));
    this.recentPart.hidden = Boolean(this.lastQuery) || !known.length;
  }

  // Moves through the grid with the arrow keys, whatever its width.
  move(event) {
    const buttons = [...this.dialog.querySelectorAll(".library button")];
    const at = buttons.indexOf(document.activeElement);
    const isSearch = document.activeElement.type === "search";
    if (isSearch && event.key === "ArrowDown" && buttons.length) { event.preventDefault(); buttons[0].focus(); return; }
    const { y } = at < 0 ? {} : buttons[at].getBoundingClientRect();
    const row = buttons.filter((one) => one.getBoundingClientRect().y === y).length;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + row, ArrowUp: at - row }[event.key];
    if (at < 0 || to === undefined || !buttons[to]) return;
    event.preventDefault();
    buttons[to].focus();
  }

  entry(media) {
    const name = media.alt || media.original_name;
    const button = element("button", { type: "button", title: name });
    const small = media.variants["160"]?.webp || media.url;
    button.append(media.width ? element("img", { src: small, alt: "", loading: "lazy" }) : "", element("span", { dir: "auto" }, name));
    button.addEventListener("click", () => this.insert(media));
    return button;
  }
}
