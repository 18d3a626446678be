import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import {
  EditorView, crosshairCursor, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter,
  highlightSpecialChars, keymap, lineNumbers, rectangularSelection,
} from "@codemirror/view";

import { MODES, PLAIN } from "./modes.js";
import { highlighting, theme } from "./look.js";

const phone = matchMedia("(max-width: 767.98px)");

/**
 * Typing over a selection. Left to the browser it gives the new text the old one's colours as a style attribute,
 * which the Content Security Policy blocks and reports.
 */
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { main, ranges } = view.state.selection;
    if (event.inputType !== "insertText" || !event.data || event.isComposing || view.composing) return false;
    if (main.empty || ranges.length > 1 || view.state.readOnly) return false;
    const insert = () => view.state.update(view.state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    const handlers = view.state.facet(EditorView.inputHandler); // brackets go around what is selected
    if (!handlers.some((handle) => handle(view, main.from, main.to, event.data, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

function setup(path, mode, nonce, readOnly) {
  return [
    EditorView.cspNonce.of(nonce ?? ""),
    EditorState.readOnly.of(readOnly),
    EditorState.tabSize.of(4),
    indentUnit.of(" ".repeat(mode.indent)),
    lineNumbers(),
    highlightActiveLineGutter(),
    highlightSpecialChars(),
    history(),
    drawSelection(),
    dropCursor(),
    EditorState.allowMultipleSelections.of(true),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    typeOver,
    autocompletion({ aboveCursor: false }),
    rectangularSelection(),
    crosshairCursor(),
    highlightActiveLine(),
    highlightSelectionMatches(),
    syntaxHighlighting(highlighting),
    theme,
    keymap.of([
      { key: "Tab", run: acceptCompletion },
      ...closeBracketsKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...completionKeymap,
      ...defaultKeymap,
      indentWithTab, // Escape then Tab still leaves: the view sees to that
    ]),
    EditorView.editorAttributes.of({ class: "gr-editor" }),
    EditorView.contentAttributes.of({
      "aria-label": `Code of ${path}`,
      "aria-describedby": "gr-editor-hint",
      autocapitalize: "off",
      autocorrect: "off",
      spellcheck: "false",
      tabindex: "0",
    }),
  ];
}

/** A CodeMirror editor of one file, as { element, view, text(), replace(text), focus(), refresh() }. */
export function makeEditor({ text, mode: name, path, nonce, readOnly = false, extensions = [], onChange }) {
  const mode = MODES[name] ?? PLAIN;
  const language = new Compartment();
  const wrapping = new Compartment();
  const wrap = () => (phone.matches ? EditorView.lineWrapping : []);
  const view = new EditorView({
    doc: text,
    extensions: [
      extensions,
      setup(path, mode, nonce, readOnly),
      language.of([]),
      wrapping.of(wrap()),
      EditorView.updateListener.of((update) => update.docChanged && onChange()),
    ],
  });
  phone.addEventListener("change", () => view.dispatch({ effects: wrapping.reconfigure(wrap()) }));
  // The text is there at once; its colours follow when the language has come.
  mode.load?.().then((support) => view.dispatch({ effects: language.reconfigure(support) }), () => {});
  return {
    element: view.dom,
    view,
    text: () => view.state.sliceDoc(),
    replace(next) {
      if (next === view.state.sliceDoc()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    focus: () => view.focus(),
    refresh: () => view.requestMeasure(),
  };
}
