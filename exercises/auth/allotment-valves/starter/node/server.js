'use strict';

// The allotments' water valves. Everything works, for everybody: see the README.
const crypto = require('node:crypto');
const express = require('express');

const ORIGIN = process.env.ORIGIN || 'https://water.example';
const PARTNERS = (process.env.PARTNERS || '').split(',').filter(Boolean);

const app = express();
const sessions = new Map(); // session id -> name
const opened = new Set(); // names of the gardeners whose valve is open

app.use((req, res, next) => {
  res.set('Access-Control-Allow-Origin', req.get('Origin') || '*');
  res.set('Access-Control-Allow-Credentials', 'true');
  next();
});
app.use(express.json({ type: () => true }));

// The name of the gardener who asks, or undefined.
function gardener(req) {
  const match = /(?:^|;\s*)sid=([^;]*)/.exec(req.get('Cookie') || '');
  return match ? sessions.get(match[1]) : undefined;
}

app.get('/health', (req, res) => res.json({ ok: true }));

app.get('/forecast', (req, res) => res.json({ rain_mm: 4 }));

app.post('/session', (req, res) => {
  const sid = crypto.randomBytes(32).toString('base64url');
  sessions.set(sid, req.body.name);
  res.cookie('sid', sid);
  res.json({ name: req.body.name });
});

app.get('/valve', (req, res) => {
  if (gardener(req) === undefined) return res.status(401).json({ error: 'sign in first' });
  res.json({ open: opened.has(gardener(req)) });
});

app.get('/valve/open', (req, res) => {
  opened.add(gardener(req));
  res.json({ open: true });
});

app.get('/valve/close', (req, res) => {
  opened.delete(gardener(req));
  res.json({ open: false });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
