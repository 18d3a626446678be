// Records of several veterinary practices: every request asks "may I?".
//
// Two places decide, and no handler does. `route` says who may use a route, so none can be added without saying it.
// `own` and `find` are the only ways to rows, and they see those of one practice.
'use strict';

const { randomBytes } = require('node:crypto');
const express = require('express');

const ROLES = ['reception', 'vet', 'manager']; // each may do what those before it may

const app = express();
let lastId = 0;
const [practices, staff, patients, notes, appointments] = Array.from({ length: 5 }, () => new Map()); // id -> row
const tokens = new Map(); // token -> id of a member of staff

/** The request is answered with this status and message. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

app.use(express.text({ type: () => true })); // parsed only when a handler asks for it, so that 401 to 404 come first

// Who may

/** The member of staff behind the request's token. */
function whoAsks(req) {
  const [, token] = /^bearer (.+)$/i.exec(req.get('Authorization') ?? '') ?? [];
  if (!tokens.has(token)) throw new Refused(401, 'a valid token is needed');
  return staff.get(tokens.get(token));
}

const isAtLeast = (member, role) => ROLES.indexOf(member.role) >= ROLES.indexOf(role);

/** Adds a handler that is called with the asking member of staff, whose role is `least` or above. */
function route(method, path, least, handler) {
  app[method](path, (req, res) => {
    const me = whoAsks(req);
    if (!isAtLeast(me, least)) throw new Refused(403, 'your role may not do this');
    handler(me, req, res, Number(req.params.key));
  });
}

// What there is

/** The rows of this table that exist for this member of staff, oldest first. */
const own = (me, table) => [...table.values()].filter((row) => row.practice_id === me.practice_id);

/** The row with this id, or undefined if it does not exist for this member of staff. */
function find(me, table, key) {
  const row = table.get(key);
  return row?.practice_id === me.practice_id ? row : undefined;
}

function findOr404(me, table, key) {
  const row = find(me, table, key);
  if (row === undefined) throw new Refused(404, 'there is no such thing');
  return row;
}

function insert(me, table, fields) {
  lastId += 1;
  const row = { id: lastId, practice_id: me.practice_id, ...fields };
  table.set(row.id, row);
  return row;
}

// What may be sent

const text = (longest) => (value) => typeof value === 'string' && value.length >= 1 && value.length <= longest;
const isRole = (value) => ROLES.includes(value);
const isDay = (value) => typeof value === 'string' && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value);
const PATIENT = { name: text(80), species: text(80), owner: text(80) };

/** The request's body: an object with the fields of `rules`, all of them or (partial) one at least. */
function bodyOf(req, rules, { partial = false } = {}) {
  let body;
  try {
    body = JSON.parse(req.body);
  } catch {
    body = null;
  }
  const isObject = body !== null && typeof body === 'object' && !Array.isArray(body);
  const names = isObject ? Object.keys(body) : [];
  if (names.length === 0 || !names.every((name) => Object.hasOwn(rules, name))) {
    throw new Refused(422, `the body must be an object with the fields ${Object.keys(rules).join(', ')}`);
  }
  if (!partial && names.length < Object.keys(rules).length) {
    throw new Refused(422, `the fields ${Object.keys(rules).join(', ')} are needed`);
  }
  for (const name of names) {
    if (!rules[name](body[name])) throw new Refused(422, `${name} is not as it should be`);
  }
  return body;
}

// What is answered

const memberShown = ({ id, name, role }) => ({ id, name, role });
const noteShown = ({ id, patient_id, author_id, text: words }) => ({ id, patient_id, author_id, text: words });
const appointmentShown = ({ id, patient_id, vet_id, day }) => ({
  id, patient_id, patient_name: patients.get(patient_id).name, vet_id, day,
});

function hireMember(practiceId, { name, role }) {
  const row = insert({ practice_id: practiceId }, staff, { name, role });
  const token = randomBytes(32).toString('base64url');
  tokens.set(token, row.id);
  return { ...memberShown(row), token };
}

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.post('/practices', (req, res) => {
  const { name } = bodyOf(req, { name: text(80) });
  lastId += 1;
  const practice = { id: lastId, name };
  practices.set(practice.id, practice);
  const { token } = hireMember(practice.id, { name: 'first', role: 'manager' });
  res.status(201).json({ ...practice, token });
});

route('post', '/staff', 'manager', (me, req, res) => {
  res.status(201).json(hireMember(me.practice_id, bodyOf(req, { name: text(80), role: isRole })));
});

route('get', '/staff', 'manager', (me, req, res) => {
  res.json({ items: own(me, staff).map(memberShown) });
});

route('patch', '/staff/:key(\\d+)', 'manager', (me, req, res, key) => {
  const row = findOr404(me, staff, key);
  Object.assign(row, bodyOf(req, { role: isRole }));
  res.json(memberShown(row));
});

route('post', '/patients', 'reception', (me, req, res) => {
  res.status(201).json(insert(me, patients, bodyOf(req, PATIENT)));
});

route('get', '/patients', 'reception', (me, req, res) => {
  const mine = own(me, patients);
  const { species } = req.query;
  res.json({ items: mine.filter((row) => species === undefined || row.species === species), total: mine.length });
});

route('get', '/patients/:key(\\d+)', 'reception', (me, req, res, key) => {
  res.json(findOr404(me, patients, key));
});

route('patch', '/patients/:key(\\d+)', 'reception', (me, req, res, key) => {
  const row = findOr404(me, patients, key);
  res.json(Object.assign(row, bodyOf(req, PATIENT, { partial: true })));
});

route('delete', '/patients/:key(\\d+)', 'manager', (me, req, res, key) => {
  findOr404(me, patients, key);
  patients.delete(key);
  for (const table of [notes, appointments]) {
    for (const row of own(me, table)) if (row.patient_id === key) table.delete(row.id);
  }
  res.status(204).end();
});

route('post', '/patients/:key(\\d+)/notes', 'vet', (me, req, res, key) => {
  findOr404(me, patients, key);
  const note = { patient_id: key, author_id: me.id, ...bodyOf(req, { text: text(2000) }) };
  res.status(201).json(noteShown(insert(me, notes, note)));
});

route('get', '/patients/:key(\\d+)/notes', 'vet', (me, req, res, key) => {
  findOr404(me, patients, key);
  res.json({ items: own(me, notes).filter((row) => row.patient_id === key).map(noteShown) });
});

route('get', '/search', 'vet', (me, req, res) => {
  const wanted = String(req.query.q ?? '').toLowerCase();
  res.json({ items: own(me, notes).filter((row) => row.text.toLowerCase().includes(wanted)).map(noteShown) });
});

route('post', '/appointments', 'reception', (me, req, res) => {
  const body = bodyOf(req, { patient_id: Number.isInteger, vet_id: Number.isInteger, day: isDay });
  const vet = find(me, staff, body.vet_id);
  if (find(me, patients, body.patient_id) === undefined || vet === undefined || !isAtLeast(vet, 'vet')) {
    throw new Refused(422, 'there is no such patient, or no such vet');
  }
  res.status(201).json(appointmentShown(insert(me, appointments, body)));
});

route('get', '/appointments', 'reception', (me, req, res) => {
  res.json({ items: own(me, appointments).map(appointmentShown) });
});

route('get', '/counts', 'reception', (me, req, res) => {
  const species = Object.create(null); // without anything that a species could be called already
  for (const row of own(me, patients)) species[row.species] = (species[row.species] ?? 0) + 1;
  res.json({ patients: own(me, patients).length, species });
});

route('get', '/export', 'manager', (me, req, res) => {
  res.json({
    patients: own(me, patients),
    notes: own(me, notes).map(noteShown),
    appointments: own(me, appointments).map(appointmentShown),
  });
});

app.use((req, res) => res.status(404).json({ error: 'there is no such thing' }));

app.use((error, req, res, next) => { // Express knows an error handler by its four arguments
  if (error.status === 401) res.set('WWW-Authenticate', 'Bearer');
  if (!error.status) console.error(error);
  res.status(error.status ?? 500).json({ error: error.status ? error.message : 'something went wrong' });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
