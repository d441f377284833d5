// The progress of an import: polls it, and reloads the page when the import has ended.
"use strict";

const IMPORT_PROGRESS_INTERVAL = 1000;

async function askProgress() {
  const old = document.querySelector("[data-import-progress]");
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-import-progress]");
    if (!fresh) {
      location.reload();
      return;
    }
    old.querySelector("progress").max = fresh.querySelector("progress").max;
    old.querySelector("progress").value = fresh.querySelector("progress").value;
    old.querySelector("span").textContent = fresh.querySelector("span").textContent;
  } catch {
    // the server may be restarting, and will continue the import
  }
  setTimeout(askProgress, IMPORT_PROGRESS_INTERVAL);
}

setTimeout(askProgress, IMPORT_PROGRESS_INTERVAL / 4);
