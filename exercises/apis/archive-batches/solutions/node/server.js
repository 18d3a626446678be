"use strict";
// An archive's boxes, changed in batches. A batch works on a draft of the boxes. Its effect and its answer are one line of
// the journal; when the line is written, the draft becomes the state. At the start the journal is read back.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { isDeepStrictEqual } = require("node:util");

const SHELF_CAPACITY = Number(process.env.SHELF_CAPACITY ?? 10);
const MAX_ITEMS = Number(process.env.MAX_ITEMS ?? 500);
const JOURNAL = path.join(process.env.STATE_DIR, "journal.jsonl");
const BATCH_ID = /^[A-Za-z0-9_-]{1,64}$/;
const BARCODE = /^[A-Z]{2}[0-9]{4}$/;
const SHELF = /^[A-Z][0-9]{1,2}$/;
const MEMBERS = { add: "box,op,shelf", move: "box,op,shelf", discard: "box,op" };

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let boxes = new Map(); // barcode -> shelf; never changed, only replaced
const answers = new Map(); // scanner and id -> { asked, status, body }
const answerKey = (scanner, id) => JSON.stringify([scanner, id]);

function keep({ scanner, id, answer, changed }) {
  answers.set(answerKey(scanner, id), answer);
  const next = new Map(boxes);
  for (const [barcode, shelf] of changed) {
    if (shelf === null) next.delete(barcode);
    else next.set(barcode, shelf);
  }
  boxes = next;
}

const data = fs.existsSync(JOURNAL) ? fs.readFileSync(JOURNAL) : Buffer.alloc(0);
const end = data.lastIndexOf("\n") + 1; // behind it stands half a line, of a batch that was never answered
const lines = data.subarray(0, end).toString().split("\n").slice(0, -1);
lines.forEach((line) => keep(JSON.parse(line)));
const journal = fs.openSync(JOURNAL, "a");
fs.ftruncateSync(journal, end);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const matches = (value, form) => typeof value === "string" && form.test(value);
const failure = (status, error) => ({ status, error });

function isItem(item) {
  if (!isObject(item) || typeof item.op !== "string" || !Object.hasOwn(MEMBERS, item.op)) return false;
  if (Object.keys(item).sort().join() !== MEMBERS[item.op]) return false;
  return matches(item.box, BARCODE) && (item.op === "discard" || matches(item.shelf, SHELF));
}

// Boxes as they would be after some changes.
class Draft {
  constructor() {
    this.boxes = new Map(boxes);
    this.changed = new Map(); // barcode -> shelf, or null
  }

  standsOn(shelf, without) {
    return [...this.boxes].filter(([barcode, there]) => there === shelf && barcode !== without).length;
  }

  put(barcode, shelf) {
    this.boxes.set(barcode, shelf);
    this.changed.set(barcode, shelf);
  }

  remove(barcode) {
    this.boxes.delete(barcode);
    this.changed.set(barcode, null);
  }
}

// The item's result; what succeeds is done in the draft.
function resultOf(item, draft, seen) {
  if (!isItem(item)) return failure(422, "invalid");
  const { op, box: barcode, shelf } = item;
  if (seen.has(barcode)) return failure(422, "duplicate_in_batch");
  seen.add(barcode);
  const exists = draft.boxes.has(barcode);
  if (op === "add" && exists) return failure(409, "box_exists");
  if (op !== "add" && !exists) return failure(404, "no_such_box");
  if (op === "discard") {
    draft.remove(barcode);
    return { status: 204 };
  }
  if (draft.standsOn(shelf, barcode) >= SHELF_CAPACITY) return failure(409, "shelf_full");
  draft.put(barcode, shelf);
  return { status: op === "add" ? 201 : 200, box: { barcode, shelf } };
}

// Status, results and changes of a batch.
function carryOut({ mode, items }) {
  const draft = new Draft();
  const seen = new Set();
  const results = items.map((item) => resultOf(item, draft, seen));
  if (results.every(({ status }) => status < 400)) return { status: 200, results, changed: draft.changed };
  if (mode === "each") return { status: 207, results, changed: draft.changed };
  const told = results.map((result) => (result.status >= 400 ? result : failure(424, "not_applied")));
  return { status: 409, results: told, changed: new Map() };
}

// Nothing in here is awaited, so batches take effect one after the other.
function put(scanner, id, asked) {
  const known = answers.get(answerKey(scanner, id));
  if (known) {
    if (!isDeepStrictEqual(known.asked, asked)) throw new Refused(409, "batch_id_reused");
    return [known.status, known.body, { "Batch-Replayed": "true" }];
  }
  const { status, results, changed } = carryOut(asked);
  const applied = results.filter((result) => result.status < 300).length;
  const body = { batch: id, mode: asked.mode, applied, results };
  const entry = { scanner, id, answer: { asked, status, body }, changed: [...changed] };
  // Survives the process; against a power cut it takes fs.fsyncSync() too.
  fs.writeSync(journal, `${JSON.stringify(entry)}\n`);
  keep(entry);
  return [status, body];
}

async function batchOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  let body;
  try {
    body = JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refused(400, "the body is not JSON");
  }
  const isBatch = isObject(body) && Object.keys(body).sort().join() === "items,mode";
  if (!isBatch || !["each", "all"].includes(body.mode) || !Array.isArray(body.items) || body.items.length === 0) {
    throw new Refused(422, "a batch has a mode (each or all) and a list of items that is not empty");
  }
  if (body.items.length > MAX_ITEMS) throw new Refused(413, `a batch has at most ${MAX_ITEMS} items`);
  return body;
}

function scannerOf(req) {
  const scanner = req.headers["x-scanner"];
  if (!scanner) throw new Refused(401, "which scanner is this?");
  return scanner;
}

async function view(req) {
  const [, what, name, ...rest] = req.url.split("?")[0].split("/").map(decodeURIComponent);
  const asked = `${req.method} ${what}`;
  if (rest.length === 0 && asked === "GET health") return [200, { status: "up" }];
  if (rest.length === 0 && asked === "GET boxes" && name === undefined) return [200, { boxes: Object.fromEntries(boxes) }];
  if (rest.length === 0 && asked === "GET boxes" && boxes.has(name)) {
    return [200, { barcode: name, shelf: boxes.get(name) }];
  }
  if (asked === "PUT batches") {
    const scanner = scannerOf(req);
    if (rest.length > 0 || !BATCH_ID.test(name)) throw new Refused(404, "no batch can have this id");
    return put(scanner, name, await batchOf(req));
  }
  if (asked === "GET batches") {
    const answer = answers.get(answerKey(scannerOf(req), name));
    if (answer) return [200, answer.body];
  }
  throw new Refused(404, "there is nothing here");
}

async function serve(req, res) {
  let result;
  try {
    result = await view(req);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    result = [error.status ?? 500, { error: error.status ? error.message : "something went wrong" }];
  }
  const [status, body, headers] = result;
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

http.createServer(serve).listen(Number(process.env.PORT), "127.0.0.1");
