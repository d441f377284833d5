// The editor of Markdown fields: CodeMirror in front of the textarea, which remains the form's field.
"use strict";

const NONCE = document.currentScript.nonce;
const WORDS_A_MINUTE = 230; // the same as on the site
const WITHOUT_SPACES = /[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;

function countsOf(text) {
  const words = (text.match(/\S+/g) || []).length;
  const weight = words + Math.floor((text.match(WITHOUT_SPACES) || []).length / 2);
  return { words, characters: [...text].length, minutes: Math.max(1, Math.round(weight / WORDS_A_MINUTE)) };
}

function formatCounts({ words, characters, minutes }) {
  const [count, length] = [words, characters].map((number) => number.toLocaleString(language));
  return [words === 1 ? translate("1 word") : translate("%(count)s words", { count }),
    characters === 1 ? translate("1 character") : translate("%(length)s characters", { length }),
    translate("%(minutes)s min read", { minutes })].join(" · ");
}

const THEME = CodeMirror.EditorView.theme({
  "&": { fontSize: "0.95rem", color: "var(--text)", backgroundColor: "var(--surface)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.65" },
  ".cm-content": { padding: "0.75rem 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 0.85rem" },
});

const t = CodeMirror.tags;
const HIGHLIGHTING = CodeMirror.syntaxHighlighting(CodeMirror.HighlightStyle.define([
  { tag: t.heading, fontWeight: "700", color: "var(--accent-strong)" },
  { tag: t.strong, fontWeight: "700" },
  { tag: t.emphasis, fontStyle: "italic" },
  { tag: t.strikethrough, textDecoration: "line-through" },
  { tag: [t.link, t.url], color: "var(--accent)" },
  { tag: [t.monospace, t.quote], color: "var(--text-soft)" },
  { tag: [t.processingInstruction, t.contentSeparator, t.labelName], color: "var(--text-soft)" },
]));

// Each line has its own text direction.
const LINE = CodeMirror.Decoration.line({ attributes: { dir: "auto" } });

function lineDirections(view) {
  const builder = new CodeMirror.RangeSetBuilder();
  let last = -1;
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to;) {
      const line = view.state.doc.lineAt(at);
      if (line.from > last) builder.add(line.from, line.from, LINE);
      last = line.from;
      at = line.to + 1;
    }
  }
  return builder.finish();
}

const DIRECTION = [
  CodeMirror.EditorView.perLineTextDirection.of(true),
  CodeMirror.ViewPlugin.fromClass(class {
    constructor(view) { this.decorations = lineDirections(view); }

    update({ docChanged, viewportChanged, view }) {
      if (docChanged || viewportChanged) this.decorations = lineDirections(view);
    }
  }, { decorations: (plugin) => plugin.decorations }),
];

// Enter on an empty item ends the list, whether or not there are blank lines between its items.
const continueMarkup = CodeMirror.insertNewlineContinueMarkupCommand({ nonTightLists: false });

// The single change that turns one text into another: everything between their common beginning and end.
function changeBetween(before, after) {
  const shorter = Math.min(before.length, after.length);
  let from = 0;
  while (from < shorter && before[from] === after[from]) from += 1;
  let end = 0;
  while (end < shorter - from && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

class MarkdownEditor {
  constructor(area) {
    this.area = area;
    this.places = new Set();
    this.view = new CodeMirror.EditorView({ doc: area.value, extensions: this.extensions() });
    this.box = element("div", { class: "markdown-editor" }, this.view.dom);
    this.count = element("p", { class: "count" });
    area.before(this.box);
    this.box.after(this.count);
    area.classList.add("behind-editor");
    area.tabIndex = -1;
    area.setAttribute("aria-hidden", "true");
    document.querySelector(`label[for="${area.id}"]`)?.addEventListener("click", () => this.view.focus());
    area.addEventListener("focus", () => this.view.focus());
    for (const name of ["restored", "change"]) area.addEventListener(name, () => this.updateText());
    this.recount();
  }

  extensions() {
    const { EditorView, keymap } = CodeMirror;
    return [
      EditorView.cspNonce.of(NONCE),
      CodeMirror.history(),
      CodeMirror.highlightSpecialChars(),
      CodeMirror.markdownLanguage,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of(this.attributes()),
      THEME, HIGHLIGHTING, DIRECTION,
      CodeMirror.EditorState.allowMultipleSelections.of(false),
      keymap.of([
        { key: "Enter", run: continueMarkup },
        { key: "Backspace", run: CodeMirror.deleteMarkupBackward },
        ...CodeMirror.defaultKeymap.filter(({ key }) => !["Mod-Enter", "Mod-i"].includes(key)),
        ...CodeMirror.historyKeymap,
      ]),
      EditorView.domEventHandlers({
        paste: (event) => this.insertFiles(event, event.clipboardData),
        drop: (event, view) => this.drop(event, view),
        beforeinput: (event, view) => this.typeOver(event, view),
      }),
      EditorView.updateListener.of((update) => { if (update.docChanged) this.documentChanged(update.changes); }),
    ];
  }

  attributes() {
    const label = document.querySelector(`label[for="${this.area.id}"]`);
    label.id ||= `${this.area.id}-label`;
    const attributes = { "aria-labelledby": label.id, tabindex: "0", spellcheck: "true", autocapitalize: "sentences", autocorrect: "on" };
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (this.area.hasAttribute(name)) attributes[name] = this.area.getAttribute(name);
    }
    return attributes;
  }

  documentChanged(changes) {
    for (const place of this.places) place.at = changes.mapPos(place.at, 1);
    this.updateForm();
  }

  // Tracks a position in the text while the text around it changes, until it is released.
  track(at) {
    const place = { at, release: () => this.places.delete(place) };
    this.places.add(place);
    return place;
  }

  get text() { return this.view.state.doc.toString(); }

  updateForm() { // from the editor to the textarea
    this.area.value = this.text;
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
    this.recount();
  }

  updateText() { // from the textarea, which other scripts fill in, to the editor
    if (this.area.value === this.text) return;
    const { doc, selection: { main: { head } } } = this.view.state;
    const line = doc.lineAt(head);
    const change = changeBetween(this.text, this.area.value);
    this.view.dispatch({ changes: change });
    if (head > change.from && head < change.to) this.returnTo(line, head - line.from);
  }

  // The cursor stays in its line, if that still exists.
  returnTo({ number, text }, column) {
    const lines = this.view.state.doc.toString().split("\n");
    const places = [...lines.keys()].filter((at) => lines[at] === text);
    const nearest = places.sort((one, other) => Math.abs(one + 1 - number) - Math.abs(other + 1 - number))[0];
    if (nearest === undefined) return;
    this.view.dispatch({ selection: { anchor: this.view.state.doc.line(nearest + 1).from + column } });
  }

  recount() {
    this.count.textContent = formatCounts(countsOf(this.text));
  }

  selection() {
    const { from, to } = this.view.state.selection.main;
    return { from, to, text: this.view.state.sliceDoc(from, to) };
  }

  replace(from, to, insert, start, end) { // selects the part of `insert` from `start` to `end`
    this.view.dispatch({
      changes: { from, to, insert }, selection: { anchor: from + start, head: from + end },
      scrollIntoView: true, userEvent: "input",
    });
    this.view.focus();
  }

  insertAt(place, text) {
    const at = Math.min(place, this.view.state.doc.length);
    this.replace(at, at, text, text.length, text.length);
  }

  // Browsers copy the style of a selection to text typed over it, as an inline style, which the page's policy forbids.
  typeOver(event, view) {
    if (event.inputType !== "insertText" || !event.data || event.isComposing || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    return true;
  }

  insertFiles(event, transfer) {
    const files = [...(transfer?.files || [])];
    if (!files.length || !this.onFiles || transfer.types.includes("text/plain")) return false;
    event.preventDefault();
    this.onFiles(files, this.selection().to);
    return true;
  }

  drop(event, view) {
    const place = view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? view.state.doc.length;
    view.dispatch({ selection: { anchor: place } });
    return this.insertFiles(event, event.dataTransfer);
  }
}

const editors = [...document.querySelectorAll("textarea.markdown")].map((area) => new MarkdownEditor(area));
