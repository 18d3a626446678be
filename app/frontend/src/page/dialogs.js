import { isTyping, make } from "./dom.js";

const SINGLE_KEY = "greenroom:question-mark-key";

/** The `?` key can be turned off, as a single-key shortcut must be (WCAG 2.1.4). */
function keySwitch(dialog) {
  const box = make("input", { type: "checkbox", class: "form-check-input", id: "gr-single-key" });
  box.checked = localStorage.getItem(SINGLE_KEY) !== "off";
  box.addEventListener("change", () => localStorage.setItem(SINGLE_KEY, box.checked ? "on" : "off"));
  const label = make("label", { class: "form-check-label", for: "gr-single-key" }, "Open this sheet with the ? key");
  const row = make("div", { class: "form-check mt-3" }, box, label);
  const buttons = dialog.querySelector("form[method=dialog]");
  if (buttons) buttons.before(row);
  else dialog.append(row);
}

/** `data-open="#id"` opens that `<dialog>`; `?` opens `#shortcuts` wherever no text is typed. */
export function openDialogs() {
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-open]");
    if (opener) document.querySelector(opener.dataset.open)?.showModal();
    if (event.target.matches?.("dialog.gr-dialog[data-light]")) event.target.close();
  });
  const sheet = document.querySelector("dialog#shortcuts");
  if (!sheet) return;
  keySwitch(sheet);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (localStorage.getItem(SINGLE_KEY) === "off" || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    sheet.showModal();
  });
}
