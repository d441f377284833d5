// Pictures of a text: dropped, pasted or chosen files go to the media with their alternative text.
"use strict";

const QUIET = 250; // milliseconds between the last key and the search

function altInMarkdown(text) {
  return text.replace(/\s+/g, " ").replace(/[\\[\]]/g, "\\$&").trim();
}

function inMarkdown(media) {
  if (media.width) return `![${altInMarkdown(media.alt)}](${media.url})`;
  return `[${altInMarkdown(media.original_name)}](${media.url})`;
}

// The answer as {ok, body, message}; `onPart` is told how much has gone, in percent.
function upload(address, file, onPart) {
  const request = new XMLHttpRequest();
  const sent = new FormData();
  sent.append("file", file, file.name || "pasted.png");
  return new Promise((done) => {
    request.open("POST", address);
    request.setRequestHeader("X-CSRFToken", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => onPart(Math.floor((loaded / total) * 100)));
    request.addEventListener("loadend", () => {
      let body = null;
      try { body = JSON.parse(request.responseText); } catch { /* no answer, or none of ours */ }
      const ok = request.status === 200 || request.status === 201;
      done({ ok, body, status: request.status, message: body?.message || "The server does not answer." });
    });
    request.send(sent);
  });
}

class PictureDialog {
  constructor(surface, address) {
    this.surface = surface;
    this.address = address;
  }

  // A dialog that is thrown away when it closes; the text stays as it is unless something is inserted.
  open(head, ...parts) {
    this.error = element("p", { class: "inline-error", role: "alert" });
    const cancel = element("button", { class: "button", type: "button" }, "Cancel");
    this.actions = element("div", { class: "dialog-actions" }, cancel);
    const title = element("h2", { id: "picture-head" }, head);
    this.dialog = element("dialog", { "aria-labelledby": "picture-head", class: "pictures" },
      title, ...parts, this.error, this.actions);
    cancel.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => { this.dialog.remove(); this.surface.view.focus(); });
    document.body.append(this.dialog);
    this.dialog.showModal();
    return new Promise((done) => this.dialog.addEventListener("close", done));
  }

  async take(files, place) {
    for (const file of files) await this.takeOne(file, place);
  }

  async takeOne(file, place) {
    const bar = element("progress", { max: "100", value: "0", "aria-label": "Sending" });
    const alt = element("textarea", { rows: "2", maxlength: "1000", id: "picture-alt" });
    const field = element("div", { class: "field" }, element("label", { for: "picture-alt" }, "Alternative text"), alt,
      element("p", { class: "hint" }, "What is to be seen, for those who do not see it. Leave it empty if it only decorates."));
    const shown = file.type.startsWith("image/") ? [this.look(file)] : [];
    const closed = this.open(file.name || "Pasted picture", ...shown, field, element("div", { class: "progress" }, bar));
    const insert = element("button", { class: "button primary", type: "button" }, "Insert");
    insert.disabled = true;
    this.actions.append(insert);
    alt.focus();
    const send = async () => {
      this.error.textContent = "";
      const answer = await upload(this.address, file, (part) => { bar.value = part; });
      if (!answer.ok) { this.refuse(answer, send); return; }
      if (!alt.value) alt.value = answer.body.alt;
      insert.disabled = false;
      insert.addEventListener("click", () => this.insert(answer.body, alt.value, place));
    };
    await Promise.all([send(), closed]);
  }

  look(file) {
    const picture = element("img", { src: URL.createObjectURL(file), alt: "", class: "looked-at" });
    picture.addEventListener("load", () => URL.revokeObjectURL(picture.src));
    return picture;
  }

  refuse(answer, send) {
    this.error.textContent = answer.status === 401 ? "You are signed out. Sign in in another tab, then try again." : answer.message;
    const again = element("button", { class: "button small", type: "button" }, "Try again");
    again.addEventListener("click", async () => { again.remove(); await keeping.whoIsThere(); send(); });
    this.error.append(" ", again);
  }

  async insert(media, alt, place) {
    if (alt !== media.alt) {
      const headers = { "X-CSRFToken": csrf(), Accept: "application/json", "Content-Type": "application/json" };
      const sent = { method: "PATCH", headers, body: JSON.stringify({ alt }) };
      const answer = await fetch(`${this.address}/${media.id}`, sent).catch(() => null);
      if (!answer?.ok) {
        this.error.textContent = (await answer?.json().catch(() => null))?.message || "The server does not answer. Try again.";
        return;
      }
    }
    this.dialog.close();
    this.surface.insertAt(place, inMarkdown({ ...media, alt }));
  }

  // The library, and a way to bring a new file.
  choose() {
    const place = this.surface.selected().to;
    const file = element("input", { type: "file", id: "picture-file", multiple: "" });
    const search = element("input", { type: "search", id: "picture-search", placeholder: "Name or what is to be seen" });
    const list = element("ul", { class: "library", "aria-label": "Media" });
    this.open("Insert a picture or file",
      element("div", { class: "field" }, element("label", { for: "picture-file" }, "A new one"), file),
      element("div", { class: "field" }, element("label", { for: "picture-search" }, "One that is here"), search), list);
    file.addEventListener("change", () => {
      const files = [...file.files];
      this.dialog.close();
      this.take(files, place);
    });
    let timer;
    search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => this.find(search.value, list, place), QUIET); });
    this.find("", list, place);
  }

  async find(text, list, place) {
    const query = new URLSearchParams({ per_page: "24", count: "none", ...(text.trim() ? { search: text.trim() } : { sort: "-id" }) });
    const answer = await fetch(`${this.address}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) { this.error.textContent = "The media cannot be shown now."; return; }
    const { media } = await answer.json();
    list.replaceChildren(...media.map((one) => element("li", {}, this.entry(one, place))));
    if (!media.length) list.append(element("li", { class: "soft" }, "Nothing found."));
  }

  entry(media, place) {
    const name = media.alt || media.original_name;
    const button = element("button", { type: "button", title: name });
    const small = media.variants["160"]?.webp || media.url;
    button.append(media.width ? element("img", { src: small, alt: "", loading: "lazy" }) : "", element("span", {}, name));
    button.addEventListener("click", () => { this.dialog.close(); this.surface.insertAt(place, inMarkdown(media)); });
    return button;
  }
}

function addPictures(surface, address) {
  const dialog = new PictureDialog(surface, address);
  surface.onFiles = (files, place) => dialog.take(files, place);
  surface.onPicture = () => dialog.choose();
}
