import { make } from "./dom.js";

/** The text a copy button stands for: its own `data-copy-text`, or the content of the element `data-copy` selects. */
function textOf(button) {
  if (button.dataset.copyText !== undefined) return button.dataset.copyText;
  const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : button.parentElement.querySelector("pre");
  return source ? (source.value ?? source.textContent) : "";
}

async function copy(button) {
  const label = button.textContent;
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(textOf(button));
  } catch {
    said = "Press Ctrl C"; // the browser refused: pages served without TLS have no clipboard
  }
  button.textContent = said;
  setTimeout(() => (button.textContent = label), 1600);
}

/** Wires `[data-copy]` and `[data-copy-text]` buttons and gives every code block of a statement one. */
export function copyButtons(root) {
  for (const block of root.querySelectorAll(".gr-statement pre:not(.gr-copyable pre)")) {
    const frame = make("div", { class: "gr-copyable" });
    block.tabIndex = 0; // wide code scrolls, by keyboard too
    block.replaceWith(frame);
    frame.append(block, make("button", { type: "button", class: "gr-copy", "data-copy": "" }, "Copy"));
  }
  for (const button of root.querySelectorAll("[data-copy], [data-copy-text]")) {
    if (button.dataset.wired) continue;
    button.dataset.wired = "yes";
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
