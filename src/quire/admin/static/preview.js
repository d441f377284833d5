// The preview beside the editor: the text as rendered by the server, with the styles of the site.
"use strict";

const PREVIEW_DELAY = 350; // milliseconds after the last key before the server is asked
const SPLIT = "(min-width: 1500px)"; // side by side if there is room, otherwise one at a time
const SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox"; // no scripts
const PREVIEW_SETTING = "quire:preview";

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

class Preview {
  constructor(editor, address) {
    this.editor = editor;
    this.address = address;
    this.status = element("p", { class: "soft", role: "status" });
    this.frame = element("iframe", { title: translate("Preview"), sandbox: SANDBOX, tabindex: "0" });
    this.pane = element("div", { class: "preview-pane", hidden: "" }, this.status); // the frame comes later: it takes a phone 20 milliseconds
    this.panes = element("div", { class: "editor-panes" });
    editor.box.before(this.panes);
    this.panes.append(editor.box, this.pane);
    this.addTabs();
    editor.area.addEventListener("input", () => this.drawLater());
    editor.view.scrollDOM.addEventListener("scroll", () => this.follow());
    this.show(matchMedia(SPLIT).matches && localStorage.getItem(PREVIEW_SETTING) !== "no");
  }

  addTabs() {
    const group = element("div", { class: "editor-modes", role: "group", "aria-label": translate("View") });
    this.buttons = [false, true].map((on) => {
      const button = element("button", { type: "button" }, on ? translate("Preview") : translate("Write"));
      button.addEventListener("click", () => {
        if (matchMedia(SPLIT).matches) localStorage.setItem(PREVIEW_SETTING, on ? "yes" : "no");
        this.show(on);
      });
      group.append(button);
      return button;
    });
    this.editor.bar.append(group);
    this.buttons.forEach((button) => { button.tabIndex = -1; });
  }

  show(on) {
    this.pane.hidden = !on;
    this.panes.classList.toggle("split", on);
    this.buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(Boolean(number) === on)));
    if (on) this.draw();
  }

  drawLater() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), PREVIEW_DELAY);
  }

  async draw() {
    const text = this.editor.text;
    if (this.pane.hidden || this.busy || text === this.shownText) return;
    this.busy = true;
    const answer = await browserSession.post(this.address, new URLSearchParams({ text }));
    this.busy = false;
    this.status.textContent = answer.ok ? "" : answer.message;
    if (answer.ok) {
      await this.showHtml(answer.body.html);
      this.shownText = text;
    }
    if (answer.ok && text !== this.editor.text) this.drawLater();
  }

  async showHtml(html) {
    if (!this.ready) await this.build();
    const { head } = this.frame.contentDocument;
    if (!head.querySelector("base")) { // links open in another tab, never in place of the editor
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
    this.pane.prepend(this.frame);
    await loaded;
    this.ready = true;
  }

  follow() {
    const from = this.editor.view.scrollDOM;
    const to = this.frame.contentDocument?.scrollingElement;
    const room = from.scrollHeight - from.clientHeight;
    if (to && room > 0) to.scrollTop = (from.scrollTop / room) * (to.scrollHeight - to.clientHeight);
  }
}
