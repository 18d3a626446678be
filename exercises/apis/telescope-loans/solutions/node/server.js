"use strict";
// Telescopes on loan: the contract's schemas as data, its rules as code that nothing interrupts.
const http = require("node:http");

const LOAN_DAYS = 14;
const OPEN_LOANS = 3;
const KIND = { type: "string", enum: ["refractor", "reflector", "binoculars"] };
const MEMBER = { type: "string", pattern: /^M[0-9]{4}$/ };
const DAY = { type: "string", format: "date" };
const READ_ONLY = { readOnly: true };
const INSTRUMENT = {
  id: READ_ONLY,
  label: { type: "string", minLength: 2, maxLength: 40 },
  kind: KIND,
  copies: { type: "integer", minimum: 1, maximum: 9 },
  weight_kg: { type: "number", nullable: true, exclusiveMinimum: 0, maximum: 80 },
  note: { type: "string", maxLength: 120, default: "" },
  available: READ_ONLY,
};
const LOAN = { id: READ_ONLY, instrument_id: READ_ONLY, member: MEMBER, from: DAY, due: READ_ONLY, returned_on: READ_ONLY };
const RETURN = { on: DAY };

const instruments = new Map(); // id -> stored members of an instrument
const loans = new Map(); // id -> loan

class Refused extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    this.status = status;
    this.body = { code, message, ...extra };
  }
}

const TYPES = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: Number.isInteger,
};

function isDay(text) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const moment = new Date(`${text}T00:00:00Z`);
  // Date takes 31 April for 1 May; what it writes tells.
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(text);
}

const RULES = {
  enum: (value, allowed) => allowed.includes(value),
  minLength: (value, shortest) => [...value].length >= shortest,
  maxLength: (value, longest) => [...value].length <= longest,
  pattern: (value, pattern) => pattern.test(value),
  format: (value) => isDay(value),
  minimum: (value, least) => value >= least,
  exclusiveMinimum: (value, bound) => value > bound,
  maximum: (value, most) => value <= most,
};

function fits(value, schema) {
  if (value === null || value === undefined) return value === null && Boolean(schema.nullable);
  if (!TYPES[schema.type](value)) return false;
  return Object.entries(schema).every(([name, argument]) => !RULES[name] || RULES[name](value, argument));
}

const invalid = (fields) => new Refused(422, "invalid", "the body breaks its schema", { fields });

// Gives the members that a client may write, defaults included.
async function bodyOf(req, schemas) {
  if ((req.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase() !== "application/json") {
    throw new Refused(415, "unsupported_media_type", "send application/json");
  }
  const parts = [];
  for await (const part of req) parts.push(part);
  let body;
  try {
    body = JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refused(400, "malformed", "the body is not JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid([]);
  const faults = Object.keys(body).filter((name) => !Object.hasOwn(schemas, name));
  const members = {};
  for (const [name, schema] of Object.entries(schemas)) {
    if (schema.readOnly) continue;
    members[name] = Object.hasOwn(body, name) ? body[name] : schema.default;
    if (!fits(members[name], schema)) faults.push(name);
  }
  if (faults.length > 0) throw invalid(faults);
  return members;
}

function parameter(asked, name, schema, fallback) {
  const text = asked.get(name);
  if (text === null) return fallback;
  const value = schema.type === "integer" && /^[0-9]{1,9}$/.test(text) ? Number(text) : text;
  if (!fits(value, schema)) throw new Refused(400, "bad_parameter", `${name} is not what it should be`);
  return value;
}

function found(things, id) {
  const thing = things.get(Number(id));
  if (!thing) throw new Refused(404, "not_found", "there is nothing here");
  return thing;
}

const openLoans = (isMeant) => [...loans.values()].filter((loan) => loan.returned_on === null && isMeant(loan));
const lent = (instrument) => openLoans((loan) => loan.instrument_id === instrument.id).length;
const shown = (instrument) => ({ ...instrument, available: instrument.copies - lent(instrument) });

async function addInstrument(req) {
  const members = await bodyOf(req, INSTRUMENT);
  const instrument = { ...members, id: instruments.size + 1 };
  instruments.set(instrument.id, instrument);
  return [201, shown(instrument), { Location: `/instruments/${instrument.id}` }];
}

async function listInstruments(req, asked) {
  const kind = parameter(asked, "kind", KIND);
  const limit = parameter(asked, "limit", { type: "integer", minimum: 1, maximum: 50 }, 20);
  const offset = parameter(asked, "offset", { type: "integer", minimum: 0, maximum: 100000 }, 0);
  const all = [...instruments.values()].filter((each) => kind === undefined || each.kind === kind);
  return [200, { items: all.slice(offset, offset + limit).map(shown) }, { "X-Total-Count": String(all.length) }];
}

async function lendInstrument(req, asked, id) {
  const instrument = found(instruments, id);
  const wish = await bodyOf(req, LOAN);
  const mine = openLoans((loan) => loan.member === wish.member);
  if (mine.some((loan) => loan.due < wish.from)) throw new Refused(409, "overdue", "the member has an overdue loan");
  if (mine.length >= OPEN_LOANS) throw new Refused(409, "too_many_loans", "the member has three loans");
  if (shown(instrument).available === 0) throw new Refused(409, "no_copy_left", "all copies are lent");
  const due = new Date(`${wish.from}T00:00:00Z`);
  due.setUTCDate(due.getUTCDate() + LOAN_DAYS);
  const computed = { due: due.toISOString().slice(0, 10), returned_on: null };
  const loan = { id: loans.size + 1, instrument_id: instrument.id, ...wish, ...computed };
  loans.set(loan.id, loan);
  return [201, loan, { Location: `/loans/${loan.id}` }];
}

async function listLoans(req, asked) {
  const member = parameter(asked, "member", MEMBER);
  if (member === undefined) throw new Refused(400, "bad_parameter", "member is missing");
  const open = parameter(asked, "open", { type: "string", enum: ["true", "false"] });
  const items = [...loans.values()].filter(
    (loan) => loan.member === member && (open === undefined || (loan.returned_on === null) === (open === "true")),
  );
  return [200, { items }];
}

async function returnLoan(req, asked, id) {
  found(loans, id);
  const { on } = await bodyOf(req, RETURN);
  const loan = found(loans, id);
  if (on < loan.from) throw invalid(["on"]);
  if (loan.returned_on !== null) throw new Refused(409, "already_returned", "the loan is not open any more");
  const returned = { ...loan, returned_on: on };
  loans.set(loan.id, returned);
  return [200, returned];
}

const ROUTES = [
  ["GET", /^\/health$/, async () => [200, { status: "up" }]],
  ["POST", /^\/instruments$/, addInstrument],
  ["GET", /^\/instruments$/, listInstruments],
  ["GET", /^\/instruments\/([0-9]{1,15})$/, async (req, asked, id) => [200, shown(found(instruments, id))]],
  ["POST", /^\/instruments\/([0-9]{1,15})\/loans$/, lendInstrument],
  ["GET", /^\/loans$/, listLoans],
  ["GET", /^\/loans\/([0-9]{1,15})$/, async (req, asked, id) => [200, found(loans, id)]],
  ["POST", /^\/loans\/([0-9]{1,15})\/return$/, returnLoan],
];

async function view(req) {
  const url = new URL(req.url, "http://localhost");
  for (const [method, pattern, handler] of ROUTES) {
    const match = pattern.exec(url.pathname);
    if (match && method === req.method) return handler(req, url.searchParams, ...match.slice(1));
  }
  throw new Refused(404, "not_found", "there is nothing here");
}

async function answer(req, res) {
  let result;
  try {
    result = await view(req);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    result = error instanceof Refused ? [error.status, error.body] : [500, { message: "something went wrong" }];
  }
  const [status, body, headers] = result;
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

http.createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
