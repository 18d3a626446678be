/** A request that was answered, but not with what was asked for. `status` is 0 when nobody answered. */
export class Refused extends Error {
  constructor(message, status, body = {}, retryAfter = 0) {
    super(message);
    this.status = status;
    this.body = body;
    this.retryAfter = retryAfter;
  }

  /** Worth trying again unchanged: nobody answered, too many at once, or the server's own fault. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

const WORDS = {
  401: "You are signed out. Sign in again in another tab, then come back: your text stays here.",
  403: "This page is too old to be trusted. Your text is kept: reload the page.",
  413: "The files are too large.",
  429: "Too many at once. Wait a moment and try again.",
};

/** Sends JSON or form data and returns the JSON answer; raises Refused with words for the learner otherwise. */
export async function request(url, { method, csrf, body, keepalive = false }) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrf };
  if (typeof body === "string") headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(url, { method, headers, body, keepalive, redirect: "manual" });
  } catch {
    throw new Refused("The server cannot be reached. Your text is kept: check the connection and try again.", 0);
  }
  if (response.type === "opaqueredirect") throw new Refused(WORDS[401], 401); // to the sign-in page
  const isJson = response.headers.get("content-type")?.includes("json");
  const answer = isJson ? await response.json().catch(() => ({})) : {};
  if (response.ok) return answer;
  const fallback = WORDS[response.status] ?? "Something went wrong on our side. Try again in a moment.";
  throw new Refused(answer.error ?? fallback, response.status, answer, Number(response.headers.get("retry-after")) || 0);
}
