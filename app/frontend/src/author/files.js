import { make } from "../page/dom.js";
import { makeEditor } from "../solve/editor.js";
import { go, mark } from "./diagnostics.js";
import { refusal } from "./paths.js";

/**
 * The files of a working copy. An editor is made when a file is opened and kept until the file is gone, so that Undo
 * reaches back. Tells of `change` (a text or the set of files), `paths` (the set), and `open`.
 */
export class CopyFiles extends EventTarget {
  #texts; // path → text, always as it stands
  #editors = new Map();
  #problems = [];
  #o;

  /** The texts as the server sent them. */
  served;

  /** The file that is open. */
  path = "";

  /** `root` takes the editors; `modes` says which mode an ending has; `extensions(path)` adds to an editor. */
  constructor(options) {
    super();
    this.#o = options;
    this.served = { ...options.files };
    this.#texts = new Map(Object.entries(options.files));
  }

  get paths() {
    return [...this.#texts.keys()].sort();
  }

  text(path) {
    return this.#texts.get(path) ?? "";
  }

  has(path) {
    return this.#texts.has(path);
  }

  /** The text of every file by path. */
  read() {
    return Object.fromEntries(this.paths.map((path) => [path, this.#texts.get(path)]));
  }

  /** Makes `files` all there are, each text as one step that Undo takes back. */
  write(files) {
    for (const path of this.paths) if (!(path in files)) this.#drop(path);
    for (const [path, text] of Object.entries(files)) {
      this.#texts.set(path, text);
      this.#editors.get(path)?.replace(text);
    }
    this.#setChanged();
  }

  /** Shows a file, at `line` if there is one; the first one if it is not there. */
  open(path, { line = 0, focus = false } = {}) {
    path = this.has(path) ? path : this.has("exercise.yaml") ? "exercise.yaml" : this.paths[0] ?? "";
    this.path = path;
    if (path) {
      const editor = this.#editors.get(path) ?? this.#make(path);
      for (const each of this.#editors.values()) each.box.hidden = each !== editor;
      editor.refresh();
      if (line) go(editor.view, line);
      if (focus || line) editor.focus();
    }
    this.dispatchEvent(new Event("open"));
  }

  /** Adds a file and returns ""; or returns why it cannot be. */
  add(path, text = "") {
    const why = refusal(path, this.paths);
    if (why) return why;
    this.#texts.set(path, text);
    this.#setChanged(path);
    return "";
  }

  /** Adds files, in place of those with the same paths. Returns "" or why they cannot be. */
  put(files) {
    for (const path of Object.keys(files)) {
      const why = this.has(path) ? "" : refusal(path, this.paths);
      if (why) return why;
    }
    for (const [path, text] of Object.entries(files)) {
      this.#texts.set(path, text);
      this.#editors.get(path)?.replace(text);
    }
    this.#setChanged(Object.keys(files)[0]);
    return "";
  }

  rename(path, to) {
    if (path === to) return "";
    const why = refusal(to, this.paths.filter((each) => each !== path));
    if (why) return why;
    this.#texts.set(to, this.#texts.get(path));
    this.#drop(path);
    this.#setChanged(to);
    return "";
  }

  remove(path) {
    this.#drop(path);
    this.#setChanged();
  }

  /** Marks what is wrong, in the editors there are and in those that are made later. */
  diagnose(problems) {
    this.#problems = problems;
    for (const [path, editor] of this.#editors) this.#mark(path, editor);
  }

  #setChanged(open = this.path) {
    this.dispatchEvent(new Event("paths"));
    if (open !== this.path || !this.#editors.has(open)) this.open(open);
    this.dispatchEvent(new Event("change"));
  }

  #drop(path) {
    this.#editors.get(path)?.box.remove();
    this.#editors.delete(path);
    this.#texts.delete(path);
  }

  #make(path) {
    const ending = /\.[^./]+$/.exec(path)?.[0] ?? "";
    const editor = makeEditor({
      text: this.text(path),
      mode: this.#o.modes[ending],
      path,
      nonce: this.#o.nonce,
      extensions: this.#o.extensions(path),
      onChange: () => {
        this.#texts.set(path, editor.text());
        this.dispatchEvent(new Event("change"));
      },
    });
    editor.box = make("div", { class: "gr-author__pane" }, editor.element); // an editor itself cannot be hidden
    this.#o.root.append(editor.box);
    this.#editors.set(path, editor);
    this.#mark(path, editor);
    return editor;
  }

  #mark(path, editor) {
    mark(editor.view, this.#problems.filter((problem) => problem.file === path));
  }
}
