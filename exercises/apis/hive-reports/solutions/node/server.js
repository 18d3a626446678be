"use strict";
// Hive inspections: a report is filed, or refused with everything that is wrong with it.
// A rule takes a value and its pointer and returns faults. Rules of objects and lists ask the rules of what is in them.
const http = require("node:http");
const archive = require("./archive.js");

const MAX_BODY_BYTES = Number(process.env.MAX_BODY_BYTES ?? 16384);
const TITLES = {
  "not-json": "The body is not JSON",
  "not-found": "There is nothing here",
  "method-not-allowed": "This address does not have that method",
  "too-large": "The body is too long",
  "unsupported-media-type": "The body must be application/json",
  "invalid-report": "The report has faults",
  internal: "Something went wrong on our side",
};

const reports = new Map(); // id -> report
let lastId = 0;

class Problem extends Error {
  constructor(status, kind, members = {}, headers = {}) {
    super(kind);
    Object.assign(this, { status, kind, members, headers });
  }
}

const fault = (pointer, code, detail) => ({ pointer, code, detail });
const below = (at, name) => `${at}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function text(shortest, longest) {
  return (value, at) => {
    if (typeof value !== "string") return [fault(at, "type", "must be a text")];
    const length = [...value].length; // code points; .length counts UTF-16 units
    const fits = shortest <= length && length <= longest;
    return fits ? [] : [fault(at, "length", `must have ${shortest} to ${longest} characters`)];
  };
}

function number(lowest, highest, { isRight = (value) => typeof value === "number", name = "a number" } = {}) {
  return (value, at) => {
    if (!isRight(value)) return [fault(at, "type", `must be ${name}`)];
    const fits = lowest <= value && value <= highest;
    return fits ? [] : [fault(at, "range", `must be ${name} from ${lowest} to ${highest}`)];
  };
}

const whole = (lowest, highest) => number(lowest, highest, { isRight: Number.isInteger, name: "a whole number" });
const truth = (value, at) => (typeof value === "boolean" ? [] : [fault(at, "type", "must be true or false")]);
const nullable = (rule) => (value, at) => (value === null ? [] : rule(value, at));

function isDay(value) {
  const match = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/.exec(value);
  if (!match || match[1] === "0000") return false;
  const [year, month, day] = match.slice(1).map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

function day(value, at) {
  if (typeof value !== "string") return [fault(at, "type", "must be a text")];
  return isDay(value) ? [] : [fault(at, "format", "must be a day of the calendar, written YYYY-MM-DD")];
}

function oneOf(...choices) {
  return (value, at) => {
    if (typeof value !== "string") return [fault(at, "type", "must be a text")];
    return choices.includes(value) ? [] : [fault(at, "choice", `must be one of ${choices.join(", ")}`)];
  };
}

function thing(required, optional) {
  const rules = { ...required, ...optional };
  return (value, at) => {
    if (!isObject(value)) return [fault(at, "type", "must be an object")];
    const missing = Object.keys(required).filter((name) => !Object.hasOwn(value, name));
    return [
      ...missing.map((name) => fault(below(at, name), "required", "is missing")),
      ...Object.keys(value).flatMap((name) =>
        Object.hasOwn(rules, name)
          ? rules[name](value[name], below(at, name))
          : [fault(below(at, name), "unknown", "is not part of a report")],
      ),
    ];
  };
}

const position = whole(1, 20);
const frame = thing({ position, brood: number(0, 1) }, { stores: oneOf("honey", "pollen", "none") });

function frames(value, at) {
  if (!Array.isArray(value)) return [fault(at, "type", "must be a list")];
  if (value.length < 1 || value.length > 20) return [fault(at, "length", "must have 1 to 20 frames")];
  const taken = new Set();
  return value.flatMap((each, index) => {
    const faults = frame(each, below(at, index));
    const place = isObject(each) ? each.position : undefined;
    if (position(place, at).length > 0) return faults;
    if (taken.has(place)) {
      faults.push(fault(`${below(at, index)}/position`, "duplicate", "is the position of an earlier frame"));
    }
    taken.add(place);
    return faults;
  });
}

const report = thing(
  { apiary: text(1, 60), inspected_on: day, queen_seen: truth, mites_per_100: nullable(whole(0, 100)), frames },
  { note: text(0, 200) },
);

async function bodyOf(req) {
  if ((req.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase() !== "application/json") {
    throw new Problem(415, "unsupported-media-type");
  }
  if (Number(req.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw new Problem(413, "too-large");
  const parts = [];
  for await (const part of req) parts.push(part);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts)));
  } catch {
    throw new Problem(400, "not-json");
  }
}

async function fileReport(req) {
  const body = await bodyOf(req);
  const faults = report(body, "");
  if (faults.length > 0) throw new Problem(422, "invalid-report", { errors: faults });
  const sheets = body.frames.map((each) => ({ stores: "none", ...each }));
  const filed = { id: ++lastId, note: "", ...body, frames: sheets };
  archive.keep(filed);
  reports.set(filed.id, filed);
  return [201, filed, { Location: `/reports/${filed.id}` }];
}

async function readReport(req, id) {
  const found = reports.get(Number(id));
  if (!found) throw new Problem(404, "not-found");
  return [200, found];
}

const ROUTES = [
  [/^\/health$/, { GET: async () => [200, { status: "up" }] }],
  [/^\/reports$/, { POST: fileReport }],
  [/^\/reports\/([0-9]{1,15})$/, { GET: readReport }],
];

function view(req) {
  const path = req.url.split("?")[0];
  for (const [pattern, methods] of ROUTES) {
    const match = pattern.exec(path);
    if (!match) continue;
    if (!Object.hasOwn(methods, req.method)) {
      throw new Problem(405, "method-not-allowed", {}, { Allow: Object.keys(methods).join(", ") });
    }
    return methods[req.method](req, ...match.slice(1));
  }
  throw new Problem(404, "not-found");
}

function send(res, status, body, type, headers = {}) {
  res.writeHead(status, { "Content-Type": type, ...headers });
  res.end(JSON.stringify(body));
}

async function answer(req, res) {
  try {
    const [status, body, headers] = await view(req);
    send(res, status, body, "application/json", headers);
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    const known = error instanceof Problem ? error : new Problem(500, "internal");
    const { status, kind, members, headers } = known;
    const body = { type: `/problems/${kind}`, title: TITLES[kind], status, ...members };
    send(res, status, body, "application/problem+json", headers);
  }
}

http.createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
