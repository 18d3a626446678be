"use strict";
// Sightings of birds, in numbered pages: entries shift from page to page while others are added.
const http = require("node:http");

const sightings = new Map(); // id -> sighting
let lastId = 0;

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

function send(res, status, body) {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(body === undefined ? "" : JSON.stringify(body));
}

async function answer(req, res) {
  const url = new URL(req.url, "http://localhost");
  if (url.pathname === "/health") return send(res, 200, { status: "up" });
  if (url.pathname === "/sightings" && req.method === "POST") {
    const body = await bodyOf(req);
    const sighting = { id: ++lastId, species: body.species, seen_at: body.seen_at, place: body.place };
    sightings.set(sighting.id, sighting);
    return send(res, 201, sighting);
  }
  if (url.pathname === "/sightings" && req.method === "GET") {
    const page = Number(url.searchParams.get("page") ?? 1);
    const limit = Number(url.searchParams.get("limit") ?? 10);
    const items = [...sightings.values()].sort((a, b) => b.seen_at - a.seen_at);
    return send(res, 200, { items: items.slice((page - 1) * limit, page * limit), next_page: page + 1 });
  }
  const match = /^\/sightings\/([0-9]{1,15})$/.exec(url.pathname);
  if (match && req.method === "DELETE" && sightings.delete(Number(match[1]))) return send(res, 204);
  return send(res, 404, { error: "there is nothing here" });
}

http
  .createServer((req, res) => answer(req, res).catch((error) => send(res, 500, { error: error.message })))
  .listen(Number(process.env.PORT), "127.0.0.1");
