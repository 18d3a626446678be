import { make } from "../page/dom.js";

const STEP = 2;

/**
 * One divider between two panes: pointer, arrow keys, Home and End, Enter or double click to reset. The share of the
 * first pane, in per cent, is remembered in this browser.
 */
export class Divider {
  constructor(element, box, { name, axis, initial, min, max }) {
    Object.assign(this, { element, box, axis, initial, min, max, key: `greenroom:pane:${name}`, variable: `--gr-split-${name}` });
    element.setAttribute("aria-valuemin", min);
    element.setAttribute("aria-valuemax", max);
    this.set(Number(localStorage.getItem(this.key)) || initial);
    element.addEventListener("pointerdown", (event) => this.#grab(event));
    element.addEventListener("keydown", (event) => this.#onKey(event));
    element.addEventListener("dblclick", () => this.reset());
  }

  set(share) {
    this.share = Math.min(this.max, Math.max(this.min, share));
    this.box.style.setProperty(this.variable, `${this.share}%`);
    this.element.setAttribute("aria-valuenow", Math.round(this.share));
  }

  keep() {
    localStorage.setItem(this.key, this.share.toFixed(1));
  }

  reset() {
    this.set(this.initial);
    localStorage.removeItem(this.key);
  }

  #grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const { element } = this;
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
    element.classList.add("is-dragged");
    const move = (moved) => {
      const box = this.box.getBoundingClientRect();
      const share = this.axis === "x" ? (moved.clientX - box.left) / box.width : (moved.clientY - box.top) / box.height;
      this.set(share * 100);
    };
    const drop = () => {
      element.classList.remove("is-dragged");
      element.removeEventListener("pointermove", move);
      this.keep();
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("lostpointercapture", drop, { once: true });
  }

  #onKey(event) {
    const [less, more] = this.axis === "x" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    if (event.key === less) this.set(this.share - STEP);
    else if (event.key === more) this.set(this.share + STEP);
    else if (event.key === "Home") this.set(this.min);
    else if (event.key === "End") this.set(this.max);
    else if (event.key === "Enter") this.reset();
    else return;
    event.preventDefault();
    if (event.key !== "Enter") this.keep();
  }
}

/** Wires the divider between the panes, and puts one between the editor and the results. */
export function dividers(page) {
  const columns = page.querySelector(".gr-divider");
  if (columns) new Divider(columns, page, { name: "columns", axis: "x", initial: 42, min: 20, max: 75 });
  const results = document.getElementById("results");
  const work = page.querySelector(".gr-pane--work");
  if (!results || !work) return;
  const rows = make("div", {
    class: "gr-divider gr-divider--rows",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "horizontal",
    "aria-label": "Resize editor and results",
  });
  results.before(rows);
  new Divider(rows, work, { name: "rows", axis: "y", initial: 62, min: 25, max: 85 });
}
