import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";

// Colours are the style sheet's variables, shared with code in statements: the editor follows the page's theme live.
const ink = (name) => `var(--gr-code-${name})`;

export const highlighting = HighlightStyle.define([
  { tag: [t.keyword, t.moduleKeyword, t.controlKeyword, t.operatorKeyword, t.definitionKeyword], color: ink("keyword") },
  { tag: [t.string, t.special(t.string), t.regexp, t.character], color: ink("string") },
  { tag: [t.number, t.bool, t.null, t.atom, t.escape], color: ink("number") },
  { tag: [t.comment, t.lineComment, t.blockComment, t.docComment], color: ink("comment"), fontStyle: "italic" },
  { tag: [t.function(t.variableName), t.function(t.propertyName), t.function(t.definition(t.variableName))], color: ink("function") },
  { tag: [t.className, t.definition(t.className), t.typeName, t.namespace], color: ink("type") },
  { tag: [t.standard(t.name), t.self, t.meta, t.annotation, t.modifier], color: ink("builtin") },
  { tag: [t.operator, t.punctuation, t.bracket, t.separator], color: ink("operator") },
  { tag: t.definition(t.propertyName), color: ink("function") },
  { tag: t.strong, fontWeight: "700" },
  { tag: t.emphasis, fontStyle: "italic" },
  { tag: t.monospace, color: ink("string") },
  { tag: t.heading, color: ink("keyword"), fontWeight: "600" },
  { tag: t.link, color: ink("function"), textDecoration: "underline" },
  { tag: t.invalid, color: ink("invalid"), textDecoration: "underline wavy" },
]);

export const theme = EditorView.theme({
  "&": { height: "100%", color: "var(--gr-code-ink)", backgroundColor: "var(--gr-code-bg)" },
  "&.cm-focused": { outline: "2px solid var(--gr-focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--bs-font-monospace)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--gr-caret)", padding: ".6rem 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--gr-caret)", borderLeftWidth: "2px" },
  ".cm-gutters": { color: "var(--gr-code-gutter)", backgroundColor: "var(--gr-code-bg)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 .75rem 0 .9rem", minWidth: "2.6rem" },
  ".cm-activeLine": { backgroundColor: "var(--gr-code-line)" },
  ".cm-activeLineGutter": { color: "var(--gr-code-ink)", backgroundColor: "var(--gr-code-line)" },
  "& > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
    { backgroundColor: "var(--gr-code-selection)" },
  ".cm-selectionMatch": { backgroundColor: "var(--gr-code-match)" },
  ".cm-searchMatch": { backgroundColor: "var(--gr-code-match)", outline: "1px solid var(--gr-code-gutter)" },
  ".cm-searchMatch.cm-searchMatch-selected": { backgroundColor: "var(--gr-code-selection)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--gr-code-match)", outline: "1px solid var(--gr-code-gutter)" },
  "&.cm-focused .cm-nonmatchingBracket": { color: ink("invalid"), backgroundColor: "transparent" },
  ".cm-panels": { color: "var(--bs-body-color)", backgroundColor: "var(--gr-raised)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--bs-border-color)" },
  ".cm-panel.cm-search": { padding: ".5rem .75rem", fontSize: ".8125rem" },
  ".cm-panel.cm-search label": { fontSize: ".8125rem" },
  ".cm-panel.cm-search [name=close]": { color: "inherit", fontSize: "1.25rem", padding: "0 .5rem" },
  ".cm-textfield": {
    color: "inherit", backgroundColor: "var(--gr-surface)", border: "1px solid var(--gr-control)",
    borderRadius: "4px", fontSize: ".8125rem", padding: ".2rem .4rem",
  },
  ".cm-button": {
    color: "inherit", backgroundColor: "var(--gr-surface)", backgroundImage: "none",
    border: "1px solid var(--gr-control)", borderRadius: "4px", fontSize: ".8125rem", padding: ".2rem .6rem",
  },
  ".cm-tooltip": {
    color: "var(--bs-body-color)", backgroundColor: "var(--gr-surface)", border: "1px solid var(--bs-border-color)",
    borderRadius: "6px", boxShadow: "var(--gr-shadow)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--bs-font-monospace)", fontSize: ".8125rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".15rem .5rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { color: "var(--gr-on-accent)", backgroundColor: "var(--gr-accent)" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: ".85" },
});
