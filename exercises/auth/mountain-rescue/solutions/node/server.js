'use strict';

// The volunteers of the mountain rescue: joining, signing in, and the way back in for those who have forgotten.
// A mail is a row of `resets`: its time counts towards the limit, its hash recognises the token. Good is only the row of
// the latest mail, while it is young and unused.
const crypto = require('node:crypto');
const { promisify } = require('node:util');
const express = require('express');
const { Pool } = require('pg');

const PUBLIC_URL = process.env.PUBLIC_URL || 'https://rota.example';
const MAIL_SERVICE = `${process.env.UPSTREAM_URL}/mail`;
const RESET_SECONDS = Number(process.env.RESET_SECONDS || 1800);
const MAX_MAILS = Number(process.env.MAX_MAILS || 3);
const MAIL_SECONDS = Number(process.env.MAIL_SECONDS || 3600);
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

// What `work` returns, done on one connection in one transaction.
async function transaction(work) {
  const db = await pool.connect();
  try {
    await db.query('begin');
    const result = await work(db);
    await db.query('commit');
    return result;
  } catch (error) {
    await db.query('rollback');
    throw error;
  } finally {
    db.release();
  }
}

app.post('/reset-requests', caught(async (req, res) => {
  const [email] = texts(req, 'email') ?? [];
  if (email === undefined) return refuse(res, 422, 'email is needed');
  const mail = /^[\x20-\x7e]+$/.test(email) ? await newMail(email.toLowerCase()) : undefined;
  if (mail !== undefined) send(mail);
  res.status(202).json({ message: "If this is a volunteer's address, a mail is on its way." });
}));

// The mail for a volunteer, recorded; undefined if there is no such volunteer, or were too many mails.
function newMail(email) {
  return transaction(async (db) => {
    // The lock makes requests for one volunteer come one after another, so that the count below is true.
    const volunteer = (await db.query('select id from volunteers where email = $1 for update', [email])).rows[0];
    if (volunteer === undefined) return undefined;
    // clock_timestamp(), not now(): the transaction may have waited for the lock.
    const recent = await db.query(
      `select count(*)::int as mails from resets
       where volunteer_id = $1 and requested_at > clock_timestamp() - make_interval(secs => $2)`,
      [volunteer.id, MAIL_SECONDS],
    );
    if (recent.rows[0].mails >= MAX_MAILS) return undefined;
    const token = random();
    const sql = 'insert into resets (volunteer_id, token_hash, requested_at) values ($1, $2, clock_timestamp())';
    await db.query(sql, [volunteer.id, digest(token)]);
    return { to: email, subject: 'Your way back in', link: `${PUBLIC_URL}/reset#${token}` };
  });
}

function send(mail) {
  const headers = { 'Content-Type': 'application/json' };
  fetch(MAIL_SERVICE, { method: 'POST', headers, body: JSON.stringify(mail), signal: AbortSignal.timeout(5000) })
    .then((answer) => {
      if (!answer.ok) console.log(`a mail was not sent: ${answer.status}`);
    })
    .catch((error) => console.log(`a mail was not sent: ${error.message}`));
}

app.post('/reset', caught(async (req, res) => {
  const [token, password] = texts(req, 'token', 'password') ?? [];
  if (token === undefined || password.length < 8 || password.length > 200) {
    return refuse(res, 422, 'a token and a password of 8 to 200 characters are needed');
  }
  const passwordHash = await hashPassword(password); // slow, so before the transaction
  const done = await transaction(async (db) => {
    // One statement finds the token and uses it up: only one of several gets the row.
    const used = await db.query(
      `update resets set used_at = clock_timestamp()
       where token_hash = $1 and used_at is null
         and requested_at > clock_timestamp() - make_interval(secs => $2)
         and id = (select max(id) from resets latest where latest.volunteer_id = resets.volunteer_id)
       returning volunteer_id`,
      [digest(token), RESET_SECONDS],
    );
    if (used.rows.length === 0) return false;
    const id = used.rows[0].volunteer_id;
    await db.query('update volunteers set password_hash = $1 where id = $2', [passwordHash, id]);
    await db.query('delete from sessions where volunteer_id = $1', [id]);
    return true;
  });
  if (!done) return refuse(res, 400, 'this link is not good any more');
  res.status(204).end();
}));

app.use((error, req, res, next) => {
  if (error.type === 'entity.parse.failed') return refuse(res, 422, 'the body is no JSON');
  console.error(error.stack);
  refuse(res, 500, 'something broke');
});

app.listen(Number(process.env.PORT), '127.0.0.1');
