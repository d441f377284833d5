// Pictures of a text: chosen from the media, or uploaded with their alternative text once "Insert" confirms them.
"use strict";

const SEARCH_DELAY = 250; // milliseconds between the last key and the search
let dialogNumber = 0;

function escapeMarkdown(text) {
  return text.replace(/\s+/g, " ").replace(/[\\[\]]/g, "\\$&").trim();
}

function mediaMarkdown(media, alt) {
  if (media.width) return `![${escapeMarkdown(alt)}](${media.url})`;
  return `[${escapeMarkdown(alt || media.original_name)}](${media.url})`;
}

// A modal dialog that removes itself, and nothing else, when it closes; `closed` is fulfilled afterwards.
function openDialog(heading, parts, buttons) {
  dialogNumber += 1;
  const title = element("h2", { id: `dialog-${dialogNumber}` }, heading);
  const cancel = element("button", { class: "button", type: "button" }, "Cancel");
  const actions = element("div", { class: "dialog-actions" }, cancel, ...buttons);
  const dialog = element("dialog", { "aria-labelledby": title.id, class: "pictures" }, title, ...parts, actions);
  cancel.addEventListener("click", () => dialog.close());
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => { dialog.remove(); resolve(); });
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, closed };
}

// Files that are dropped on a dialog; without this the browser would leave the page for them.
function acceptDrops(dialog, onFiles) {
  dialog.addEventListener("dragover", (event) => event.preventDefault());
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) onFiles([...event.dataTransfer.files]);
  });
}

// One file that waits in the dialog: its picture, its alternative text, how far its upload is, what went wrong.
class PendingUpload {
  constructor(file, remove) {
    this.file = file;
    this.alt = element("textarea", { rows: "2", maxlength: "1000", dir: "auto" });
    this.progress = element("progress", { max: "100", value: "0", "aria-label": `Uploading ${this.name}`, hidden: "" });
    this.error = element("p", { class: "inline-error", role: "alert" });
    const label = element("label", {}, element("span", {}, "Alternative text"), this.alt);
    const drop = element("button", { type: "button", class: "button quiet small", "aria-label": `Remove ${this.name}` }, "Remove");
    drop.addEventListener("click", () => remove(this));
    const head = element("div", { class: "upload-head" }, element("strong", { dir: "auto" }, this.name), drop);
    this.item = element("li", {}, this.preview(), element("div", {}, head, label, this.progress, this.error));
  }

  get name() { return this.file.name || "Pasted image"; }

  preview() {
    if (!this.file.type.startsWith("image/")) return element("span", { class: "upload-preview none" });
    const picture = element("img", { src: URL.createObjectURL(this.file), alt: "", class: "upload-preview" });
    for (const name of ["load", "error"]) picture.addEventListener(name, () => URL.revokeObjectURL(picture.src), { once: true });
    return picture;
  }

  // The answer as {ok, body, status, message}.
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
    try { body = JSON.parse(responseText); } catch { /* no answer, or none of ours */ }
    const signedOut = "You have been signed out. Sign in in another tab, then try again.";
    const message = status === 401 ? signedOut : body?.message || "The server is not responding. Try again.";
    return { ok: Boolean(body) && (status === 200 || status === 201), body, status, message };
  }
}

// Files on their way into a text. Nothing is uploaded before "Insert", so that "Cancel" leaves nothing behind.
class UploadDialog {
  constructor(editor, address, place) {
    Object.assign(this, { editor, address, place, pending: [], inserted: 0 });
    this.list = element("ul", { class: "uploads" });
    this.button = element("button", { class: "button primary", type: "button" }, "Insert");
    this.button.addEventListener("click", () => this.insert());
    const hint = element("p", { class: "hint" },
      "Describe the image for people who cannot see it. Leave it empty if the image is only decorative.");
    const { dialog, closed } = openDialog("Insert files", [this.list, hint], [this.button]);
    acceptDrops(dialog, (files) => this.add(files));
    this.dialog = dialog;
    this.closed = closed.then(() => this.cancel());
  }

  add(files) {
    const added = files.map((file) => new PendingUpload(file, (one) => this.remove(one)));
    this.pending.push(...added);
    this.list.append(...added.map(({ item }) => item));
    added[0].alt.focus();
  }

  remove(one) {
    this.pending = this.pending.filter((other) => other !== one);
    one.item.remove();
    if (this.pending.length) this.pending[0].alt.focus(); else this.dialog.close();
  }

  async insert() {
    this.button.disabled = true;
    for (const one of [...this.pending]) {
      if (this.pending.includes(one)) await this.send(one);
    }
    this.button.disabled = false;
    this.pending[0]?.alt.focus();
  }

  // An upload is not aborted: nobody could know whether the server has it already. It is deleted when it has arrived.
  async send(one) {
    const { ok, body, status } = await one.upload(this.address);
    if (ok && this.pending.includes(one)) {
      this.insertMarkdown(mediaMarkdown(body, one.alt.value.trim() || body.alt));
      this.remove(one);
    } else if (status === 201 && ok) {
      this.discard(body);
    }
  }

  insertMarkdown(markdown) {
    this.editor.insertAt(this.place.at, this.inserted ? `\n\n${markdown}` : markdown);
    this.inserted += 1;
  }

  discard({ id }) {
    const headers = { "X-CSRFToken": csrf(), Accept: "application/json" };
    fetch(`${this.address}/${id}`, { method: "DELETE", headers, keepalive: true }).catch(() => null);
  }

  cancel() {
    this.pending = [];
    this.place.release();
    this.editor.view.focus();
  }
}

// The media that are there already, and a way to bring new files.
class LibraryDialog {
  constructor(address, insert, onFiles) {
    Object.assign(this, { address, chosen: null });
    const file = element("input", { type: "file", id: "picture-file", multiple: "" });
    const search = element("input", { type: "search", id: "picture-search", placeholder: "File name or alternative text" });
    this.list = element("ul", { class: "library", "aria-label": "Media" });
    this.error = element("p", { class: "inline-error", role: "alert" });
    const field = (control, label) => element("div", { class: "field" }, element("label", { for: control.id }, label), control);
    const parts = [field(file, "Upload a new file"), field(search, "Choose an existing file"), this.list, this.error];
    const { dialog, closed } = openDialog("Insert an image or file", parts, []);
    this.dialog = dialog;
    this.choose = (then) => { dialog.close(); closed.then(then); };
    acceptDrops(dialog, (files) => this.choose(() => onFiles(files)));
    file.addEventListener("change", () => { if (file.files.length) this.choose(() => onFiles([...file.files])); });
    this.insert = (media) => this.choose(() => insert(media));
    this.listenTo(search);
    this.closed = closed;
    this.find("");
  }

  listenTo(search) {
    let timer;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.find(search.value.trim()), SEARCH_DELAY);
    });
  }

  async find(text) {
    this.lastQuery = text;
    const query = new URLSearchParams({ per_page: "24", count: "none", ...(text ? { search: text } : { sort: "-id" }) });
    const answer = await fetch(`${this.address}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (this.lastQuery !== text) return; // something else is looked for by now
    this.error.textContent = answer?.ok ? "" : "The media library could not be loaded.";
    const entries = (body?.media || []).map((one) => element("li", {}, this.entry(one)));
    this.list.replaceChildren(...entries);
    if (answer?.ok && !entries.length) this.list.append(element("li", { class: "soft" }, "No results."));
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

function addPictures(editor, address) {
  editor.onFiles = (files, at) => new UploadDialog(editor, address, editor.track(at)).add(files);
  editor.onPicture = () => {
    const place = editor.track(editor.selected().to);
    const insert = (media) => editor.insertAt(place.at, mediaMarkdown(media, media.alt));
    const library = new LibraryDialog(address, insert, (files) => editor.onFiles(files, place.at));
    library.closed.then(() => { place.release(); editor.view.focus(); });
  };
}
