// A small toolbar and a word count over Markdown fields.
"use strict";

const MARKS = [
  ["Bold", "Bold", "**", "**"], ["Italic", "Italic", "_", "_"], ["H2 heading", "H2", "\n## ", ""],
  ["Link", "Link", "[", "](https://)"], ["Quote", "Quote", "\n> ", ""], ["List", "List", "\n- ", ""],
  ["Code", "Code", "`", "`"],
];

function wrap(area, before, after) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const opening = before.startsWith("\n") && (start === 0 || value[start - 1] === "\n") ? before.slice(1) : before;
  area.setRangeText(opening + value.slice(start, end) + after, start, end, "end");
  if (start === end) area.selectionStart = area.selectionEnd = start + opening.length;
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function addTools(area) {
  const count = element("span", { class: "count" });
  const tools = element("div", { class: "editor-tools", role: "toolbar", "aria-label": "Formatting" });
  for (const [name, label, before, after] of MARKS) {
    const button = element("button", { type: "button", class: "button quiet small", "aria-label": name }, label);
    button.addEventListener("click", () => wrap(area, before, after));
    tools.append(button);
  }
  const recount = () => { count.textContent = `${(area.value.match(/\S+/g) || []).length} words`; };
  tools.append(count);
  area.before(tools);
  area.addEventListener("input", recount);
  recount();
}

document.querySelectorAll("textarea.markdown").forEach(addTools);
