/** Makes an element: `make("button", { type: "button", class: "btn" }, "Text", child)`. Values are never parsed as HTML. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** True where typing means text, so that single-key shortcuts must stay away. */
export function isTyping(target) {
  return Boolean(target?.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]"));
}

/**
 * Asks in a modal dialog and resolves to the `value` of the button pressed, or "" when it was dismissed.
 * Each choice is { value, label, kind }; the first one has the focus, so put the harmless one first.
 */
export function ask({ title, body, choices }) {
  const buttons = choices.map(({ value, label, kind }, index) =>
    make("button", { value, class: `btn btn-${kind ?? "outline-secondary"}`, autofocus: index === 0 }, label),
  );
  const heading = make("h2", { id: "gr-ask-title", class: "gr-dialog__title" }, title);
  const dialog = make(
    "dialog",
    { class: "gr-dialog", "aria-labelledby": "gr-ask-title" },
    make("form", { method: "dialog" }, heading, ...[body].flat(), make("div", { class: "gr-dialog__actions" }, ...buttons)),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
