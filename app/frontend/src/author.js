// The page that edits a working copy. It works without this file, one file at a time: forms post, pages reload. With it
// every file has an editor, everything saves itself, problems stand at their lines and the statement shows itself.
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";

import { completer } from "./author/manifest.js";
import { diagnostics } from "./author/diagnostics.js";
import { CopyFiles } from "./author/files.js";
import { fileForms, savingForms } from "./author/forms.js";
import { Preview } from "./author/preview.js";
import { Problems } from "./author/problems.js";
import { Tree } from "./author/tree.js";
import { make } from "./page/dom.js";
import { chooseDraft, offerLocal } from "./solve/choices.js";
import { Divider } from "./solve/divider.js";
import { Draft } from "./solve/draft.js";
import { differing } from "./solve/files.js";
import { onShortcuts } from "./solve/keys.js";
import { request } from "./solve/wire.js";

/** What differs from the files that the server has. */
function changes(files, saved) {
  const paths = differing(files, saved);
  return {
    changed: Object.fromEntries(paths.filter((path) => path in files).map((path) => [path, files[path]])),
    removed: paths.filter((path) => !(path in files)),
  };
}

/** Gives the textarea's place to editors, and keeps what was typed before this script was there. */
function mountFiles(page, data, extensions) {
  const root = document.getElementById("editors");
  const area = document.getElementById("file-text");
  const { path, nonce } = page.dataset;
  const hint = make("p", { id: "gr-editor-hint", class: "visually-hidden" }, "To leave the editor press Escape, then Tab.");
  root.append(hint);
  const files = new CopyFiles({ ...data, root, nonce, extensions });
  const typed = document.activeElement === area && area.value !== area.defaultValue ? area.value : null;
  for (const each of root.querySelectorAll("label, textarea")) each.hidden = true;
  area.disabled = true;
  if (typed !== null) files.put({ [path]: typed });
  return files;
}

/** Whatever names the open file follows it: hidden fields, headings, the address. */
function followOpen(page, files) {
  files.addEventListener("open", () => {
    const { path } = files;
    for (const input of page.querySelectorAll("[data-open-path]")) input.value = path;
    document.getElementById("open-path").textContent = path || "No file";
    document.getElementById("remove-form").dataset.confirm = `${path} is deleted from this working copy.`;
    history.replaceState(null, "", `${page.dataset.url}?file=${encodeURIComponent(path)}`);
  });
}

function start(page) {
  const { url, csrf, schemaUrl, account } = page.dataset;
  const data = JSON.parse(document.getElementById("author-data").textContent);
  const form = document.getElementById("author-form");
  let schema;
  const loadSchema = () => (schema ??= request(schemaUrl, { method: "GET", csrf }));
  const extensions = (path) => [
    diagnostics,
    path.endsWith(".md") ? EditorView.lineWrapping : [],
    path === "exercise.yaml" ? EditorState.languageData.of(() => names) : [],
  ];
  const files = mountFiles(page, data, extensions);
  const names = [{ autocomplete: completer(loadSchema, files) }]; // made once: a source is known by its identity
  followOpen(page, files);
  const tree = new Tree(document.getElementById("tree"), files, url);
  const problems = new Problems({
    panel: document.getElementById("panel-problems"),
    count: document.getElementById("problem-count"),
    files,
    tree,
  });
  problems.show(data);
  files.open(page.dataset.path);
  new Preview({
    url: `${url}/preview`,
    csrf,
    root: document.getElementById("preview"),
    label: document.getElementById("preview-of"),
    files,
  });
  const draft = new Draft({
    url: `${url}/files`,
    language: "",
    version: data.version,
    csrf,
    account,
    files,
    status: document.getElementById("saved"),
    form,
    chooseDraft,
    body: (version, now, saved) => ({ version, ...changes(now, saved) }),
    onSaved(answer) {
      problems.show(answer);
      page.dispatchEvent(new CustomEvent("greenroom:saved", { bubbles: true, detail: answer }));
    },
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    draft.save({ asked: true });
  });
  fileForms(files);
  savingForms(page, draft);
  onShortcuts({ save: () => draft.save({ asked: true }) });
  const between = page.querySelector(".gr-divider");
  new Divider(between, page, { name: "author", axis: "x", initial: 62, min: 35, max: 80 });
  draft.restore(offerLocal);
}

const page = document.getElementById("author");
if (page) start(page);
