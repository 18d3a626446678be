'use strict';

// The diving school's sign-in. `storedForm` and `fits` are the only places that know how a password is stored.
const crypto = require('node:crypto');
const { promisify } = require('node:util');
const express = require('express');
const { Pool } = require('pg');

const SCRYPT_N = Number(process.env.SCRYPT_N || 16384);
const NAME = /^[a-z0-9-]{2,30}$/;
const NO_SALT = Buffer.alloc(16);

const app = express();
app.disable('x-powered-by');
app.use(express.json({ strict: false }));
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
const computeScrypt = promisify(crypto.scrypt);
const sessions = new Map(); // token -> name
let hashes = 0; // how often scrypt has been computed

// The 32 bytes that scrypt makes of a password; counts that it did.
function scrypt(password, salt, n, r, p) {
  hashes += 1;
  return computeScrypt(password, salt, 32, { N: n, r, p, maxmem: 1 << 28 });
}

// The one form of a text, whichever keyboard it came from.
const normal = (password) => password.normalize('NFC');

async function storedForm(password) {
  const salt = crypto.randomBytes(16);
  const digest = await scrypt(normal(password), salt, SCRYPT_N, 8, 1);
  return `scrypt$${SCRYPT_N}$8$1$${salt.toString('hex')}$${digest.toString('hex')}`;
}

// Whether the password is the stored one. A refusal costs one scrypt, whatever is stored, or if nothing is.
async function fits(password, stored) {
  const [kind, ...parts] = (stored ?? 'none').split('$');
  if (kind === 'scrypt') {
    const [n, r, p, salt, digest] = parts;
    const made = await scrypt(normal(password), Buffer.from(salt, 'hex'), Number(n), Number(r), Number(p));
    return crypto.timingSafeEqual(made, Buffer.from(digest, 'hex'));
  }
  if (kind === 'sha1') {
    const made = crypto.createHash('sha1').update(normal(password)).digest();
    if (crypto.timingSafeEqual(made, Buffer.from(parts[0], 'hex'))) return true;
  }
  await scrypt(normal(password), NO_SALT, SCRYPT_N, 8, 1);
  return false;
}

function isWeak(stored) {
  const [kind, number] = stored.split('$');
  return kind === 'sha1' || Number(number) < SCRYPT_N;
}

// What is stored for a name, or undefined.
async function find(name) {
  if (!NAME.test(name)) return undefined;
  const { rows } = await pool.query('select password_hash from divers where name = $1', [name]);
  return rows[0]?.password_hash;
}

// Stores the password in place of the old hash, unless somebody else has changed it meanwhile.
async function replace(name, old, password) {
  const sql = 'update divers set password_hash = $1 where name = $2 and password_hash = $3';
  return (await pool.query(sql, [await storedForm(password), name, old])).rowCount === 1;
}

// These fields of the body, or undefined unless all of them are texts.
function texts(req, ...fields) {
  const body = req.body !== null && typeof req.body === 'object' ? req.body : {};
  const values = fields.map((field) => body[field]);
  return values.every((value) => typeof value === 'string') ? values : undefined;
}

function isPassword(text) {
  const length = [...normal(text)].length;
  return length >= 8 && length <= 1024;
}

function signedIn(req) {
  const [kind, token] = (req.get('Authorization') || '').split(' ');
  return kind === 'Bearer' ? sessions.get(token) : undefined;
}

const refuse = (res, status, error) => res.status(status).json({ error });
const caught = (route) => (req, res, next) => route(req, res).catch(next);

app.get('/health', (req, res) => res.json({ ok: true }));

app.get('/work', (req, res) => res.json({ hashes }));

app.post('/divers', caught(async (req, res) => {
  const [name, password] = texts(req, 'name', 'password') ?? [];
  if (name === undefined || !NAME.test(name) || !isPassword(password)) {
    return refuse(res, 422, 'a diver needs a name of 2 to 30 characters and a password of 8 to 1024');
  }
  const sql = 'insert into divers (name, password_hash) values ($1, $2) on conflict (name) do nothing';
  const { rowCount } = await pool.query(sql, [name, await storedForm(password)]);
  if (rowCount === 0) return refuse(res, 409, 'this name is taken');
  res.status(201).json({ name });
}));

app.post('/session', caught(async (req, res) => {
  const [name, password] = texts(req, 'name', 'password') ?? [];
  if (name === undefined) return refuse(res, 422, 'name and password are needed');
  const stored = await find(name);
  if (!(await fits(password, stored))) return refuse(res, 401, 'name or password is wrong');
  if (isWeak(stored)) await replace(name, stored, password);
  const token = crypto.randomBytes(32).toString('base64url');
  sessions.set(token, name);
  res.json({ token });
}));

app.get('/me', (req, res) => {
  const name = signedIn(req);
  if (name === undefined) return refuse(res, 401, 'sign in first');
  res.json({ name });
});

app.put('/password', caught(async (req, res) => {
  const name = signedIn(req);
  if (name === undefined) return refuse(res, 401, 'sign in first');
  const [old, fresh] = texts(req, 'old', 'new') ?? [];
  if (old === undefined || !isPassword(fresh)) {
    return refuse(res, 422, 'the old password and a new one of 8 to 1024 characters are needed');
  }
  const stored = await find(name);
  if (!(await fits(old, stored)) || !(await replace(name, stored, fresh))) {
    return refuse(res, 403, 'the old password is wrong');
  }
  for (const [token, owner] of sessions) {
    if (owner === name) sessions.delete(token);
  }
  res.status(204).end();
}));

app.use((error, req, res, next) => {
  if (error.type === 'entity.parse.failed') return refuse(res, 422, 'the body is no JSON');
  console.error(error.stack);
  refuse(res, 500, 'something broke');
});

app.listen(Number(process.env.PORT), '127.0.0.1');
