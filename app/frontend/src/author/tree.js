import { make } from "../page/dom.js";

/** Paths as nested lists: files first, then folders, each in the order of names. */
function nested(paths) {
  const root = { files: [], folders: new Map() };
  for (const path of paths) {
    const parts = path.split("/");
    let here = root;
    parts.slice(0, -1).forEach((name, depth) => {
      if (!here.folders.has(name)) {
        here.folders.set(name, { path: parts.slice(0, depth + 1).join("/"), files: [], folders: new Map() });
      }
      here = here.folders.get(name);
    });
    here.files.push({ name: parts.at(-1), path });
  }
  return root;
}

/** The tree of files, drawn as the server drew it; a click opens a file here instead of on a new page. */
export class Tree {
  #root;
  #files;
  #url;
  #troubled = new Set();

  constructor(root, files, url) {
    this.#root = root;
    this.#files = files;
    this.#url = url;
    files.addEventListener("paths", () => this.draw());
    files.addEventListener("open", () => this.#setCurrent());
    root.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-path]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      files.open(link.dataset.path, { focus: true });
    });
  }

  /** Marks the files in which something is wrong. */
  mark(paths) {
    this.#troubled = new Set(paths);
    this.draw();
  }

  draw() {
    const focused = this.#root.contains(document.activeElement) && document.activeElement.dataset.path;
    const closed = new Set([...this.#root.querySelectorAll("details:not([open])")].map((each) => each.dataset.folder));
    this.#root.replaceChildren(this.#list(nested(this.#files.paths), closed));
    this.#setCurrent();
    if (focused) this.#link(focused)?.focus();
  }

  #list({ files, folders }, closed) {
    const items = files.map(({ name, path }) => make("li", {}, this.#file(name, path)));
    for (const [name, folder] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const summary = make("summary", {}, name);
      const open = !closed.has(folder.path);
      items.push(make("li", {}, make("details", { open, "data-folder": folder.path }, summary, this.#list(folder, closed))));
    }
    return make("ul", {}, ...items);
  }

  #file(name, path) {
    const bad = this.#troubled.has(path);
    const href = `${this.#url}?file=${encodeURIComponent(path)}`;
    const said = bad ? make("span", { class: "visually-hidden" }, " (has a problem)") : null;
    return make("a", { href, "data-path": path, class: bad && "has-problem" }, name, said);
  }

  #link(path) {
    return [...this.#root.querySelectorAll("a[data-path]")].find((each) => each.dataset.path === path);
  }

  #setCurrent() {
    for (const link of this.#root.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    this.#link(this.#files.path)?.setAttribute("aria-current", "true");
  }
}
