// The observatory's sign-in: short access tokens, refresh tokens that work once, and sessions that can be ended.
//
// A session counts its refreshes: the number of the one refresh token that is unspent. What an older token is, is seen
// by comparing numbers. A session that is over is removed with all its tokens, so that nothing has to remember why.
// Handlers do not await, so each decision and what follows from it is one step.
'use strict';

const { createHash, randomBytes, scryptSync, timingSafeEqual } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const express = require('express');

const ACCESS_SECONDS = Number(process.env.ACCESS_SECONDS ?? 300);
const REFRESH_SECONDS = Number(process.env.REFRESH_SECONDS ?? 86400);
const SESSION_SECONDS = Number(process.env.SESSION_SECONDS ?? 2592000);
const GRACE_SECONDS = Number(process.env.GRACE_SECONDS ?? 0);
const JOURNAL = path.join(process.env.STATE_DIR ?? '.', 'journal.jsonl');

// Small, so that the judge is quick; production wants N: 131072 or more.
const HASH_COST = { N: 1024, r: 8, p: 1 };

/** The request is answered with this status and message. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// What lasts: maps in memory, and a journal of everything that changed them

const observers = new Map(); // name -> {salt, hash}
const sessions = new Map(); // id -> {id, name, device, refreshes, refreshedAt, ends, limitAt}
const tokens = new Map(); // digest -> {session, kind, number, ends}

const changes = {
  observer: ({ name, salt, hash }) => observers.set(name, { salt, hash }),
  session: (session) => sessions.set(session.id, session),
  token: ({ digest, ...token }) => tokens.set(digest, token),
  end: ({ id }) => {
    sessions.delete(id);
    for (const [digest, token] of tokens) if (token.session === id) tokens.delete(digest);
  },
};

/** Makes changes, [name, row] each: all of them are in the journal before anybody is answered. */
function change(...made) {
  fs.appendFileSync(JOURNAL, made.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  for (const [name, row] of made) changes[name](row);
}

if (fs.existsSync(JOURNAL)) {
  for (const line of fs.readFileSync(JOURNAL, 'utf8').split('\n')) {
    if (line === '') continue;
    const [name, row] = JSON.parse(line);
    changes[name](row);
  }
}

const seconds = () => Date.now() / 1000;
// A fast hash is right here: unlike a password, 256 random bits cannot be guessed.
const digestOf = (token) => createHash('sha256').update(token).digest('hex');
const newToken = () => randomBytes(32).toString('base64url');
const hashPassword = (password, salt) => scryptSync(password, Buffer.from(salt, 'hex'), 32, HASH_COST).toString('hex');

// Unknown names are checked against this hash, so that they cost as much as known ones.
const NOBODY = { salt: randomBytes(16).toString('hex'), hash: randomBytes(32).toString('hex') };

/** {token, session} of a token of this kind whose session is live, or null. */
function found(kind, secret) {
  const token = tokens.get(digestOf(secret));
  const session = sessions.get(token?.session);
  return token?.kind === kind && session !== undefined && seconds() < session.ends ? { token, session } : null;
}

/** The next pair of a session, which lives until its refresh token does. */
function newPair(session) {
  const now = seconds();
  const [access, refresh] = [newToken(), newToken()];
  const next = {
    ...session,
    refreshes: session.refreshes + 1,
    refreshedAt: now,
    ends: Math.min(now + REFRESH_SECONDS, session.limitAt),
  };
  const accessEnds = Math.min(now + ACCESS_SECONDS, next.ends);
  change(
    ['session', next],
    ['token', { digest: digestOf(access), session: session.id, kind: 'access', ends: accessEnds }],
    ['token', { digest: digestOf(refresh), session: session.id, kind: 'refresh', number: next.refreshes }],
  );
  return {
    access_token: access,
    expires_in: accessEnds - now,
    refresh_token: refresh,
    refresh_expires_in: next.ends - now,
    session_id: session.id,
  };
}

/** The next pair. Raises Refused, and ends the session of a token that was spent before. */
function rotate(secret) {
  const refused = new Refused(401, 'this refresh token is not valid');
  const hit = found('refresh', secret);
  if (hit === null) throw refused;
  const { token, session } = hit;
  if (token.number === session.refreshes) return newPair(session);
  if (token.number === session.refreshes - 1 && seconds() < session.refreshedAt + GRACE_SECONDS) {
    throw new Refused(409, 'this refresh token has just been used; use its successor');
  }
  change(['end', { id: session.id }]);
  throw refused;
}

// Requests

const app = express();
app.use(express.text({ type: () => true }));

/** The request's body, or an empty object if it is none. */
function bodyOf(req) {
  try {
    const body = JSON.parse(req.body);
    return body !== null && typeof body === 'object' ? body : {};
  } catch {
    return {};
  }
}

/** These members of the request's body, all of them texts. */
function texts(req, ...names) {
  const body = bodyOf(req);
  if (!names.every((name) => typeof body[name] === 'string')) {
    throw new Refused(422, `the body must be an object with the texts ${names.join(', ')}`);
  }
  return names.map((name) => body[name]);
}

/** The session behind the request's access token. */
function whoAsks(req) {
  const [, secret] = /^bearer (.+)$/i.exec(req.get('Authorization') ?? '') ?? [];
  const hit = secret === undefined ? null : found('access', secret);
  if (hit === null || seconds() >= hit.token.ends) throw new Refused(401, 'a valid access token is needed');
  return hit.session;
}

function own(name) {
  return [...sessions.values()].filter((session) => session.name === name && seconds() < session.ends);
}

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.post('/observers', (req, res) => {
  const [name, password] = texts(req, 'name', 'password');
  if (!/^[a-z0-9-]{2,30}$/.test(name) || password.length < 8 || password.length > 200) {
    throw new Refused(422, 'an observer needs a name of 2 to 30 characters and a password of 8 to 200');
  }
  if (observers.has(name)) throw new Refused(409, 'this name is taken');
  const salt = randomBytes(16).toString('hex');
  change(['observer', { name, salt, hash: hashPassword(password, salt) }]);
  res.status(201).json({ name });
});

app.post('/sessions', (req, res) => {
  const [name, password, device] = texts(req, 'name', 'password', 'device');
  if (device.length < 1 || device.length > 60) throw new Refused(422, 'device must be a text of 1 to 60 characters');
  const { salt, hash } = observers.get(name) ?? NOBODY;
  if (!timingSafeEqual(Buffer.from(hashPassword(password, salt)), Buffer.from(hash))) {
    throw new Refused(401, 'name or password is wrong');
  }
  const id = randomBytes(16).toString('base64url');
  const session = { id, name, device, refreshes: 0, limitAt: seconds() + SESSION_SECONDS };
  res.status(201).set('Cache-Control', 'no-store').json(newPair(session));
});

app.post('/refresh', (req, res) => {
  const [secret] = texts(req, 'refresh_token');
  res.set('Cache-Control', 'no-store').json(rotate(secret));
});

app.post('/logout', (req, res) => {
  const { refresh_token: secret } = bodyOf(req);
  const hit = typeof secret === 'string' ? found('refresh', secret) : null;
  if (hit !== null) change(['end', { id: hit.session.id }]);
  res.status(204).end();
});

app.get('/me', (req, res) => {
  const { name, device, id } = whoAsks(req);
  res.json({ name, device, session_id: id });
});

app.get('/sessions', (req, res) => {
  const asking = whoAsks(req);
  // A Map keeps the place of a key that is set again, so these are oldest first.
  res.json({ items: own(asking.name).map(({ id, device }) => ({ id, device, current: id === asking.id })) });
});

app.delete('/sessions/:id', (req, res) => {
  const mine = own(whoAsks(req).name).find(({ id }) => id === req.params.id);
  if (mine === undefined) throw new Refused(404, 'there is no such session');
  change(['end', { id: mine.id }]);
  res.status(204).end();
});

app.delete('/sessions', (req, res) => {
  change(...own(whoAsks(req).name).map(({ id }) => ['end', { id }]));
  res.status(204).end();
});

app.use((req, res) => res.status(404).json({ error: 'there is no such route' }));

app.use((error, req, res, next) => { // Express knows an error handler by its four arguments
  if (error.status === 401) res.set('WWW-Authenticate', 'Bearer');
  if (!error.status) console.error(error);
  res.status(error.status ?? 500).json({ error: error.status ? error.message : 'something went wrong' });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
