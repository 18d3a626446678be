"use strict";
// Telescopes on loan. The contract is in openapi.yaml.
const http = require("node:http");

const instruments = new Map(); // id -> instrument

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
  const path = req.url.split("?")[0];
  if (path === "/health") return send(res, 200, { status: "up" });
  if (path === "/instruments" && req.method === "POST") {
    const instrument = { ...(await bodyOf(req)), id: instruments.size + 1 };
    instruments.set(instrument.id, instrument);
    return send(res, 200, instrument);
  }
  return send(res, 200, { items: [...instruments.values()] });
}

http
  .createServer((req, res) => answer(req, res).catch(() => send(res, 500, { message: "not written yet" })))
  .listen(Number(process.env.PORT), "127.0.0.1");
