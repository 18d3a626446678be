// The ringing station's authorization server: code flow with PKCE, and the API that it protects.
//
// `asked` reads an authorization request and is the one place that decides whom a mistake is told: the ringer on a page
// while the client's address is not certain, after that the client. `redeem` does not await, so a code works once.
'use strict';

const { createHash, randomBytes, timingSafeEqual } = require('node:crypto');
const express = require('express');

const CODE_SECONDS = Number(process.env.CODE_SECONDS ?? 60);
const ACCESS_SECONDS = Number(process.env.ACCESS_SECONDS ?? 600);
const RINGERS = new Map(Object.entries(JSON.parse(process.env.RINGERS ?? '{}')));
const CLIENTS = new Map(JSON.parse(process.env.CLIENTS ?? '[]').map((client) => [client.id, client]));
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/** The ringer is told, on a page. */
class OnPage extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** The browser is sent back to the client, with these parameters. */
class Redirected extends Error {
  constructor(redirectUri, state, params) {
    super(redirectUri);
    const added = new URLSearchParams(state === undefined ? params : { ...params, state });
    this.location = `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${added}`;
  }
}

/** The client is told, as JSON. */
class Refused extends Error {
  constructor(status, error, scheme) {
    super(error);
    this.status = status;
    this.scheme = scheme;
  }
}

/** Whether two texts are the same; the time it takes does not tell where they differ. */
function same(given, expected) {
  const digests = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(...digests); // of equal length, whatever was sent
}

// Codes and tokens

// A fast hash is right here: unlike a password, 256 random bits cannot be guessed.
const digestOf = (secret) => createHash('sha256').update(secret).digest('hex');
const random = () => randomBytes(32).toString('base64url');
const seconds = () => performance.now() / 1000;

const grants = new Map(); // digest of the code -> {asked, ringer, ends, redeemed}
const tokens = new Map(); // digest -> {grant, ends}
const rings = new Map([...RINGERS.keys()].map((name) => [name, []]));

function isVerifierOf(challenge, verifier) {
  if (!VERIFIER.test(verifier)) return false;
  return same(createHash('sha256').update(verifier).digest('base64url'), challenge);
}

/** {token, grant} for a good code, or null. */
function redeem(client, code, redirectUri, verifier) {
  const grant = grants.get(digestOf(code));
  if (grant === undefined || grant.asked.client !== client) return null;
  if (grant.redeemed) {
    for (const [digest, token] of tokens) if (token.grant === grant) tokens.delete(digest);
    return null;
  }
  if (seconds() >= grant.ends || grant.asked.redirectUri !== redirectUri) return null;
  if (!isVerifierOf(grant.asked.challenge, verifier)) return null;
  grant.redeemed = true;
  const token = random();
  tokens.set(digestOf(token), { grant, ends: seconds() + ACCESS_SECONDS });
  return { token, grant };
}

const app = express();
app.use(express.text({ type: () => true })); // read with URLSearchParams or JSON.parse, which show what comes twice

const queryOf = (req) => new URL(req.url, 'http://station').searchParams;
const formOf = (req) => new URLSearchParams(typeof req.body === 'string' ? req.body : '');

// The ringer's browser

/** The authorization request in the query. Raises OnPage or Redirected. */
function asked(req) {
  const query = queryOf(req);
  const clientIds = query.getAll('client_id');
  const redirectUris = query.getAll('redirect_uri');
  const client = clientIds.length === 1 ? CLIENTS.get(clientIds[0]) : undefined;
  if (client === undefined) throw new OnPage(400, 'We do not know the app that sent you here.');
  if (redirectUris.length !== 1 || !client.redirect_uris.includes(redirectUris[0])) {
    throw new OnPage(400, 'The app that sent you here is not where it says it is.');
  }
  const [redirectUri] = redirectUris;
  const states = query.getAll('state');
  const state = states.length === 1 ? states[0] : undefined;
  const mistake = (error) => new Redirected(redirectUri, state, { error });

  const names = ['response_type', 'scope', 'state', 'code_challenge', 'code_challenge_method'];
  if (names.some((name) => query.getAll(name).length > 1) || !query.has('response_type')) {
    throw mistake('invalid_request');
  }
  if (query.get('response_type') !== 'code') throw mistake('unsupported_response_type');
  const challenge = query.get('code_challenge') ?? '';
  if (query.get('code_challenge_method') !== 'S256' || !CHALLENGE.test(challenge)) throw mistake('invalid_request');
  let scopes = (query.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  if (scopes.length === 0) scopes = client.scopes;
  if (!scopes.every((scope) => client.scopes.includes(scope))) throw mistake('invalid_scope');
  return { client, redirectUri, scopes: [...new Set(scopes)], state, challenge };
}

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escape = (text) => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter]);

function page(res, status, html) {
  res.set({ 'Cache-Control': 'no-store', 'X-Frame-Options': 'DENY', 'Referrer-Policy': 'no-referrer' });
  res.status(status).type('html').send(`<!doctype html><title>Ringing station</title>${html}`);
}

app.get('/authorize', (req, res) => {
  const { client, scopes } = asked(req);
  // The form has no action, so it posts to this very address, query included.
  page(res, 200, `<h1>${escape(client.name)} asks for ${escape(scopes.join(', '))}</h1>
    <form method="post"><input name="name"><input name="password" type="password">
    <button name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></form>`);
});

app.post('/authorize', (req, res) => {
  const wanted = asked(req);
  const form = formOf(req);
  const decision = form.get('decision');
  if (decision !== 'allow' && decision !== 'deny') throw new OnPage(400, 'Please decide: allow or deny.');
  if (decision === 'deny') throw new Redirected(wanted.redirectUri, wanted.state, { error: 'access_denied' });
  const ringer = form.get('name') ?? '';
  if (!same(form.get('password') ?? '', RINGERS.get(ringer) ?? random())) {
    throw new OnPage(401, 'Name or password is wrong.');
  }
  const code = random();
  grants.set(digestOf(code), { asked: wanted, ringer, ends: seconds() + CODE_SECONDS, redeemed: false });
  throw new Redirected(wanted.redirectUri, wanted.state, { code });
});

// The client

/** The client that sends this token request. Raises Refused. */
function provenClient(req, form) {
  let [id, secret] = [form.get('client_id'), form.get('client_secret')];
  const [, credentials] = /^basic +(.*)$/i.exec(req.get('Authorization') ?? '') ?? [];
  if (credentials !== undefined) {
    const pair = Buffer.from(credentials, 'base64').toString();
    const [, first, rest] = /^([^:]*):?(.*)$/s.exec(pair);
    [id, secret] = [first, rest].map((text) => new URLSearchParams(`part=${text.replace(/&/g, '%26')}`).get('part'));
  }
  const client = CLIENTS.get(id);
  if (client === undefined || (client.secret !== null && !same(secret ?? '', client.secret))) {
    throw new Refused(401, 'invalid_client', 'Basic');
  }
  return client;
}

app.post('/token', (req, res) => {
  res.set('Cache-Control', 'no-store');
  const form = formOf(req);
  const names = [...form.keys()];
  if (new Set(names).size < names.length) throw new Refused(400, 'invalid_request');
  const client = provenClient(req, form);
  if ((form.get('grant_type') ?? 'authorization_code') !== 'authorization_code') {
    throw new Refused(400, 'unsupported_grant_type');
  }
  if (!['grant_type', 'code', 'redirect_uri', 'code_verifier'].every((name) => form.has(name))) {
    throw new Refused(400, 'invalid_request');
  }
  const redeemed = redeem(client, form.get('code'), form.get('redirect_uri'), form.get('code_verifier'));
  if (redeemed === null) throw new Refused(400, 'invalid_grant');
  const scope = redeemed.grant.asked.scopes.join(' ');
  res.json({ access_token: redeemed.token, token_type: 'Bearer', expires_in: ACCESS_SECONDS, scope });
});

// The API

/** The ringer behind the request's access token. Raises Refused if there is none or if it lacks the scope. */
function ringerFor(req, scope) {
  const [, secret] = /^bearer (.+)$/i.exec(req.get('Authorization') ?? '') ?? [];
  const token = secret === undefined ? undefined : tokens.get(digestOf(secret));
  if (token === undefined || seconds() >= token.ends) throw new Refused(401, 'invalid_token', 'Bearer');
  if (!token.grant.asked.scopes.includes(scope)) throw new Refused(403, 'insufficient_scope');
  return token.grant.ringer;
}

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.get('/sightings', (req, res) => {
  const ringer = ringerFor(req, 'sightings:read');
  res.json({ ringer, rings: rings.get(ringer) });
});

app.post('/sightings', (req, res) => {
  const ringer = ringerFor(req, 'sightings:write');
  let ring;
  try {
    ({ ring } = JSON.parse(req.body));
  } catch {
    ring = undefined;
  }
  if (typeof ring !== 'string') throw new Refused(422, 'ring must be a text');
  rings.get(ringer).push(ring);
  res.status(201).json({ ringer, rings: rings.get(ringer) });
});

app.use((req, res) => res.status(404).json({ error: 'there is no such route' }));

app.use((error, req, res, next) => { // Express knows an error handler by its four arguments
  if (error instanceof OnPage) return page(res, error.status, `<p>${escape(error.message)}</p>`);
  if (error instanceof Redirected) {
    res.writeHead(303, { Location: error.location, 'Cache-Control': 'no-store' });
    return res.end();
  }
  if (error.scheme) res.set('WWW-Authenticate', error.scheme);
  if (!error.status) console.error(error);
  res.status(error.status ?? 500).json({ error: error.status ? error.message : 'something went wrong' });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
