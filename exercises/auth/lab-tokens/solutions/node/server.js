/**
 * Laboratories, their samples, and tokens that can never do more than the token that made them.
 *
 * A token knows its maker. What it may see and revoke is what came from it, so both are walks up that line. All rules
 * that compare a new token with its maker (scopes, end, number) are applied once, in Vault.mint, and nothing is awaited
 * there: no other request comes between the count and the new token.
 */
const { createHash, randomBytes } = require("node:crypto");
const express = require("express");

const SCOPES = ["samples:read", "samples:write", "tokens:manage"];
const MAX_TOKENS = Number(process.env.MAX_TOKENS ?? 8);
const TEN_YEARS = 315_360_000; // in seconds

/** The request is answered with this status and message. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const unauthorized = () => new Refused(401, "a valid token is needed");
const now = () => Date.now() / 1000;

/** What a secret stands for. The secret itself is not kept. */
class Token {
  constructor({ id, labId, name, scopes, ends = Infinity, maker = null }) {
    Object.assign(this, { id, labId, name, scopes, ends, maker });
    Object.freeze(this);
  }

  /** Whether this is `other`, or was made by it, or by one that was, and so on. */
  comesFrom(other) {
    return this === other || (this.maker !== null && this.maker.comesFrom(other));
  }

  shown() {
    const { id, name, scopes, ends } = this;
    return { id, name, scopes, expires_at: ends === Infinity ? null : ends };
  }
}

/** The live tokens of all labs, by the hash of their secret. */
class Vault {
  #tokens = new Map();
  #lastId = 0;

  /** Expired tokens are dropped here, so nothing else has to think of them. */
  #live() {
    for (const [digest, token] of this.#tokens) if (token.ends <= now()) this.#tokens.delete(digest);
    return [...this.#tokens.values()];
  }

  /** Returns the live token behind a secret, or undefined. */
  find(secret) {
    this.#live();
    return this.#tokens.get(digestOf(secret));
  }

  mintFirst(labId) {
    return this.#store({ labId, name: "first", scopes: SCOPES });
  }

  /** Returns { token, secret } of a token that is no stronger than its maker. */
  mint(maker, name, scopes, seconds) {
    if (!scopes.every((scope) => maker.scopes.includes(scope))) {
      throw new Refused(403, "this token cannot give a scope that it does not have");
    }
    const live = this.#live();
    if (!live.includes(maker)) throw unauthorized(); // over since the request was let in
    if (live.filter((token) => token.labId === maker.labId).length >= MAX_TOKENS) {
      throw new Refused(409, "this lab has as many tokens as it may have");
    }
    return this.#store({ labId: maker.labId, name, scopes, ends: Math.min(now() + seconds, maker.ends), maker });
  }

  #store(fields) {
    const secret = randomBytes(32).toString("base64url");
    this.#lastId += 1;
    const token = new Token({ id: this.#lastId, ...fields });
    this.#tokens.set(digestOf(secret), token);
    return { token, secret };
  }

  /** Returns the live tokens that came from this one, itself included, oldest first. */
  reach(asking) {
    return this.#live().filter((token) => token.comesFrom(asking));
  }

  revoke(asking, id) {
    const target = this.reach(asking).find((token) => token.id === id);
    if (target === undefined) throw new Refused(404, "there is no such token");
    for (const [digest, token] of this.#tokens) if (token.comesFrom(target)) this.#tokens.delete(digest);
  }
}

function digestOf(secret) {
  // A fast hash is right here: unlike a password, 256 random bits cannot be guessed.
  return createHash("sha256").update(secret).digest("base64");
}

const vault = new Vault();
const samples = new Map(); // lab id -> (sample id -> sample)
let lastSampleId = 0;

/** Returns the live token of a request. Throws Refused if there is none or if it lacks the scope. */
function tokenWith(scope, request) {
  const [, secret] = /^bearer (.+)$/i.exec(request.get("Authorization") ?? "") ?? [];
  const token = secret === undefined ? undefined : vault.find(secret);
  if (token === undefined) throw unauthorized();
  if (!token.scopes.includes(scope)) throw new Refused(403, `this token lacks the scope ${scope}`);
  return token;
}

const isName = (value) => typeof value === "string" && value !== "" && [...value].length <= 60;

/** Returns a request's body: an object that has the required fields and no unknown ones. */
function bodyWith(request, required, optional = []) {
  const known = [...required, ...optional];
  let body = null;
  try {
    body = JSON.parse(request.body);
  } catch {
    // refused below
  }
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  if (
    !isObject ||
    !required.every((field) => Object.hasOwn(body, field)) ||
    !Object.keys(body).every((field) => known.includes(field))
  ) {
    throw new Refused(422, `the body must be an object with the fields ${known.join(", ")}`);
  }
  return body;
}

function nameIn(request, field) {
  const { [field]: name } = bodyWith(request, [field]);
  if (!isName(name)) throw new Refused(422, `${field} must be a text of 1 to 60 characters`);
  return name;
}

const app = express();
app.use(express.text({ type: () => true })); // read as JSON once it is clear who asks

app.get("/health", (request, response) => response.json({ status: "up" }));

app.post("/labs", (request, response) => {
  const lab = { id: samples.size + 1, name: nameIn(request, "name") };
  samples.set(lab.id, new Map());
  response.status(201).json({ ...lab, token: vault.mintFirst(lab.id).secret });
});

app.post("/samples", (request, response) => {
  const token = tokenWith("samples:write", request);
  const label = nameIn(request, "label");
  lastSampleId += 1;
  const sample = { id: lastSampleId, label };
  samples.get(token.labId).set(sample.id, sample);
  response.status(201).json(sample);
});

app.get("/samples", (request, response) => {
  const token = tokenWith("samples:read", request);
  response.json({ items: [...samples.get(token.labId).values()] });
});

app.get("/samples/:id(\\d+)", (request, response) => {
  const token = tokenWith("samples:read", request);
  const sample = samples.get(token.labId).get(Number(request.params.id));
  if (sample === undefined) throw new Refused(404, "there is no such sample");
  response.json(sample);
});

app.delete("/samples/:id(\\d+)", (request, response) => {
  const token = tokenWith("samples:write", request);
  if (!samples.get(token.labId).delete(Number(request.params.id))) throw new Refused(404, "there is no such sample");
  response.status(204).end();
});

app.post("/tokens", (request, response) => {
  const maker = tokenWith("tokens:manage", request);
  const { name, scopes, expires_in: seconds = null } = bodyWith(request, ["name", "scopes"], ["expires_in"]);
  if (!isName(name)) throw new Refused(422, "name must be a text of 1 to 60 characters");
  if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every((scope) => SCOPES.includes(scope))) {
    throw new Refused(422, `scopes must be a list out of ${SCOPES.join(", ")}`);
  }
  if (new Set(scopes).size < scopes.length) throw new Refused(422, "scopes must be different");
  if (seconds !== null && !(typeof seconds === "number" && seconds > 0 && seconds <= TEN_YEARS)) {
    throw new Refused(422, `expires_in must be a number of seconds, greater than 0 and at most ${TEN_YEARS}, or null`);
  }
  const { token, secret } = vault.mint(maker, name, scopes, seconds ?? Infinity);
  response.status(201).json({ ...token.shown(), token: secret });
});

app.get("/tokens", (request, response) => {
  const asking = tokenWith("tokens:manage", request);
  response.json({ items: vault.reach(asking).map((token) => token.shown()) });
});

app.delete("/tokens/:id(\\d+)", (request, response) => {
  vault.revoke(tokenWith("tokens:manage", request), Number(request.params.id));
  response.status(204).end();
});

app.use(() => {
  throw new Refused(404, "there is nothing here");
});

// Four parameters make it an error handler, even if the last one is not used.
app.use((error, request, response, next) => {
  if (error.status === 401) response.set("WWW-Authenticate", "Bearer");
  response.status(error.status ?? 500).json({ error: error instanceof Refused ? error.message : "that did not work" });
});

app.listen(process.env.PORT, "127.0.0.1");
