"use strict";
// Scans of reels as jobs. What happens to a scan is written down as events; everything else follows from them.
// Events go to the journal first and take effect in memory afterwards; whoever watches is told. Nothing is awaited while
// a decision is taken, so no other request can come in between. At the start the journal is read back.
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { EventEmitter } = require("node:events");

const PLACES = Number(process.env.PLACES ?? 2);
const RETRY_SECONDS = process.env.RETRY_SECONDS ?? "5";
const JOURNAL = path.join(process.env.STATE_DIR, "events.jsonl");
const OVER = ["done", "failed", "cancelled"];

class Refused extends Error {
  constructor(status, word) {
    super(word);
    this.status = status;
  }
}

const scans = new Map(); // id -> scan, in the order in which they came
const tokens = new Map(); // token -> scan
const changed = new EventEmitter().setMaxListeners(0); // emits the id of a scan to which something happened

function apply({ scan: id, event: kind, ...data }) {
  if (kind === "queued") {
    const { reel, frames, token } = data;
    const fresh = { id, reel, frames, state: kind, machine: null, problem: null, checksums: [], story: [] };
    scans.set(id, fresh);
    tokens.set(token, fresh);
  }
  const scan = scans.get(id);
  const told = { n: scan.story.length + 1, event: kind };
  if (kind === "frame") {
    scan.checksums.push(data.checksum);
    told.done = scan.checksums.length;
  } else {
    scan.state = kind;
    scan.machine = data.machine ?? scan.machine;
    scan.problem = data.problem ?? null;
  }
  scan.story.push(told);
}

const data = fs.existsSync(JOURNAL) ? fs.readFileSync(JOURNAL) : Buffer.alloc(0);
const end = data.lastIndexOf("\n") + 1; // behind it stands half a line, of something that nobody was told
const lines = data.subarray(0, end).toString().split("\n").slice(0, -1);
lines.flatMap((line) => JSON.parse(line)).forEach(apply);
const journal = fs.openSync(JOURNAL, "a");
fs.ftruncateSync(journal, end);

// Lets something happen to a scan: all of it or nothing.
function record(...events) {
  fs.writeSync(journal, `${JSON.stringify(events)}\n`);
  events.forEach(apply);
  changed.emit(events[0].scan);
}

function shown({ id, reel, frames, state, checksums, problem }) {
  const scan = { id, reel, frames, state, done: checksums.length };
  if (state === "done") scan.film = `/scans/${id}/film`;
  if (state === "failed") scan.problem = problem;
  return scan;
}

const waiting = (scan) => (OVER.includes(scan.state) ? {} : { "Retry-After": RETRY_SECONDS });
const inState = (state) => [...scans.values()].filter((scan) => scan.state === state);

function find(id) {
  const scan = scans.get(Number(id));
  if (!scan) throw new Refused(404, "not_found");
  return scan;
}

function ofMachine(machine, id) {
  const scan = find(id);
  if (scan.machine !== machine) throw new Refused(403, "not_yours");
  return scan;
}

const isWhole = (value, lowest, highest) => Number.isInteger(value) && lowest <= value && value <= highest;
const isText = (value, longest) => typeof value === "string" && value !== "" && [...value].length <= longest;
const matching = (pattern) => (value) => typeof value === "string" && pattern.test(value);
const SCAN = { reel: (value) => isText(value, 40), frames: (value) => isWhole(value, 1, 100000) };
const FRAME = {
  scan: (value) => isWhole(value, 0, 1e15),
  frame: (value) => isWhole(value, 1, 100000),
  checksum: matching(/^[0-9a-f]{8}$/),
};
const FAILURE = { scan: FRAME.scan, code: matching(/^[a-z-]{1,40}$/), text: (value) => isText(value, 200) };

async function bodyOf(req, rules) {
  const parts = [];
  for await (const part of req) parts.push(part);
  let body;
  try {
    body = JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refused(400, "malformed");
  }
  const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
  if (!isObject || Object.keys(body).sort().join() !== Object.keys(rules).sort().join()) {
    throw new Refused(422, "invalid");
  }
  if (!Object.entries(rules).every(([name, isGood]) => isGood(body[name]))) throw new Refused(422, "invalid");
  return body;
}

async function startScan(req) {
  const token = req.headers["client-token"] ?? "";
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(token)) throw new Refused(400, "bad_token");
  const { reel, frames } = await bodyOf(req, SCAN);
  if (!tokens.has(token)) record({ scan: scans.size + 1, event: "queued", reel, frames, token });
  const scan = tokens.get(token);
  if (scan.reel !== reel || scan.frames !== frames) throw new Refused(409, "token_reused");
  return [202, shown(scan), { Location: `/scans/${scan.id}`, ...waiting(scan) }];
}

async function readScan(req, id) {
  const scan = find(id);
  return [200, shown(scan), waiting(scan)];
}

async function cancelScan(req, id) {
  const scan = find(id);
  if (["done", "failed"].includes(scan.state)) throw new Refused(409, "already_over");
  if (scan.state !== "cancelled") record({ scan: scan.id, event: "cancelled" });
  return [200, shown(scan)];
}

async function readFilm(req, id) {
  const { state, reel, checksums } = find(id);
  if (state !== "done") throw new Refused(409, "not_done");
  return [200, { reel, checksums }];
}

async function nextScan(req, machine) {
  const running = inState("running");
  const own = running.find((scan) => scan.machine === machine);
  if (own) return [200, shown(own)];
  const [oldest] = inState("queued");
  if (running.length >= PLACES || !oldest) return [204];
  record({ scan: oldest.id, event: "running", machine });
  return [200, shown(oldest)];
}

async function reportFrame(req, machine) {
  const { scan: id, frame, checksum } = await bodyOf(req, FRAME);
  const scan = ofMachine(machine, id);
  const done = scan.checksums.length;
  if (frame <= done) return [200, { done }];
  if (scan.state !== "running") throw new Refused(409, "not_running");
  if (frame > done + 1) throw new Refused(409, "out_of_order");
  const events = [{ scan: id, event: "frame", checksum }];
  if (frame === scan.frames) events.push({ scan: id, event: "done" });
  record(...events);
  return [200, { done: frame }];
}

async function reportFailure(req, machine) {
  const { scan: id, code, text } = await bodyOf(req, FAILURE);
  const scan = ofMachine(machine, id);
  if (scan.state !== "running") throw new Refused(409, "not_running");
  record({ scan: id, event: "failed", problem: { type: `/problems/${code}`, title: text } });
  return [200, shown(scan)];
}

function watch(req, res, id) {
  const scan = find(id);
  const text = new URL(req.url, "http://localhost").searchParams.get("after") ?? "0";
  if (!/^[0-9]{1,9}$/.test(text)) throw new Refused(400, "bad_after");
  let after = Number(text);
  res.writeHead(200, { "Content-Type": "application/x-ndjson" });
  res.flushHeaders();
  function tell() {
    const fresh = scan.story.slice(after);
    after += fresh.length;
    if (fresh.length > 0) res.write(fresh.map((event) => `${JSON.stringify(event)}\n`).join(""));
    if (OVER.includes(scan.state)) {
      changed.off(scan.id, tell);
      res.end();
    }
  }
  changed.on(scan.id, tell);
  res.on("close", () => changed.off(scan.id, tell));
  tell();
}

const ROUTES = [
  ["GET", /^\/health$/, async () => [200, { status: "up" }]],
  ["POST", /^\/scans$/, startScan],
  ["GET", /^\/scans\/([0-9]{1,15})$/, readScan],
  ["DELETE", /^\/scans\/([0-9]{1,15})$/, cancelScan],
  ["GET", /^\/scans\/([0-9]{1,15})\/film$/, readFilm],
  ["POST", /^\/machines\/([a-z0-9-]{1,20})\/next$/, nextScan],
  ["POST", /^\/machines\/([a-z0-9-]{1,20})\/frames$/, reportFrame],
  ["POST", /^\/machines\/([a-z0-9-]{1,20})\/failure$/, reportFailure],
];
const EVENTS = /^\/scans\/([0-9]{1,15})\/events$/;

async function view(req) {
  for (const [method, pattern, handler] of ROUTES) {
    const match = pattern.exec(req.url.split("?")[0]);
    if (match && method === req.method) return handler(req, ...match.slice(1));
  }
  throw new Refused(404, "not_found");
}

async function serve(req, res) {
  let result;
  try {
    const watched = req.method === "GET" && EVENTS.exec(req.url.split("?")[0]);
    if (watched) return watch(req, res, watched[1]);
    result = await view(req);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    result = [error.status ?? 500, { error: error.status ? error.message : "internal" }];
  }
  const [status, body, headers] = result;
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  return res.end(body === undefined ? "" : JSON.stringify(body));
}

http.createServer(serve).listen(Number(process.env.PORT), "127.0.0.1");
