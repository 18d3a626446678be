// Follows a proof that is under way: each event brings the page's fragment anew, until its root says data-stage="done".
const EVENTS = ["proof.queued", "trial.started", "trial.finished"];
const GATHER = 300;
const POLL_EVERY = 2_000;
const UNANSWERED_POLLS = 30;

/** Puts the fragment into the page and returns whether the proof is over. What was unfolded stays unfolded. */
function swap(html) {
  const old = document.querySelector("[data-proof]");
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-proof]");
  if (!old || !fresh) return false;
  const open = new Set([...old.querySelectorAll("details[open][id]")].map((each) => each.id));
  for (const each of fresh.querySelectorAll("details[id]")) each.open = open.has(each.id);
  const focused = old.contains(document.activeElement) ? document.activeElement.closest("details[id]")?.id : null;
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.querySelector("summary")?.focus();
  fresh.dispatchEvent(new Event("greenroom:content", { bubbles: true }));
  const isOver = fresh.dataset.stage === "done";
  const said = document.getElementById("proof-said");
  if (said && isOver) said.textContent = fresh.dataset.said; // each run on its own would be too much to listen to
  return isOver;
}

/** Asks for the fragment and shows it; returns whether the proof is over. Throws when nobody answers. */
async function refresh(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" }, redirect: "manual" });
  if (!response.ok) throw new TypeError(`fragment answered ${response.status}`);
  return swap(await response.text());
}

/** A save of the working copy says what is known of the files as they are now. */
function followSaves() {
  document.addEventListener("greenroom:saved", ({ detail }) => {
    const bar = document.getElementById("proof-bar");
    if (!bar || !detail?.proof || bar.contains(document.activeElement)) return;
    const fresh = new DOMParser().parseFromString(detail.proof, "text/html").getElementById("proof-bar");
    if (!fresh || fresh.dataset.word === bar.dataset.word) return;
    // A form that waits for this very save must stay in the page, or it cannot be sent.
    const form = bar.querySelector("form");
    if (form) fresh.querySelector("form")?.replaceWith(form);
    bar.replaceWith(fresh);
  });
}

export function followProof() {
  followSaves();
  const root = document.querySelector("[data-proof]");
  if (!root || root.dataset.stage === "done") return;
  const { eventsUrl, fragmentUrl } = root.dataset;
  const source = new EventSource(eventsUrl);
  let timer = null;
  let unanswered = 0;
  const ask = async () => {
    timer = null;
    try {
      const isOver = await refresh(fragmentUrl);
      unanswered = 0;
      if (isOver) return source.close();
    } catch {
      unanswered += 1;
    }
    // Without events the page asks by itself.
    if (source.readyState === EventSource.CLOSED && unanswered < UNANSWERED_POLLS) soon(POLL_EVERY);
  };
  const soon = (ms) => (timer ??= setTimeout(ask, ms));
  for (const name of EVENTS) source.addEventListener(name, () => soon(GATHER));
  source.addEventListener("proof.finished", () => soon(0));
  source.addEventListener("error", () => soon(POLL_EVERY));
}
