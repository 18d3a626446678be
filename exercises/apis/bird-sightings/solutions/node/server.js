"use strict";
// Sightings of birds, in pages that go on after a place in the order, not after a number of rows.
// A place is the pair (seen_at, id): unique, never changing, and good even when nothing stands there any more.
// A cursor is a place, signed together with the parameters of the list it was made for.
const http = require("node:http");
const { createHmac, randomBytes, timingSafeEqual } = require("node:crypto");

const SECRET = process.env.CURSOR_SECRET ?? randomBytes(32).toString("hex");
const PARAMETERS = ["species", "order", "limit", "cursor"];

let sightings = []; // oldest first
let lastId = 0;

class Refused extends Error {
  constructor(message, status = 400) {
    super(message);
    this.status = status;
  }
}

function signature(text, species, order) {
  return createHmac("sha256", SECRET)
    .update(JSON.stringify([text, species, order]))
    .digest("hex");
}

function cursorAt(sighting, species, order) {
  const text = Buffer.from(`${sighting.seen_at}-${sighting.id}`).toString("base64url");
  return `${text}.${signature(text, species, order)}`;
}

function placeOf(cursor, species, order) {
  const match = /^([A-Za-z0-9_-]+)\.([0-9a-f]{64})$/.exec(cursor);
  // What is compared is the text, not what it stands for: no other spelling of a cursor is one.
  if (!match || !timingSafeEqual(Buffer.from(match[2]), Buffer.from(signature(match[1], species, order)))) {
    throw new Refused("this cursor does not belong to this list");
  }
  const [seenAt, id] = Buffer.from(match[1], "base64url").toString().split("-").map(Number);
  return { seen_at: seenAt, id };
}

const compare = (a, b) => a.seen_at - b.seen_at || a.id - b.id;

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  try {
    return JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refused("the body is not JSON");
  }
}

const isText = (value) => typeof value === "string" && [...value].length >= 1 && [...value].length <= 60;

async function add(req) {
  const body = await bodyOf(req);
  if (typeof body !== "object" || body === null) throw new Refused("the body must be a JSON object");
  const { species, seen_at, place } = body;
  if (!isText(species) || !isText(place)) throw new Refused("species and place must be texts of 1 to 60 characters");
  if (!Number.isInteger(seen_at) || seen_at < 0) throw new Refused("seen_at must be a whole number, 0 or more");
  const sighting = { id: ++lastId, species, seen_at, place };
  const after = sightings.findIndex((each) => compare(each, sighting) > 0);
  sightings.splice(after === -1 ? sightings.length : after, 0, sighting);
  return [201, sighting];
}

async function remove(req, url, id) {
  const before = sightings.length;
  sightings = sightings.filter((each) => each.id !== Number(id));
  if (sightings.length === before) throw new Refused("there is no such sighting", 404);
  return [204];
}

async function list(req, { searchParams: asked }) {
  for (const name of asked.keys()) if (!PARAMETERS.includes(name)) throw new Refused(`unknown parameter: ${name}`);
  const written = asked.get("limit") ?? "10";
  const limit = /^[0-9]{1,4}$/.test(written) ? Number(written) : 0;
  if (limit < 1 || limit > 50) throw new Refused("limit must be a whole number from 1 to 50");
  const order = asked.get("order") ?? "newest";
  if (order !== "newest" && order !== "oldest") throw new Refused("order must be newest or oldest");
  const species = asked.get("species");

  const direction = order === "oldest" ? 1 : -1;
  const after = asked.has("cursor") ? placeOf(asked.get("cursor"), species, order) : null;
  const found = sightings
    .filter((each) => species === null || each.species === species)
    .filter((each) => after === null || direction * compare(each, after) > 0);
  if (order === "newest") found.reverse();
  const items = found.slice(0, limit);
  return [200, { items, next_cursor: found.length > limit ? cursorAt(items.at(-1), species, order) : null }];
}

const ROUTES = [
  ["GET", /^\/health$/, async () => [200, { status: "up" }]],
  ["POST", /^\/sightings$/, add],
  ["GET", /^\/sightings$/, list],
  ["DELETE", /^\/sightings\/([0-9]{1,15})$/, remove],
];

async function view(req) {
  const url = new URL(req.url, "http://localhost");
  for (const [method, pattern, handler] of ROUTES) {
    const match = pattern.exec(url.pathname);
    if (match && method === req.method) return handler(req, url, ...match.slice(1));
  }
  throw new Refused("there is nothing here", 404);
}

async function answer(req, res) {
  let result;
  try {
    result = await view(req);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    result = [error.status ?? 500, { error: error.status ? error.message : "something went wrong" }];
  }
  const [status, body] = result;
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(body === undefined ? "" : JSON.stringify(body));
}

http.createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
