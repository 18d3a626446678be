"use strict";
// Tide tables behind a limiter that keeps the moments of what it accepted, and decides by them alone.
const http = require("node:http");

const HIGH_WATER = { brest: "04:31", cuxhaven: "00:17", hull: "06:05", oban: "05:48" };

// Accepts at most `count` requests of a key in every `window` milliseconds, for all limits at once.
// Nothing in here waits for anything, so no other request can come in between.
class Limiter {
  constructor(limits) {
    this.limits = limits;
    this.longest = Math.max(...limits.map(({ window }) => window));
    this.clock = 0;
    this.accepted = new Map(); // key -> moments, oldest first; the key that was accepted last stands last
  }

  ask(key, arrived) {
    this.advance(arrived);
    let moments = this.accepted.get(key) ?? [];
    const wait = Math.max(...this.limits.map((limit) => this.wait(moments, limit)));
    if (wait === 0) {
      moments = [...moments.filter((moment) => moment > this.clock - this.longest), this.clock];
      this.accepted.delete(key);
      this.accepted.set(key, moments);
    }
    const remaining = Math.min(...this.limits.map(({ count, window }) => count - this.used(moments, window)));
    return { wait, remaining };
  }

  advance(arrived) {
    this.clock = Math.max(this.clock, arrived);
    for (const [key, moments] of this.accepted) {
      if (moments.at(-1) > this.clock - this.longest) break; // the others were accepted later still
      this.accepted.delete(key);
    }
  }

  used(moments, window) {
    return moments.filter((moment) => moment > this.clock - window).length;
  }

  wait(moments, { count, window }) {
    return this.used(moments, window) < count ? 0 : moments.at(-count) + window - this.clock;
  }
}

const limits = (process.env.LIMITS ?? "3/1000,100/3600000").split(",").map((text) => {
  const [count, window] = text.split("/").map(Number);
  return { count, window };
});
const limiter = new Limiter(limits);

function tides(req, harbour) {
  const stamp = req.headers["x-arrived-at"] ?? "";
  const key = req.headers["x-api-key"];
  if (!/^[0-9]{1,15}$/.test(stamp)) return [400, { error: "the gateway's stamp is missing" }];
  if (!key) return [401, { error: "send your key as X-Api-Key" }];
  const { wait, remaining } = limiter.ask(key, Number(stamp));
  if (wait > 0) {
    return [429, { error: "rate_limited", retry_after_ms: wait }, { "Retry-After": String(Math.ceil(wait / 1000)) }];
  }
  const headers = { "X-RateLimit-Remaining": String(remaining) };
  if (!Object.hasOwn(HIGH_WATER, harbour)) return [404, { error: "there is no such harbour" }, headers];
  return [200, { harbour, high_water: HIGH_WATER[harbour] }, headers];
}

function view(req) {
  const path = req.url.split("?")[0];
  if (path === "/health") return [200, { status: "up" }];
  if (path === "/status") return [200, { keys: limiter.accepted.size }];
  if (path.startsWith("/tides/")) return tides(req, path.slice("/tides/".length));
  return [404, { error: "there is nothing here" }];
}

http
  .createServer((req, res) => {
    const [status, body, headers] = view(req);
    res.writeHead(status, { "Content-Type": "application/json", ...headers });
    res.end(JSON.stringify(body));
  })
  .listen(Number(process.env.PORT), "127.0.0.1");
