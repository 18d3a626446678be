import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorView, keymap } from "@codemirror/view";

/** What an editor needs to show problems: a mark in the margin, F8 to the next one. */
export const diagnostics = [lintGutter(), keymap.of(lintKeymap)];

const lineOf = (view, number) => view.state.doc.line(Math.min(Math.max(number, 1), view.state.doc.lines));

/** Marks problems, { line, message } each; line 0 is the file as a whole and stands at its first line. */
export function mark(view, problems) {
  const found = problems.map(({ line, message }) => {
    const { from, to } = lineOf(view, line);
    return { from, to, severity: "error", message };
  });
  view.dispatch(setDiagnostics(view.state, found));
}

/** Puts the cursor at the beginning of a line, in the middle of what is shown. */
export function go(view, number) {
  const { from } = lineOf(view, number);
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
}
