// What the panel's editor takes from CodeMirror 6; everything else is left out of the bundle.
export { EditorState } from "@codemirror/state";
export { EditorView, keymap, highlightSpecialChars } from "@codemirror/view";
export { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
export { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
export { deleteMarkupBackward, insertNewlineContinueMarkup, markdownLanguage } from "@codemirror/lang-markdown";
export { tags } from "@lezer/highlight";
