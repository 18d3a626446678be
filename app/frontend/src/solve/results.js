import { make } from "../page/dom.js";
import { follow } from "./follow.js";

/** The results pane: what is under way in words and a bar, then the fragment that the server renders. */
export class Results {
  #root;
  #onShow;
  #before = null; // what was shown before the job that is under way
  #text;
  #count;
  #bar;

  constructor(root, onShow) {
    this.#root = root;
    this.#onShow = onShow;
  }

  /** The job that the server rendered as not yet judged, or null. */
  underway() {
    const stage = this.#root.matches("[data-stage]") ? this.#root : this.#root.querySelector("[data-stage]");
    if (!stage?.dataset.eventsUrl || !["queued", "judging"].includes(stage.dataset.stage)) return null;
    const { eventsUrl, fragmentUrl, url } = stage.dataset;
    this.begin("");
    return { events_url: eventsUrl, fragment_url: fragmentUrl, url };
  }

  begin(purpose) {
    this.#before ??= [...this.#root.childNodes];
    this.#text = make("p", { class: "gr-progress__text" }, purpose === "submit" ? "Submitting…" : purpose ? "Sending…" : "Waiting…");
    this.#count = make("span", { class: "gr-progress__count", "aria-hidden": "true" });
    this.#bar = make("progress", { "aria-label": "Progress of the checks" });
    this.#root.removeAttribute("data-stage");
    this.#root.replaceChildren(make("div", { class: "gr-progress" }, this.#text, this.#count, this.#bar));
    this.#onShow();
  }

  /** Resolves when the verdict is shown; raises Refused when it cannot be had. */
  async follow(job) {
    const html = await follow(job, (event, data) => this.#heard(event, data));
    if (html === null) return location.reload();
    this.show(html);
  }

  /** Shows the results of a judged job. */
  show(html) {
    this.#before = null;
    this.#root.innerHTML = html; // our own server's fragment, autoescaped there
    this.#root.scrollTop = 0;
    this.#root.dispatchEvent(new CustomEvent("greenroom:content", { bubbles: true }));
  }

  /** Shows a refusal above what was there before. */
  fail(message) {
    const icon = make("span", { class: "gr-banner__mark", "aria-hidden": "true" }, "!");
    this.#root.replaceChildren(make("div", { class: "gr-banner gr-banner--fault", role: "alert" }, icon, make("p", {}, message)));
    this.#keepBefore();
    this.#onShow();
  }

  clear() {
    this.#root.replaceChildren();
    this.#keepBefore();
  }

  #keepBefore() {
    this.#root.append(...(this.#before ?? []).filter((node) => !node.classList?.contains("gr-banner--fault")));
    this.#before = null;
  }

  #heard(event, data) {
    if (event === "submission.queued") this.#say(data.place > 1 ? `In line: place ${data.place}` : "Next in line");
    else if (event === "submission.judging") this.#say("Judging…");
    else if (event === "box.starting") this.#say("Starting a fresh box…");
    else if (event === "box.started") this.#say("Running the checks…");
    else if (event === "check.finished" && data.total > 0) {
      this.#say("Running the checks…");
      this.#bar.max = data.total;
      this.#bar.value = data.done;
      this.#count.textContent = `${data.done} of ${data.total}`;
    } else if (event === "polling") this.#say("Still working…");
  }

  #say(text) {
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }
}
