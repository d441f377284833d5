// The list of files: files dropped anywhere on it are uploaded, and each file opens in a sheet beside it.
"use strict";

const MEDIA_API = "/api/v1/media";

// Whether files from outside are dragged, rather than an image of this page.
const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");

function uploadDropped(files) {
  let count = 0;
  const use = () => { count += 1; };
  const done = () => { if (count) location.assign(location.pathname); };
  new UploadDialog(MEDIA_API, { label: translate("Upload"), use, done }).add(files);
}

const dropHint = element("div", { class: "drop-hint", hidden: "" }, translate("Drop files to upload them"));
document.body.append(dropHint);
let depth = 0; // the number of nested elements that the pointer has entered and not left
function showDrop(change) {
  depth = Math.max(0, depth + change);
  dropHint.hidden = !depth || Boolean(document.querySelector("dialog[open]"));
}
document.addEventListener("dragenter", (event) => { if (hasFiles(event)) showDrop(1); });
document.addEventListener("dragleave", (event) => { if (hasFiles(event)) showDrop(-1); });
document.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  if (!hasFiles(event) || event.defaultPrevented) return;
  event.preventDefault();
  depth = 0;
  showDrop(0);
  uploadDropped([...event.dataTransfer.files]);
});

// The form of a file, loaded from its own page; saving returns to this list.
class Sheet {
  constructor(link, content) {
    this.link = link;
    this.changed = false;
    const title = element("h2", { id: "sheet-title", dir: "auto" }, content.querySelector("h1").textContent.trim());
    const close = element("button", { type: "button", class: "button quiet small square", "aria-label": translate("Close") }, "×");
    this.dialog = element("dialog", { class: "sheet", "aria-labelledby": title.id }, element("div", { class: "sheet-head" }, title, close),
      content.getElementById("record-form"), content.getElementById("replace-form"));
    close.addEventListener("click", () => this.close());
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.close(); });
    this.dialog.addEventListener("click", (event) => { if (event.target.closest(".savebar a")) { event.preventDefault(); this.close(); } });
    for (const name of ["input", "change"]) this.dialog.addEventListener(name, () => { this.changed = true; });
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.dialog.querySelector("textarea")?.focus({ preventScroll: true });
    enhanceMedia(this.dialog);
  }

  async close() {
    if (this.changed && !(await confirmInDialog(translate("Your changes are not saved."), translate("Discard changes")))) return;
    this.dialog.remove();
    this.link.focus();
  }
}

async function openSheet(link) {
  const address = new URL(link.href);
  address.searchParams.set("url", location.pathname + location.search);
  const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  const content = answer?.ok && !answer.redirected ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  if (content?.getElementById("record-form")) new Sheet(link, content);
  else location.assign(link.href);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".records .title a, .records [data-edit]");
  if (!link?.pathname.endsWith("/edit/") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openSheet(link);
});
