/**
 * Ctrl/Cmd-Enter runs, with Shift submits; Ctrl/Cmd-S saves and never submits; each where it is given. Listens before the editor does, so that
 * the keys mean the same wherever the focus is.
 */
export function onShortcuts({ run, submit, save }) {
  document.addEventListener(
    "keydown",
    (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing) return;
      if (document.querySelector("dialog[open]")) return;
      let act;
      if (event.key === "Enter") act = event.shiftKey ? submit : run;
      else if (event.key.toLowerCase() === "s" && !event.shiftKey) act = save;
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) act();
    },
    true,
  );
}
