import { makeEditor } from "./editor.js";
import { make } from "../page/dom.js";

/** The files being edited: one editor and one tab each, mirrored to the textareas that the form posts. */
export class Files extends EventTarget {
  #editors = new Map();

  /** The texts as the server sent them. */
  served = {};

  /** `root` holds one `.gr-file[data-path][data-mode]` with a textarea per file. */
  constructor(root, nonce) {
    super();
    const hint = make("p", { id: "gr-editor-hint", class: "visually-hidden" }, "To leave the editor press Escape, then Tab.");
    const tabs = make("div", { class: "gr-tabs gr-tabs--files", role: "tablist", "aria-label": "Files" });
    root.prepend(tabs, hint);
    [...root.querySelectorAll(".gr-file")].forEach((panel, index) => tabs.append(this.#mount(panel, index, nonce)));
    tabs.addEventListener("gr:tab", (event) => this.#editors.get(event.target.textContent)?.refresh());
  }

  #mount(panel, index, nonce) {
    const { path, mode } = panel.dataset;
    const area = panel.querySelector("textarea");
    const typed = document.activeElement === area; // typing began before this script was there
    // defaultValue is what the server sent; value may be what the browser put back on "reload".
    const text = typed ? area.value : area.defaultValue;
    this.served[path] = area.defaultValue;
    area.value = text;
    const editor = makeEditor({ text, mode, path, nonce, readOnly: area.readOnly, onChange: () => {
      area.value = editor.text();
      this.dispatchEvent(new Event("change"));
    } });
    panel.append(editor.element);
    area.hidden = true;
    for (const label of panel.querySelectorAll("label")) label.hidden = true;
    panel.id ||= `gr-file-${index}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-label", path);
    this.#editors.set(path, editor);
    if (typed) editor.focus();
    return make(
      "button",
      { type: "button", role: "tab", class: "gr-tab", "aria-controls": panel.id, "aria-selected": String(index === 0) },
      path,
    );
  }

  /** The text of every file by path. */
  read() {
    return Object.fromEntries([...this.#editors].map(([path, editor]) => [path, editor.text()]));
  }

  /** Replaces texts, as one step that Undo takes back; paths without an editor are left out. */
  write(files) {
    for (const [path, text] of Object.entries(files)) this.#editors.get(path)?.replace(text);
  }
}

const plain = (text) => text.replaceAll("\r\n", "\n");

/** The paths whose text differs between two sets of files, or that only one has; line ends do not count. */
export function differing(mine, theirs) {
  const paths = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  return [...paths].filter((path) => (path in mine) !== (path in theirs) || plain(mine[path]) !== plain(theirs[path]));
}
