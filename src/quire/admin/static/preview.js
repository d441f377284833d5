// The text as readers will see it, made by the server, in the site's own frame, beside the editor.
"use strict";

const REST = 350; // milliseconds without a key before the server is asked
const SPLIT = "(min-width: 1200px)"; // beside each other where there is room, else one or the other
const SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"; // no scripts
const SHOWN = "quire:preview";

function siteFrame(page) {
  const frame = document.implementation.createHTMLDocument("Preview");
  for (const name of ["lang", "dir", "data-theme", "data-text"]) {
    const value = page.documentElement.getAttribute(name);
    if (value) frame.documentElement.setAttribute(name, value);
  }
  for (const sheet of page.querySelectorAll('link[rel="stylesheet"]')) frame.head.append(frame.importNode(sheet));
  const prose = frame.createElement("div");
  prose.className = "prose";
  prose.dir = "auto";
  const main = frame.createElement("main");
  main.append(prose);
  frame.body.append(main);
  return `<!doctype html>${frame.documentElement.outerHTML}`;
}

class Prospect {
  constructor(surface, address) {
    this.surface = surface;
    this.address = address;
    this.status = element("p", { class: "soft", role: "status" });
    this.frame = element("iframe", { title: "Preview", sandbox: SANDBOX, tabindex: "0" });
    this.pane = element("div", { class: "preview-pane", hidden: "" }, this.frame, this.status);
    this.both = element("div", { class: "both" });
    surface.box.before(this.both);
    this.both.append(surface.box, this.pane);
    this.addTabs();
    surface.area.addEventListener("input", () => this.later());
    surface.view.scrollDOM.addEventListener("scroll", () => this.follow());
    this.show(matchMedia(SPLIT).matches && localStorage.getItem(SHOWN) !== "no");
  }

  addTabs() {
    const group = element("div", { class: "editor-modes", role: "group", "aria-label": "View" });
    this.buttons = [false, true].map((on) => {
      const button = element("button", { type: "button" }, on ? "Preview" : "Write");
      button.addEventListener("click", () => {
        if (matchMedia(SPLIT).matches) localStorage.setItem(SHOWN, on ? "yes" : "no");
        this.show(on);
      });
      group.append(button);
      return button;
    });
    this.surface.bar.append(group);
    this.buttons.forEach((button) => { button.tabIndex = -1; });
  }

  show(on) {
    this.pane.hidden = !on;
    this.both.classList.toggle("split", on);
    this.surface.area.form.classList.toggle("wide", on);
    this.buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(Boolean(number) === on)));
    if (on) this.draw();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), REST);
  }

  async draw() {
    const text = this.surface.text;
    if (this.pane.hidden || this.busy || text === this.drawn) return;
    this.busy = true;
    const answer = await keeping.post(this.address, new URLSearchParams({ text }));
    this.busy = false;
    this.status.textContent = answer.ok ? "" : answer.message;
    if (answer.ok) {
      await this.put(answer.body.html);
      this.drawn = text;
    }
    if (answer.ok && text !== this.surface.text) this.later();
  }

  async put(html) {
    if (!this.ready) await this.build();
    const { head } = this.frame.contentDocument;
    if (!head.querySelector("base")) { // links open beside the editor, never in the place of it
      head.prepend(Object.assign(this.frame.contentDocument.createElement("base"), { target: "_blank" }));
    }
    this.frame.contentDocument.querySelector(".prose").innerHTML = html; // cleaned by the server
    this.follow();
  }

  async build() {
    const answer = await fetch("/", { headers: { Accept: "text/html" } }).catch(() => null);
    const page = new DOMParser().parseFromString((await answer?.text()) || "", "text/html");
    const loaded = new Promise((done) => this.frame.addEventListener("load", done, { once: true }));
    this.frame.srcdoc = siteFrame(page);
    await loaded;
    this.ready = true;
  }

  follow() {
    const from = this.surface.view.scrollDOM;
    const to = this.frame.contentDocument?.scrollingElement;
    const room = from.scrollHeight - from.clientHeight;
    if (to && room > 0) to.scrollTop = (from.scrollTop / room) * (to.scrollHeight - to.clientHeight);
  }
}
