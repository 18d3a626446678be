"use strict";
// Scans of reels: takes them in, and that is all.
const http = require("node:http");

const scans = new Map(); // id -> scan

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

function send(res, status, body) {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(JSON.stringify(body));
}

async function answer(req, res) {
  const [, what, id] = req.url.split("?")[0].split("/");
  if (what === "health") return send(res, 200, { status: "up" });
  if (what === "scans" && req.method === "POST") {
    const scan = { id: scans.size + 1, ...(await bodyOf(req)), state: "queued", done: 0 };
    scans.set(scan.id, scan);
    return send(res, 200, scan);
  }
  return send(res, 200, scans.get(Number(id)));
}

http
  .createServer((req, res) => answer(req, res).catch((error) => send(res, 500, { error: error.message })))
  .listen(Number(process.env.PORT), "127.0.0.1");
