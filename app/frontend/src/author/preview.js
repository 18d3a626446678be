import { request } from "../solve/wire.js";

const AFTER_LAST_CHANGE = 400;
const STATEMENT = "README.md";

/** Shows the open Markdown file, or the statement, as the site renders it for learners. */
export class Preview {
  #o;
  #shown; // what the preview was made of
  #timer = 0;

  constructor(options) {
    this.#o = options;
    this.#shown = this.#wanted();
    options.files.addEventListener("change", () => this.#later());
    options.files.addEventListener("open", () => this.#later(0));
  }

  #wanted() {
    const { files } = this.#o;
    const path = files.path.endsWith(".md") ? files.path : STATEMENT;
    return { path, text: files.text(path) };
  }

  #later(wait = AFTER_LAST_CHANGE) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), wait);
  }

  async #show() {
    const wanted = this.#wanted();
    if (wanted.path === this.#shown.path && wanted.text === this.#shown.text) return;
    const { url, csrf, root, label } = this.#o;
    try {
      const body = JSON.stringify({ text: wanted.text });
      const { html } = await request(url, { method: "POST", csrf, body });
      if (this.#wanted().text !== wanted.text) return; // a later one is on its way
      root.innerHTML = html; // rendered and sanitised by our own server
      label.textContent = `${wanted.path}, as learners read it`;
      this.#shown = wanted;
      root.dispatchEvent(new CustomEvent("greenroom:content", { bubbles: true }));
    } catch (refused) {
      if (refused.status === undefined) throw refused;
      label.textContent = `The preview is not up to date: ${refused.message}`;
    }
  }
}
