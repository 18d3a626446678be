"use strict";
// Entries of a regatta: read and patched under conditions.
// A tag is a hash of exactly what its address shows. So entry, crew and each filtered list have the right tag by themselves,
// also after a restart. All that is kept besides is the time of each entry's last change.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { createHash } = require("node:crypto");
const { isDeepStrictEqual } = require("node:util");

const STATE = path.join(process.env.STATE_DIR, "entries.json");
const MERGE_PATCH = "application/merge-patch+json";
const CLASSES = ["dinghy", "keelboat", "multihull"];

class Refused extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    Object.assign(this, { status, headers });
  }
}

const saved = fs.existsSync(STATE) ? JSON.parse(fs.readFileSync(STATE, "utf8")) : { lastId: 0, records: [] };
const records = new Map(saved.records.map((record) => [record.entry.id, record])); // id -> { entry, changed }
let { lastId } = saved;

function save() {
  fs.writeFileSync(`${STATE}.new`, JSON.stringify({ lastId, records: [...records.values()] }));
  fs.renameSync(`${STATE}.new`, STATE); // in one step: the file is the old state or the new one
}

function store(entry) {
  records.set(entry.id, { entry, changed: Math.floor(Date.now() / 1000) });
  save();
}

function find(id) {
  const record = records.get(Number(id));
  if (!record) throw new Refused(404, "there is no such entry");
  return record;
}

// Rules of what is stored.

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value, longest) => typeof value === "string" && value !== "" && [...value].length <= longest;

function isSkipper(value) {
  if (!isObject(value) || Object.keys(value).some((name) => name !== "name" && name !== "phone")) return false;
  return isText(value.name, 60) && (!Object.hasOwn(value, "phone") || isText(value.phone, 30));
}

function isCrew(value) {
  if (!isObject(value) || Object.keys(value).length > 6) return false;
  return Object.entries(value).every(([role, name]) => /^[a-z]{1,20}$/.test(role) && isText(name, 60));
}

const RULES = {
  boat: (value) => isText(value, 40),
  class: (value) => CLASSES.includes(value),
  sail: (value) => typeof value === "string" && /^[A-Z]{2,3} [0-9]{1,5}$/.test(value),
  skipper: isSkipper,
  crew: isCrew,
  flags: (value) => Array.isArray(value) && value.length <= 10 && value.every((flag) => typeof flag === "string"),
};

// The members of an entry, complete.
function checked(sent) {
  const members = { crew: {}, flags: [], ...sent };
  const faults = ["boat", "class", "sail"].filter((name) => !Object.hasOwn(members, name));
  faults.push(
    ...Object.keys(members).filter((name) => !Object.hasOwn(RULES, name) || !RULES[name](members[name])),
  );
  if (faults.length > 0) throw new Refused(422, `not an entry: ${faults.join(", ")}`);
  return members;
}

// What RFC 7396 makes of target and patch; neither is touched.
function merged(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merged(Object.hasOwn(result, name) ? result[name] : undefined, value);
  }
  return result;
}

// Conditions.

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join()}}`;
}

const tagOf = (shown) => `"${createHash("sha256").update(canonical(shown)).digest("hex").slice(0, 32)}"`;
const tagsIn = (header) => header.match(/(?:W\/)?"[^"]*"/g) ?? [];

// The seconds of an HTTP date, or null if it is none.
function dateIn(header = "") {
  const moment = new Date(header);
  return !Number.isNaN(moment.getTime()) && moment.toUTCString() === header ? moment.getTime() / 1000 : null;
}

// Refuses a write that is not based on the current version.
function checkConditions({ headers }, tag, changed = null) {
  if (headers["if-match"] !== undefined) {
    const wanted = headers["if-match"];
    if (wanted.trim() === "*" || tagsIn(wanted).includes(tag)) return;
    throw new Refused(412, "this is not the version you know");
  }
  const date = changed === null ? null : dateIn(headers["if-unmodified-since"]);
  if (date === null) throw new Refused(428, "say which version this is based on");
  if (changed > date) throw new Refused(412, "it was changed since");
}

// Whether the reader has this version already.
function isKnown({ headers }, tag, changed = null) {
  if (headers["if-none-match"] !== undefined) {
    const known = headers["if-none-match"];
    return known.trim() === "*" || tagsIn(known).some((each) => each.replace(/^W\//, "") === tag);
  }
  const date = changed === null ? null : dateIn(headers["if-modified-since"]);
  return date !== null && changed <= date;
}

function answer(req, shown, { status = 200, changed = null, ...more } = {}) {
  const tag = tagOf(shown);
  const headers = { ...more, ETag: tag };
  if (changed !== null) headers["Last-Modified"] = new Date(changed * 1000).toUTCString();
  if (req.method === "GET" && isKnown(req, tag, changed)) return [304, undefined, headers];
  return [status, shown, headers];
}

async function rawBody(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
}

function parsed(req, raw, media, headers = {}) {
  if ((req.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase() !== media) {
    throw new Refused(415, `send ${media}`, headers);
  }
  let body;
  try {
    body = JSON.parse(raw);
  } catch {
    throw new Refused(400, "the body is not JSON");
  }
  if (!isObject(body)) throw new Refused(422, "the body is not an object");
  return body;
}

const patchIn = (req, raw) => parsed(req, raw, MERGE_PATCH, { "Accept-Patch": MERGE_PATCH });

async function list(req) {
  const wanted = new URL(req.url, "http://localhost").searchParams.get("class");
  const items = [...records.values()].map(({ entry }) => entry);
  return answer(req, { items: items.filter((entry) => wanted === null || entry.class === wanted) });
}

async function enter(req) {
  const members = checked(parsed(req, await rawBody(req), "application/json"));
  lastId += 1;
  store({ id: lastId, ...members });
  const { entry, changed } = find(lastId);
  return answer(req, entry, { status: 201, changed, Location: `/entries/${entry.id}` });
}

async function readEntry(req, id) {
  const { entry, changed } = find(id);
  return answer(req, entry, { changed });
}

// Stores what the patch makes of the entry.
function applyPatch({ id, ...members }, patch) {
  const after = { id, ...checked(merged(members, patch)) };
  if (!isDeepStrictEqual(after, { id, ...members })) store(after);
  return find(id);
}

// In what follows nothing is awaited between looking and storing.

async function patchEntry(req, id) {
  const raw = await rawBody(req);
  const before = find(id);
  checkConditions(req, tagOf(before.entry), before.changed);
  const { entry, changed } = applyPatch(before.entry, patchIn(req, raw));
  return answer(req, entry, { changed });
}

async function withdraw(req, id) {
  const { entry, changed } = find(id);
  checkConditions(req, tagOf(entry), changed);
  records.delete(entry.id);
  save();
  return [204];
}

async function readCrew(req, id) {
  return answer(req, find(id).entry.crew);
}

async function patchCrew(req, id) {
  const raw = await rawBody(req);
  const before = find(id).entry;
  checkConditions(req, tagOf(before.crew));
  return answer(req, applyPatch(before, { crew: patchIn(req, raw) }).entry.crew);
}

const ROUTES = [
  ["GET", /^\/health$/, async () => [200, { status: "up" }]],
  ["GET", /^\/entries$/, list],
  ["POST", /^\/entries$/, enter],
  ["GET", /^\/entries\/([0-9]{1,15})$/, readEntry],
  ["PATCH", /^\/entries\/([0-9]{1,15})$/, patchEntry],
  ["DELETE", /^\/entries\/([0-9]{1,15})$/, withdraw],
  ["GET", /^\/entries\/([0-9]{1,15})\/crew$/, readCrew],
  ["PATCH", /^\/entries\/([0-9]{1,15})\/crew$/, patchCrew],
];

async function view(req) {
  for (const [method, pattern, handler] of ROUTES) {
    const match = pattern.exec(req.url.split("?")[0]);
    if (match && method === req.method) return handler(req, ...match.slice(1));
  }
  throw new Refused(404, "there is nothing here");
}

async function serve(req, res) {
  let result;
  try {
    result = await view(req);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    const known = error instanceof Refused ? error : new Refused(500, "something went wrong");
    result = [known.status, { error: known.message }, known.headers];
  }
  const [status, body, headers] = result;
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(body === undefined ? "" : JSON.stringify(body));
}

http.createServer(serve).listen(Number(process.env.PORT), "127.0.0.1");
