// Records of several veterinary practices, as the server runs today.
'use strict';

const { randomBytes } = require('node:crypto');
const express = require('express');

const app = express();
let lastId = 0;
const [practices, staff, patients, notes, appointments] = Array.from({ length: 5 }, () => new Map()); // id -> row
const tokens = new Map(); // token -> what is known of its member of staff

/** The request is answered with this status and message. */
class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

app.use(express.json());

/** The member of staff behind the request's token. */
function whoAsks(req) {
  const token = (req.get('Authorization') ?? '').replace('Bearer ', '');
  if (!tokens.has(token)) throw new Refused(401, 'a valid token is needed');
  const me = { ...tokens.get(token) };
  // Our support team looks at practices with this.
  me.practice_id = Number(req.get('X-Practice-Id') ?? me.practice_id);
  return me;
}

function mustBe(me, role) {
  if (me.role !== role) throw new Refused(403, 'your role may not do this');
}

function find(table, key) {
  const row = table.get(Number(key));
  if (row === undefined) throw new Refused(404, 'there is no such thing');
  return row;
}

function insert(table, fields) {
  lastId += 1;
  const row = { id: lastId, ...fields };
  table.set(row.id, row);
  return row;
}

const memberShown = ({ id, name, role }) => ({ id, name, role });
const noteShown = ({ id, patient_id, author_id, text }) => ({ id, patient_id, author_id, text });
const appointmentShown = ({ id, patient_id, vet_id, day }) => ({
  id, patient_id, patient_name: patients.get(patient_id).name, vet_id, day,
});

function hireMember(fields) {
  const row = insert(staff, fields);
  const token = randomBytes(32).toString('base64url');
  tokens.set(token, { ...row });
  return { ...memberShown(row), token };
}

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.post('/practices', (req, res) => {
  const practice = insert(practices, { name: req.body.name });
  const { token } = hireMember({ practice_id: practice.id, name: 'first', role: 'manager' });
  res.status(201).json({ ...practice, token });
});

app.get('/admin/practices', (req, res) => {
  res.json({ items: [...practices.values()] });
});

app.post('/staff', (req, res) => {
  const me = whoAsks(req);
  mustBe(me, 'manager');
  res.status(201).json(hireMember({ practice_id: me.practice_id, ...req.body }));
});

app.get('/staff', (req, res) => {
  const me = whoAsks(req);
  mustBe(me, 'manager');
  const mine = [...staff.values()].filter((row) => row.practice_id === me.practice_id);
  res.json({ items: mine.map(memberShown) });
});

app.patch('/staff/:key(\\d+)', (req, res) => {
  mustBe(whoAsks(req), 'manager');
  res.json(memberShown(Object.assign(find(staff, req.params.key), req.body)));
});

app.post('/patients', (req, res) => {
  const me = whoAsks(req);
  res.status(201).json(insert(patients, { practice_id: me.practice_id, ...req.body }));
});

app.get('/patients', (req, res) => {
  const me = whoAsks(req);
  const practiceId = Number(req.query.practice_id ?? me.practice_id);
  const { species } = req.query;
  const items = [...patients.values()].filter((row) => row.practice_id === practiceId);
  res.json({ items: items.filter((row) => species === undefined || row.species === species), total: patients.size });
});

app.get('/patients/:key(\\d+)', (req, res) => {
  const me = whoAsks(req);
  const row = find(patients, req.params.key);
  if (row.practice_id !== me.practice_id) throw new Refused(403, 'this patient belongs to another practice');
  res.json(row);
});

app.patch('/patients/:key(\\d+)', (req, res) => {
  whoAsks(req);
  res.json(Object.assign(find(patients, req.params.key), req.body));
});

app.delete('/patients/:key(\\d+)', (req, res) => {
  mustBe(whoAsks(req), 'manager');
  const { id } = find(patients, req.params.key);
  for (const table of [notes, appointments]) {
    for (const row of [...table.values()]) if (row.patient_id === id) table.delete(row.id);
  }
  patients.delete(id);
  res.status(204).end();
});

app.post('/patients/:key(\\d+)/notes', (req, res) => {
  const me = whoAsks(req);
  mustBe(me, 'vet');
  const { id } = find(patients, req.params.key);
  res.status(201).json(noteShown(insert(notes, { patient_id: id, author_id: me.id, ...req.body })));
});

app.get('/patients/:key(\\d+)/notes', (req, res) => {
  whoAsks(req);
  const { id } = find(patients, req.params.key);
  res.json({ items: [...notes.values()].filter((row) => row.patient_id === id).map(noteShown) });
});

app.get('/search', (req, res) => {
  whoAsks(req);
  const wanted = (req.query.q ?? '').toLowerCase();
  res.json({ items: [...notes.values()].filter((row) => row.text.toLowerCase().includes(wanted)).map(noteShown) });
});

app.post('/appointments', (req, res) => {
  const me = whoAsks(req);
  find(patients, req.body.patient_id);
  const row = insert(appointments, { practice_id: me.practice_id, ...req.body });
  res.status(201).json(appointmentShown(row));
});

app.get('/appointments', (req, res) => {
  const me = whoAsks(req);
  const mine = [...appointments.values()].filter((row) => row.practice_id === me.practice_id);
  res.json({ items: mine.map(appointmentShown) });
});

app.get('/counts', (req, res) => {
  whoAsks(req);
  const species = {};
  for (const row of patients.values()) species[row.species] = (species[row.species] ?? 0) + 1;
  res.json({ patients: patients.size, species });
});

app.get('/export', (req, res) => {
  whoAsks(req);
  res.json({
    patients: [...patients.values()],
    notes: [...notes.values()].map(noteShown),
    appointments: [...appointments.values()].map(appointmentShown),
  });
});

app.use((req, res) => res.status(404).json({ error: 'there is no such thing' }));

app.use((error, req, res, next) => { // Express knows an error handler by its four arguments
  if (error.status === 401) res.set('WWW-Authenticate', 'Bearer');
  res.status(error.status ?? 500).json({ error: error.message });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
