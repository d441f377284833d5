// Buttons and shortcuts of the editor, which add marks around the selection or remove them.
"use strict";

const ICONS = {
  bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7zM7 12h7a3.5 3.5 0 0 1 0 7H7z",
  italic: "M14 5h-4M14 19h-4M14.5 5l-5 14",
  heading: "M6 5v14M18 5v14M6 12h12",
  link: "M10 13.5a4 4 0 0 0 6 .5l2.5-2.5a4 4 0 0 0-5.7-5.7L11.5 7M14 10.5a4 4 0 0 0-6-.5l-2.5 2.5a4 4 0 0 0 5.7 5.7l1.3-1.2",
  picture: "M4 5h16v14H4zM8.5 10.5h.01M4 17l5-5 4 4 3-3 4 4",
  list: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  numbers: "M10 6h10M10 12h10M10 18h10M4 5l1.5-1v5M4 14h2.5L4 17.5h2.5",
  quote: "M5 17c3-1 4.5-3.5 4.5-6.5V7H5v4.5h4.5M14 17c3-1 4.5-3.5 4.5-6.5V7H14v4.5h4.5",
  code: "M9 7l-5 5 5 5M15 7l5 5-5 5",
};
const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);

function iconElement(name) {
  const NS = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function toggleMarks(editor, before, after = before) {
  const { from, to, text } = editor.selection();
  const wide = editor.view.state.sliceDoc(from - before.length < 0 ? 0 : from - before.length, to + after.length);
  if (text && wide === before + text + after) {
    editor.replace(from - before.length, to + after.length, text, 0, text.length);
  } else {
    editor.replace(from, to, before + text + after, before.length, before.length + text.length);
  }
}

function toggleLinePrefix(editor, prefix) { // whole lines: a heading, a quote, a list
  const doc = editor.view.state.doc;
  const { from, to } = editor.selection();
  const first = doc.lineAt(from).from;
  const last = doc.lineAt(to).to;
  const lines = doc.sliceString(first, last).split("\n");
  const prefixes = lines.map((_, number) => (prefix === "1. " ? `${number + 1}. ` : prefix));
  const all = lines.every((line, number) => line.startsWith(prefixes[number]));
  const text = lines.map((line, number) => (all ? line.slice(prefixes[number].length) : prefixes[number] + line)).join("\n");
  editor.replace(first, last, text, lines.length > 1 ? 0 : text.length, text.length);
}

function insertLink(editor) {
  const { from, to, text } = editor.selection();
  if (/^https?:\/\/\S+$/.test(text)) editor.replace(from, to, `[](${text})`, 1, 1);
  else editor.replace(from, to, `[${text}](https://)`, text.length + 3, text.length + 11);
}

function insertCode(editor) {
  const { from, to, text } = editor.selection();
  if (text.includes("\n")) editor.replace(from, to, `\`\`\`\n${text}\n\`\`\``, 3, 3);
  else toggleMarks(editor, "`");
}

const TOOLS = [
  ["bold", translate("Bold"), (editor) => toggleMarks(editor, "**"), "b"],
  ["italic", translate("Italic"), (editor) => toggleMarks(editor, "_"), "i"],
  ["heading", translate("Heading"), (editor) => toggleLinePrefix(editor, "## ")],
  ["link", translate("Link"), insertLink, "k"],
  ["picture", translate("Image"), (editor) => editor.onPicture()],
  ["list", translate("List"), (editor) => toggleLinePrefix(editor, "- ")],
  ["numbers", translate("Numbered list"), (editor) => toggleLinePrefix(editor, "1. ")],
  ["quote", translate("Quote"), (editor) => toggleLinePrefix(editor, "> ")],
  ["code", translate("Code"), insertCode],
];

function moveFocus(bar, event) { // one tab stop for the whole bar, arrow keys inside
  const buttons = [...bar.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined || at < 0) return;
  event.preventDefault();
  buttons.forEach((button) => { button.tabIndex = -1; });
  const next = buttons.at(to % buttons.length);
  next.tabIndex = 0;
  next.focus();
}

function addToolbar(editor) {
  const bar = element("div", { class: "editor-tools", role: "toolbar", "aria-label": translate("Formatting") });
  for (const [icon, name, run, key] of TOOLS) {
    if (icon === "picture" && !editor.onPicture) continue;
    const shortcut = key ? ` (${MAC ? "⌘" : `${translate("Ctrl")}+`}${key.toUpperCase()})` : "";
    const button = element("button", { type: "button", "aria-label": name, title: name + shortcut }, iconElement(icon));
    button.tabIndex = bar.childElementCount ? -1 : 0;
    button.addEventListener("click", () => run(editor));
    bar.append(button);
  }
  bar.addEventListener("keydown", (event) => moveFocus(bar, event));
  editor.view.dom.addEventListener("keydown", (event) => {
    const tool = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey
      && TOOLS.find(([, , , key]) => key && key === event.key.toLowerCase());
    if (tool) { event.preventDefault(); tool[2](editor); }
  });
  editor.box.before(bar);
  editor.bar = bar;
}
