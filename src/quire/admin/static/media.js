// Files: the progress of an upload, choosing the focal point of an image, the image of a picker.
"use strict";

// Uploads ------------------------------------------------------------------------------------
const progressOf = (form) => [...form.elements].find((one) => one.matches("[data-progress]"));
const submitOf = (form) => [...form.elements].find((one) => one.type === "submit");

function showProgress(form, part) {
  const box = progressOf(form);
  box.hidden = false;
  box.querySelector("progress").value = part;
  const percent = new Intl.NumberFormat(language, { style: "percent" }).format(part / 100);
  box.querySelector("[data-status]").textContent = part < 100 ? translate("Uploading: %(percent)s", { percent }) : translate("Processing …");
}

function showFailure(form, message) {
  progressOf(form).hidden = true;
  submitOf(form).disabled = false;
  announce(message);
}

function handleResponse(form, request) {
  const answer = JSON.parse(request.responseText || "null");
  if (request.status === 200 && answer?.url) location.assign(answer.url);
  else showFailure(form, answer?.message || translate("The file could not be uploaded. Try again."));
}

function send(form) {
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    showProgress(form, Math.floor((event.loaded / event.total) * 100));
  });
  request.addEventListener("load", () => handleResponse(form, request));
  request.addEventListener("error", () => showFailure(form, translate("The server is not responding. Try again.")));
  submitOf(form).disabled = true;
  showProgress(form, 0);
  request.send(new FormData(form));
}

function uploadWithProgress(form) {
  const file = [...form.elements].find((one) => one.type === "file");
  form.addEventListener("submit", (event) => {
    if (!file.files.length) return;
    event.preventDefault();
    send(form);
  });
}

// Copying the URL of a file ------------------------------------------------------------------
function copyOnClick(button) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const address = new URL(button.dataset.copy, location.href).href;
    const copied = await navigator.clipboard.writeText(address).then(() => true, () => false);
    button.textContent = copied ? translate("Copied") : translate("Could not be copied");
  });
}

// The focal point, which must stay visible ---------------------------------------------------
const NS = "http://www.w3.org/2000/svg";

class FocalPoint {
  constructor(box, inputs) {
    this.picture = box.querySelector("img");
    this.inputs = inputs;
    this.ring = document.createElementNS(NS, "circle");
    this.ring.setAttribute("r", "12");
    const layer = document.createElementNS(NS, "svg");
    layer.append(this.ring);
    box.append(layer);
    box.classList.add("ready");
    box.addEventListener("click", (event) => this.choose(event));
    for (const input of inputs) input.addEventListener("input", () => this.draw());
    this.draw();
  }

  choose(event) {
    const box = this.picture.getBoundingClientRect();
    const parts = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    parts.forEach((part, number) => {
      this.inputs[number].value = (Math.min(Math.max(part, 0), 1) * 100).toFixed(1);
    });
    this.inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
  }

  draw() {
    const [x, y] = this.inputs.map((input) => input.value);
    this.ring.setAttribute("visibility", x === "" || y === "" ? "hidden" : "visible");
    this.ring.setAttribute("cx", `${x || 0}%`);
    this.ring.setAttribute("cy", `${y || 0}%`);
  }
}

// Adds the behavior of pages about files, or of a part that was loaded later.
function enhanceMedia(root) {
  root.querySelectorAll("form[data-upload]").forEach(uploadWithProgress);
  root.querySelectorAll("[data-copy]").forEach(copyOnClick);
  for (const box of root.querySelectorAll("[data-focal]")) {
    const inputs = [...root.querySelectorAll("[data-point] input")];
    if (inputs.length !== 2) continue;
    new FocalPoint(box, inputs);
    root.querySelector("[data-focal-hint]").hidden = false;
  }
}
enhanceMedia(document);

// The image of the record chosen in a picker -------------------------------------------------
document.querySelectorAll('[data-picker="one"]').forEach((field) => {
  field.addEventListener("pick", (event) => {
    field.closest(".field")?.querySelector(".selection")?.remove();
    if (!event.detail?.image) return;
    const picture = element("img", { src: event.detail.image, alt: "", class: "thumb" });
    field.closest(".picker").after(element("span", { class: "selection" }, picture));
  });
});
