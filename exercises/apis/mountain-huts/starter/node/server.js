"use strict";
// Mountain huts, version 1. Old apps depend on every byte of it.
const http = require("node:http");

const huts = new Map(); // id -> hut
const POSITION = /^(-?(?:0|[1-9][0-9]?)\.[0-9]{4}),(-?(?:0|[1-9][0-9]{0,2})\.[0-9]{4})$/;
const MEMBERS = ["name", "position", "beds", "warden"];

function answer(res, body, status = 200) {
  res.writeHead(status, { "Content-Type": "application/json" });
  res.end(JSON.stringify(body));
}

function isPosition(value) {
  const match = POSITION.exec(value);
  return typeof value === "string" && match && Math.abs(match[1]) <= 90 && Math.abs(match[2]) <= 180;
}

const isText = (value, longest) => typeof value === "string" && [...value].length <= longest;

// The body's hut, or null if it is none.
async function hutOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  let body;
  try {
    body = JSON.parse(Buffer.concat(parts).toString());
  } catch {
    return null;
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
  if (Object.keys(body).sort().join() !== [...MEMBERS].sort().join()) return null;
  if (!isText(body.name, 80) || body.name === "" || !isPosition(body.position)) return null;
  if (!Number.isInteger(body.beds) || body.beds < 0 || !isText(body.warden, 120)) return null;
  return Object.fromEntries(MEMBERS.map((name) => [name, body[name]]));
}

async function serve(req, res) {
  const path = req.url.split("?")[0];
  if (path === "/health") return answer(res, { status: "up" });
  if (path === "/huts" && req.method === "GET") return answer(res, [...huts.values()]);
  if (path === "/huts" && req.method === "POST") {
    const body = await hutOf(req);
    if (body === null) return answer(res, { error: "bad hut" }, 400);
    const hut = { id: huts.size + 1, ...body };
    huts.set(hut.id, hut);
    return answer(res, hut, 201);
  }
  const match = /^\/huts\/([0-9]{1,15})$/.exec(path);
  const id = match ? Number(match[1]) : 0;
  if (!huts.has(id)) return answer(res, { error: "no such hut" }, 404);
  if (req.method === "PUT") {
    const body = await hutOf(req);
    if (body === null) return answer(res, { error: "bad hut" }, 400);
    huts.set(id, { id, ...body });
  }
  return answer(res, huts.get(id));
}

http.createServer(serve).listen(Number(process.env.PORT), "127.0.0.1");
