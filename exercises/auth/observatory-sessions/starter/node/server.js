// The observatory's sign-in: observers and passwords are there, sessions are yours.
'use strict';

const { randomBytes, scryptSync } = require('node:crypto');
const express = require('express');

const ACCESS_SECONDS = Number(process.env.ACCESS_SECONDS ?? 300);
const REFRESH_SECONDS = Number(process.env.REFRESH_SECONDS ?? 86400);
const SESSION_SECONDS = Number(process.env.SESSION_SECONDS ?? 2592000);
const GRACE_SECONDS = Number(process.env.GRACE_SECONDS ?? 0);
const STATE_DIR = process.env.STATE_DIR ?? '.';

// Small, so that the judge is quick; production wants N: 131072 or more.
const HASH_COST = { N: 1024, r: 8, p: 1 };

const app = express();
const observers = new Map(); // name -> {salt, hash}

app.use(express.json());

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.post('/observers', (req, res) => {
  const { name, password } = req.body;
  const salt = randomBytes(16);
  observers.set(name, { salt, hash: scryptSync(password, salt, 32, HASH_COST) });
  res.status(201).json({ name });
});

app.post('/sessions', (req, res) => res.status(501).json({ error: 'not written yet' }));

app.listen(Number(process.env.PORT), '127.0.0.1');
