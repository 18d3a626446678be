"use strict";
// Hive inspections: files reports that are perfect, and breaks on all others.
const http = require("node:http");
const archive = require("./archive.js");

const reports = new Map(); // id -> report
let lastId = 0;

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

function send(res, status, body, headers = {}) {
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

async function fileReport(req, res) {
  const body = await bodyOf(req);
  const report = {
    id: ++lastId,
    apiary: body.apiary,
    inspected_on: body.inspected_on,
    queen_seen: body.queen_seen,
    mites_per_100: body.mites_per_100,
    note: body.note ?? "",
    frames: body.frames.map((frame) => ({ stores: "none", ...frame })),
  };
  archive.keep(report);
  reports.set(report.id, report);
  send(res, 201, report, { Location: `/reports/${report.id}` });
}

async function answer(req, res) {
  const path = req.url.split("?")[0];
  if (path === "/health") return send(res, 200, { status: "up" });
  if (path === "/reports" && req.method === "POST") return fileReport(req, res);
  return send(res, 200, reports.get(Number(path.split("/")[2])));
}

http
  .createServer((req, res) => {
    answer(req, res).catch((error) => {
      res.writeHead(500, { "Content-Type": "text/plain" });
      res.end(String(error.stack));
    });
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
