// What the panel's editor takes from CodeMirror 6; everything else is left out of the bundle.
export { EditorState, RangeSetBuilder } from "@codemirror/state";
export { Decoration, EditorView, ViewPlugin, keymap, highlightSpecialChars } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
export { deleteMarkupBackward, insertNewlineContinueMarkupCommand, markdownLanguage } from "@codemirror/lang-markdown";
export { tags } from "@lezer/highlight";
