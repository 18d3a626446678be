"use strict";
// Mountain huts in two versions: huts are kept in the shape of version 2, and version 1 is a view of them.
const http = require("node:http");

const V1_DEPRECATED = Number(process.env.V1_DEPRECATED ?? 1767225600);
const V1_SUNSET = Number(process.env.V1_SUNSET ?? 4102441200);
const V1_ENDS = { Deprecation: `@${V1_DEPRECATED}`, Sunset: new Date(V1_SUNSET * 1000).toUTCString() };
const V1 = "application/vnd.huts.v1+json";
const V2 = "application/vnd.huts.v2+json";
const PLAIN = "application/json";
const ACCEPTED = { [V2]: "v2", [V1]: "v1", [PLAIN]: "v1", "application/*": "v1", "*/*": "v1" };
const POSITION = /^(-?(?:0|[1-9][0-9]?)\.[0-9]{4}),(-?(?:0|[1-9][0-9]{0,2})\.[0-9]{4})$/;
const BODIES = { [V2]: "v2", [V1]: "v1", [PLAIN]: "v1" };
const OLD_WORDS = { not_found: "no such hut", unsupported_media_type: "unsupported media type" };

const huts = new Map(); // id -> hut in the shape of version 2

// Status and code; each version tells them in its own words.
class Refused extends Error {
  constructor(status, code) {
    super(code);
    Object.assign(this, { status, code });
  }
}

// Version 1 as a view of version 2.

const oldPosition = ({ lat, lon }) => `${lat.toFixed(4)},${lon.toFixed(4)}`;

function oldWarden(warden) {
  if (warden === null) return "";
  return warden.phone === null ? warden.name : `${warden.name}, ${warden.phone}`;
}

function newPosition(text) {
  const [lat, lon] = text.split(",").map(Number);
  return { lat, lon };
}

function newWarden(text) {
  if (text === "") return null;
  const at = text.indexOf(", ");
  if (at <= 0 || at + 2 === text.length) return { name: text, phone: null };
  return { name: text.slice(0, at), phone: text.slice(at + 2) };
}

function shownAsOld({ id, name, position, beds, warden }) {
  return { id, name, position: oldPosition(position), beds: beds.summer, warden: oldWarden(warden) };
}

// The members of the hut that an old body makes of `hut` (undefined: of nothing).
function merged(body, hut) {
  const seen = hut ? shownAsOld(hut) : {};
  return {
    name: body.name,
    position: body.position === seen.position ? hut.position : newPosition(body.position),
    beds: { summer: body.beds, winter: hut ? hut.beds.winter : null },
    warden: body.warden === seen.warden ? hut.warden : newWarden(body.warden),
    tags: hut ? hut.tags : [],
  };
}

// What bodies may hold.

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isNumber = (value, bound) => typeof value === "number" && Math.abs(value) <= bound;
const has = (value, ...members) => isObject(value) && Object.keys(value).sort().join() === members.sort().join();

function isText(value, shortest, longest) {
  return typeof value === "string" && [...value].length >= shortest && [...value].length <= longest;
}

function isOldPosition(value) {
  const match = POSITION.exec(value);
  return typeof value === "string" && match !== null && Math.abs(match[1]) <= 90 && Math.abs(match[2]) <= 180;
}

function isOld(body) {
  return (
    has(body, "name", "position", "beds", "warden") &&
    isText(body.name, 1, 80) &&
    isOldPosition(body.position) &&
    isCount(body.beds) &&
    isText(body.warden, 0, 120)
  );
}

function isWarden(value) {
  if (value === null) return true;
  return (
    has(value, "name", "phone") &&
    isText(value.name, 1, 80) &&
    !value.name.includes(", ") &&
    (value.phone === null || isText(value.phone, 1, 80))
  );
}

function isNew(body) {
  if (!isObject(body)) return false;
  const { name, position, beds, warden, tags } = { tags: [], ...body };
  return (
    has({ tags: [], ...body }, "name", "position", "beds", "warden", "tags") &&
    isText(name, 1, 80) &&
    has(position, "lat", "lon") &&
    isNumber(position.lat, 90) &&
    isNumber(position.lon, 180) &&
    has(beds, "summer", "winter") &&
    isCount(beds.summer) &&
    (beds.winter === null || isCount(beds.winter)) &&
    isWarden(warden) &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === "string")
  );
}

// Versions of request and answer.

function weightOf(parameters) {
  const weight = parameters.map((text) => text.split("=")).find(([name]) => name.trim().toLowerCase() === "q");
  return weight ? Number(weight[1]) : 1;
}

// Gives the version and the media type of the answer, or null.
function acceptedVersion(accept = "*/*") {
  let best = null;
  for (const part of accept.split(",")) {
    const [range, ...parameters] = part.split(";");
    const media = range.trim().toLowerCase();
    const weight = weightOf(parameters);
    if (!Object.hasOwn(ACCEPTED, media) || !(weight > 0)) continue;
    const version = ACCEPTED[media];
    const better = best === null || weight > best.weight || (weight === best.weight && version > best.version);
    if (better) best = { weight, version, media: media === V1 || media === V2 ? media : PLAIN };
  }
  return best;
}

async function bodyOf(req, version) {
  const parts = [];
  for await (const part of req) parts.push(part);
  let body;
  try {
    body = JSON.parse(Buffer.concat(parts).toString());
  } catch {
    throw new Refused(400, "malformed");
  }
  if (version === "v1" && !isOld(body)) throw new Refused(400, "invalid");
  if (version === "v2" && !isNew(body)) throw new Refused(422, "invalid");
  return body;
}

// Puts the hut that the body makes of the stored one in its place. Nothing is awaited in between.
function store(id, body, version) {
  const { name, position, beds, warden, tags } = version === "v1" ? merged(body, huts.get(id)) : { tags: [], ...body };
  huts.set(id, { id, name, position, beds, warden, tags });
  return huts.get(id);
}

async function handle(req, path, version, bodyVersion) {
  const shown = version === "v1" ? shownAsOld : (hut) => hut;
  if (path === "/huts" && req.method === "GET") {
    const items = [...huts.values()].map(shown);
    return [200, version === "v1" ? items : { items }];
  }
  if (path === "/huts" && req.method === "POST") {
    const body = await bodyOf(req, bodyVersion);
    return [201, shown(store(huts.size + 1, body, bodyVersion))];
  }
  const match = /^\/huts\/([0-9]{1,15})$/.exec(path);
  const id = match ? Number(match[1]) : 0;
  if (!huts.has(id)) throw new Refused(404, "not_found");
  if (req.method === "PUT") store(id, await bodyOf(req, bodyVersion), bodyVersion);
  return [200, shown(huts.get(id))];
}

async function serve(req, res) {
  const path = req.url.split("?")[0];
  function send(status, body, media, headers = {}) {
    res.writeHead(status, { "Content-Type": media, Vary: "Accept", ...headers });
    res.end(JSON.stringify(body));
  }
  if (path === "/health") return send(200, { status: "up" }, PLAIN);
  const accepted = acceptedVersion(req.headers.accept);
  if (accepted === null) return send(406, { error: "there is no such version", versions: ["v1", "v2"] }, PLAIN);

  const { version, media } = accepted;
  const sent = (req.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();
  const bodyVersion = ["POST", "PUT"].includes(req.method) ? BODIES[sent] : version;
  if ([version, bodyVersion].includes("v1") && Date.now() / 1000 >= V1_SUNSET) {
    return send(410, { error: "version 1 is gone" }, PLAIN, V1_ENDS);
  }
  const headers = version === "v1" ? V1_ENDS : {};
  try {
    if (bodyVersion === undefined) throw new Refused(415, "unsupported_media_type");
    const [status, body] = await handle(req, path, version, bodyVersion);
    return send(status, body, media, headers);
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    const { status = 500, code = "internal" } = error instanceof Refused ? error : {};
    const told = version === "v1" ? (OLD_WORDS[code] ?? "bad hut") : { code, message: code.replaceAll("_", " ") };
    return send(status, { error: told }, media, headers);
  }
}

http.createServer(serve).listen(Number(process.env.PORT), "127.0.0.1");
