import { request } from "./wire.js";

/** Run and Submit, in place. One job at a time; the buttons come back whatever happens. */
export class Sender {
  #form;
  #draft;
  #results;
  #csrf;
  #busy = false;

  constructor({ form, draft, results, csrf }) {
    this.#form = form;
    this.#draft = draft;
    this.#results = results;
    this.#csrf = csrf;
    form.addEventListener("submit", (event) => {
      const purpose = event.submitter?.name === "purpose" ? event.submitter.value : event.submitter ? null : "run";
      if (!purpose) return; // another button of the form, with its own action
      event.preventDefault();
      this.send(purpose);
    });
  }

  /** Posts the files to be judged and shows what comes of it. */
  send(purpose) {
    return this.#whileBusy(async () => {
      this.#results.begin(purpose);
      this.#draft.posting();
      const body = new URLSearchParams(new FormData(this.#form)); // unlike multipart, it keeps line ends as typed
      body.set("purpose", purpose);
      const job = await request(this.#form.action, { method: "POST", csrf: this.#csrf, body });
      this.#draft.posted(job.draft_version);
      // Most verdicts come with the answer itself.
      if (job.fragment) this.#results.show(job.fragment);
      else await this.#results.follow(job);
    });
  }

  /** Follows a job that was under way when the page was loaded. */
  resume() {
    const job = this.#results.underway();
    if (job) this.#whileBusy(() => this.#results.follow(job));
  }

  async #whileBusy(work) {
    if (this.#busy) return;
    this.#setBusy(true);
    try {
      await work();
    } catch (refused) {
      if (refused.status === 409 && refused.body.files) {
        this.#results.clear();
        this.#draft.conflictWith(refused.body);
      } else {
        this.#results.fail(refused.status === undefined ? "Something went wrong in this page. Reload it; your text is kept." : refused.message);
        if (refused.status === undefined) throw refused;
      }
    } finally {
      this.#setBusy(false);
    }
  }

  #setBusy(busy) {
    this.#busy = busy;
    // Not `disabled`: that would take the focus away from the button just pressed.
    for (const button of this.#form.querySelectorAll("button[name=purpose]")) button.setAttribute("aria-disabled", String(busy));
  }
}
