import { ask, make } from "../page/dom.js";
import { clock } from "./draft.js";
import { differing } from "./files.js";

function preview(title, files, paths) {
  const blocks = paths.map((path) =>
    make("figure", { class: "gr-preview" }, make("figcaption", {}, path), make("pre", { tabindex: "0" }, files[path] ?? "(not there)")),
  );
  return make("details", {}, make("summary", {}, title), ...blocks);
}

const names = (paths) => paths.join(", ");

/** Resolves to "mine", "theirs", or "" when the learner wants to decide later. */
export function chooseDraft({ mine, theirs }) {
  const paths = differing(mine, theirs.files);
  return ask({
    title: "Changed in another tab",
    body: [
      make("p", {}, `Another tab saved ${names(paths)} at ${clock(theirs.saved_at)}, and the text here is different. Nothing has been overwritten.`),
      preview("Show the other text", theirs.files, paths),
      make("p", { class: "gr-note" }, "Taking the other text can be undone in the editor with Ctrl Z."),
    ],
    choices: [
      { value: "", label: "Decide later" },
      { value: "theirs", label: "Take the other" },
      { value: "mine", label: "Keep mine", kind: "primary" },
    ],
  });
}

/** Resolves to "restore", "discard", or "" when the learner wants to decide later. */
export function offerLocal({ paths, kept, newerOnServer }) {
  const also = newerOnServer ? " The server has also saved a later text since then; it is what you see in the editor." : "";
  return ask({
    title: "Unsaved text found",
    body: [
      make("p", {}, `This browser kept text of ${names(paths)} from ${clock(kept.at)} that did not reach the server.${also}`),
      preview("Show the kept text", kept.files, paths),
    ],
    choices: [
      { value: "", label: "Decide later" },
      { value: "discard", label: "Discard it" },
      { value: "restore", label: "Restore it", kind: "primary" },
    ],
  });
}
