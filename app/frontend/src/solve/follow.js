import { Refused } from "./wire.js";

const EVENTS = ["submission.queued", "submission.judging", "box.starting", "box.started", "check.finished"];
const QUIET = 15_000;
const POLL_EVERY = 1_000;
const GIVE_UP_AFTER = 600_000;
const UNANSWERED_POLLS = 30;

const LOST = "The connection was lost. The verdict is not: find it under Submissions.";

/** Listens until the job is judged (true), or until listening is no use any more (false). */
function listen(url, onEvent) {
  return new Promise((resolve) => {
    const source = new EventSource(url);
    let errors = 0;
    let quiet;
    const finish = (isJudged) => {
      clearTimeout(quiet);
      source.close();
      resolve(isJudged);
    };
    const heard = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => finish(false), QUIET);
    };
    heard();
    source.addEventListener("error", () => {
      errors += 1;
      if (errors >= 2 || source.readyState === EventSource.CLOSED) finish(false);
    });
    for (const name of EVENTS) {
      source.addEventListener(name, (event) => {
        errors = 0;
        heard();
        onEvent(name, parse(event.data));
      });
    }
    source.addEventListener("submission.judged", () => finish(true));
  });
}

function parse(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns the fragment once its root says `data-stage="judged"`, else null. */
async function judgedFragment(url) {
  const response = await fetch(url, { headers: { Accept: "text/html" }, redirect: "manual" });
  if (response.type === "opaqueredirect") throw new Refused("You are signed out. Sign in again: the verdict waits under Submissions.", 401);
  if (response.status >= 400 && response.status < 500 && response.status !== 429) throw new Refused(LOST, response.status);
  if (!response.ok) throw new TypeError(`fragment answered ${response.status}`);
  const html = await response.text();
  const root = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  return root?.dataset.stage === "judged" ? html : null;
}

/**
 * Follows a job by its events, and by asking each second where those fail. Resolves to the judged fragment, or to null
 * when the page was not told where that is; raises Refused when nobody answers any more.
 */
export async function follow({ events_url: eventsUrl, fragment_url: fragmentUrl }, onEvent) {
  const end = Date.now() + GIVE_UP_AFTER;
  const isJudged = await listen(eventsUrl, onEvent);
  if (!fragmentUrl) return null;
  if (!isJudged) onEvent("polling", {});
  for (let unanswered = 0; unanswered < UNANSWERED_POLLS && Date.now() < end; ) {
    try {
      const html = await judgedFragment(fragmentUrl);
      if (html) return html;
      unanswered = 0;
    } catch (error) {
      if (error instanceof Refused) throw error;
      unanswered += 1;
    }
    await pause(POLL_EVERY);
  }
  throw new Refused(LOST, 0);
}
