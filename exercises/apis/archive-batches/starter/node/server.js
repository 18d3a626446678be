"use strict";
// An archive's boxes, and batches of changes to them, as if nothing ever went wrong.
const http = require("node:http");

const boxes = {}; // barcode -> shelf

function carryOut({ op, box, shelf }) {
  if (op === "discard") {
    delete boxes[box];
    return { status: 204 };
  }
  boxes[box] = shelf;
  return { status: op === "add" ? 201 : 200, box: { barcode: box, shelf } };
}

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
  const [, what, name] = req.url.split("?")[0].split("/");
  if (what === "health") return send(res, 200, { status: "up" });
  if (what === "boxes") return send(res, 200, name ? { barcode: name, shelf: boxes[name] } : { boxes });
  const { mode, items } = await bodyOf(req);
  const results = items.map(carryOut);
  return send(res, 200, { batch: name, mode, applied: results.length, results });
}

http
  .createServer((req, res) => answer(req, res).catch((error) => send(res, 500, { error: error.message })))
  .listen(Number(process.env.PORT), "127.0.0.1");
