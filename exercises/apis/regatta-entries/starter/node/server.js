"use strict";
// Entries of a regatta: whoever saves last wins.
const http = require("node:http");

const entries = new Map(); // id -> entry

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

function send(res, status, body, headers = {}) {
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

async function answer(req, res) {
  const [, what, name] = req.url.split("?")[0].split("/");
  if (what === "health") return send(res, 200, { status: "up" });
  if (req.method === "POST") {
    const entry = { crew: {}, flags: [], ...(await bodyOf(req)), id: entries.size + 1 };
    entries.set(entry.id, entry);
    return send(res, 201, entry, { Location: `/entries/${entry.id}` });
  }
  if (name === undefined) return send(res, 200, { items: [...entries.values()] });
  const id = Number(name);
  if (req.method === "PATCH") entries.set(id, { ...(await bodyOf(req)), id });
  return send(res, 200, entries.get(id));
}

http
  .createServer((req, res) => answer(req, res).catch((error) => send(res, 500, { error: error.message })))
  .listen(Number(process.env.PORT), "127.0.0.1");
