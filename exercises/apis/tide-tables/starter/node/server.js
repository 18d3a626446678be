"use strict";
// Tide tables for everybody, as often as they like.
const http = require("node:http");

const HIGH_WATER = { brest: "04:31", cuxhaven: "00:17", hull: "06:05", oban: "05:48" };

function send(res, status, body, headers = {}) {
  res.writeHead(status, { "Content-Type": "application/json", ...headers });
  res.end(JSON.stringify(body));
}

function answer(req, res) {
  const path = req.url.split("?")[0];
  if (path === "/health") return send(res, 200, { status: "up" });
  const harbour = path.split("/")[2];
  return send(res, 200, { harbour, high_water: HIGH_WATER[harbour] });
}

http.createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
