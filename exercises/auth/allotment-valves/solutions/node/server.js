'use strict';

// The allotments' water valves, for gardeners at the site itself and on the pages of its partners. Who may read an
// answer is decided in `tellBrowsers`, who may do what in `guard`, both before any route. The routes know no origins.
const crypto = require('node:crypto');
const express = require('express');

const ORIGIN = process.env.ORIGIN || 'https://water.example';
const PARTNERS = new Set((process.env.PARTNERS || '').split(',').filter(Boolean));
const SHARED = new Map([['/valve', 'GET, PUT'], ['/csrf', 'GET']]); // what partners may use, and how
const COOKIE = '__Host-sid';
const ATTRIBUTES = { secure: true, httpOnly: true, sameSite: 'lax', path: '/' };

const app = express();
app.disable('x-powered-by');
const sessions = new Map(); // session id -> { name, token }
const opened = new Set(); // names of the gardeners whose valve is open

const random = () => crypto.randomBytes(32).toString('base64url');
const refuse = (res, status, error) => res.status(status).json({ error });
const digest = (text) => crypto.createHash('sha256').update(text).digest();

function sessionId(req) {
  const pairs = (req.get('Cookie') || '').split(';').map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.startsWith(`${COOKIE}=`));
  return found && found.slice(COOKIE.length + 1);
}

function tellBrowsers(req, res, next) {
  req.own = req.get('Origin') === ORIGIN;
  req.partner = SHARED.has(req.path) && PARTNERS.has(req.get('Origin'));
  if (SHARED.has(req.path)) res.vary('Origin');
  if (req.partner) {
    res.set('Access-Control-Allow-Origin', req.get('Origin'));
    res.set('Access-Control-Allow-Credentials', 'true');
  }
  next();
}

function guard(req, res, next) {
  if (req.method === 'OPTIONS' && req.get('Access-Control-Request-Method') !== undefined) return preflight(req, res);
  req.session = sessions.get(sessionId(req));
  if (['GET', 'HEAD', 'OPTIONS'].includes(req.method)) return next();
  if (!req.own && !req.partner) return refuse(res, 403, 'not from this origin');
  if (req.method !== 'POST' || req.path !== '/session') {
    if (!req.session) return refuse(res, 401, 'sign in first');
    const sent = digest(req.get('X-CSRF-Token') || '');
    if (!crypto.timingSafeEqual(sent, digest(req.session.token))) {
      return refuse(res, 403, 'the token of this session is missing');
    }
  }
  const type = (req.get('Content-Type') || '').split(';')[0].trim().toLowerCase();
  if (req.method !== 'DELETE' && type !== 'application/json') return refuse(res, 415, 'only application/json');
  next();
}

function preflight(req, res) {
  if (!SHARED.has(req.path) || !(req.own || req.partner)) return refuse(res, 403, 'not from this origin');
  if (req.partner) {
    res.set('Access-Control-Allow-Methods', SHARED.get(req.path));
    res.set('Access-Control-Allow-Headers', 'Content-Type, X-CSRF-Token');
    res.set('Access-Control-Max-Age', '600');
  }
  res.status(204).end();
}

const signedIn = (req, res, next) => (req.session ? next() : refuse(res, 401, 'sign in first'));
const field = (req, name) => (req.body !== null && typeof req.body === 'object' ? req.body[name] : undefined);

app.get('/health', (req, res) => res.json({ ok: true }));
app.use(tellBrowsers, guard, express.json({ strict: false }));

app.get('/forecast', (req, res) => res.set('Access-Control-Allow-Origin', '*').json({ rain_mm: 4 }));

app.post('/session', (req, res) => {
  const name = field(req, 'name');
  if (typeof name !== 'string' || name.length < 1 || name.length > 30) {
    return refuse(res, 422, 'a name has 1 to 30 characters');
  }
  const sid = random();
  sessions.set(sid, { name, token: random() });
  res.cookie(COOKIE, sid, ATTRIBUTES).json({ name });
});

app.delete('/session', (req, res) => {
  sessions.delete(sessionId(req));
  res.clearCookie(COOKIE, ATTRIBUTES).status(204).end();
});

app.get('/csrf', signedIn, (req, res) => res.set('Cache-Control', 'no-store').json({ csrf: req.session.token }));

app.get('/valve', signedIn, (req, res) => res.json({ open: opened.has(req.session.name) }));

app.put('/valve', (req, res) => {
  const wanted = field(req, 'open');
  if (typeof wanted !== 'boolean') return refuse(res, 422, 'open must be true or false');
  if (wanted) opened.add(req.session.name);
  else opened.delete(req.session.name);
  res.json({ open: wanted });
});

app.get(['/valve/open', '/valve/close'], (req, res) => refuse(res, 410, 'valves are no longer turned by links'));

app.use((error, req, res, next) => refuse(res, 422, 'the body is no JSON'));

app.listen(Number(process.env.PORT), '127.0.0.1');
