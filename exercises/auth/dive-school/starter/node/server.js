'use strict';

// The diving school's sign-in, as it has been since 2009: see the README.
const crypto = require('node:crypto');
const { promisify } = require('node:util');
const express = require('express');
const { Pool } = require('pg');

const SCRYPT_N = Number(process.env.SCRYPT_N || 16384);

const app = express();
app.use(express.json());
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
const computeScrypt = promisify(crypto.scrypt);
let hashes = 0; // how often scrypt has been computed

// The 32 bytes that scrypt makes of a password; counts that it did.
function scrypt(password, salt, n, r, p) {
  hashes += 1;
  return computeScrypt(password, salt, 32, { N: n, r, p, maxmem: 1 << 28 });
}

app.get('/health', (req, res) => res.json({ ok: true }));

app.get('/work', (req, res) => res.json({ hashes }));

app.post('/divers', async (req, res) => {
  const { name, password } = req.body;
  const stored = `sha1$${crypto.createHash('sha1').update(password).digest('hex')}`;
  await pool.query('insert into divers (name, password_hash) values ($1, $2)', [name, stored]);
  res.status(201).json({ name });
});

app.post('/session', (req, res) => res.status(501).json({ error: 'not written yet' }));

app.listen(Number(process.env.PORT), '127.0.0.1');
