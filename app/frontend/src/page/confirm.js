import { ask, make } from "./dom.js";

/**
 * `data-confirm="Question?"` on a form, or on one of its submit buttons, asks before it is sent.
 * `data-confirm-label` names the button that goes on.
 */
export function confirmForms() {
  const confirmed = new WeakSet();
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const source = event.submitter?.dataset.confirm ? event.submitter : form;
    const question = source.dataset.confirm;
    if (!question || confirmed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const answer = await ask({
      title: source.dataset.confirmTitle ?? "Please confirm",
      body: make("p", {}, question),
      choices: [
        { value: "", label: "Cancel" },
        { value: "yes", label: source.dataset.confirmLabel ?? "Continue", kind: "primary" },
      ],
    });
    if (answer !== "yes") return;
    confirmed.add(form);
    form.requestSubmit(event.submitter);
  }, true);
}
