import { make } from "../page/dom.js";

const LARGEST = 256 * 1024; // as in app/catalog/format.py

/** Says beside `input` what is wrong, or takes it back for "". */
function say(input, message) {
  const form = input.form;
  const id = `${input.id}-said`;
  form.querySelector(`#${id}`)?.remove();
  for (const told of form.querySelectorAll(".invalid-feedback")) told.remove();
  input.removeAttribute("aria-invalid");
  input.removeAttribute("aria-describedby");
  if (!message) return;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", id);
  const place = input.closest(".input-group") ?? input;
  place.after(make("div", { class: "invalid-feedback d-block", id, role: "alert" }, message));
  input.focus();
}

async function texts(list, folder) {
  const found = {};
  for (const file of list) {
    if (file.size > LARGEST) throw new Error(`${file.name} is too large: at most ${LARGEST / 1024} KB.`);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
      found[folder ? `${folder}/${file.name}` : file.name] = text.replaceAll("\r\n", "\n");
    } catch {
      throw new Error(`${file.name} is not UTF-8 text: an exercise holds text files only.`);
    }
  }
  return found;
}

/** The forms that add, rename and delete files do it here; without a script the server does the same. */
export function fileForms(files) {
  const on = (id, act) =>
    document.getElementById(id).addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.target);
    });
  on("create-form", ({ elements: { path } }) => {
    const why = files.add(path.value.trim());
    say(path, why);
    if (why) return;
    path.value = "";
    files.open(files.path, { focus: true });
  });
  on("upload-form", async ({ elements }) => {
    const input = elements.files;
    try {
      if (!input.files.length) throw new Error("Choose one file or more.");
      const folder = elements.folder.value.trim().replace(/^\/+|\/+$/g, "");
      const why = files.put(await texts(input.files, folder));
      if (why) throw new Error(why);
      say(input, "");
      input.value = "";
    } catch (error) {
      say(input, error.message);
    }
  });
  on("rename-form", (form) => {
    const why = files.rename(files.path, form.elements.to.value.trim());
    say(form.elements.to, why);
    if (!why) form.closest("details").open = false;
  });
  on("remove-form", () => files.path && files.remove(files.path));
}

/** What was typed is saved before a `data-saves` form goes; if it cannot be, the form stays. */
export function savingForms(page, draft) {
  page.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-saves]")) return;
    event.preventDefault();
    const { submitter } = event;
    if (!(await draft.save({ asked: true }))) return;
    if (submitter?.name) form.append(make("input", { type: "hidden", name: submitter.name, value: submitter.value }));
    HTMLFormElement.prototype.submit.call(form); // not requestSubmit: what asked for confirmation would ask again
  });
}
