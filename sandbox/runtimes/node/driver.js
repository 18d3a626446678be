// Kind calls: loads the learner's module and answers the judge's calls as JSON lines, like ../python/driver.py.
//
// Runs in one process with learner code, so nothing here is trusted by the judge. What is used after that code has run
// is taken hold of before, so that a submission that changes JSON or Object for itself is still understood.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { compileError, WORK } = require("./scripts.js");
const { told, traceOf } = require("./errors.js");
const { asJson } = require("./values.js");

const AGAIN = 86; // the status that driver.py takes for: start me anew
const OUTPUT = "/tmp/output";
const FLOOD_BYTES = 1024 * 1024; // more output than this is a flood
const KEPT_BYTES = 64 * 1024;
const LOOK_BYTES = 256 * 1024; // printed between two looks at how much there is
const RESULTS_BYTES = 3 * 1024 * 1024; // of one answer; the judge reads no line longer than 4 MiB

const { parse, stringify } = JSON;
const { apply, construct } = Reflect;
const exit = process.reallyExit.bind(process); // without the learner's handlers
const toUpperCase = String.prototype.toUpperCase;
const plain = Object.prototype;

/** What was printed, from where the last look ended. */
class Captured {
  constructor(offset) {
    this.offset = offset;
    this.file = fs.openSync(OUTPUT, "r");
  }

  size() {
    try {
      return fs.fstatSync(this.file).size;
    } catch {
      return 0;
    }
  }

  newText() {
    const size = Math.min(this.size(), KEPT_BYTES);
    if (size <= this.offset) return "";
    const data = Buffer.alloc(size - this.offset);
    try {
      this.offset += fs.readSync(this.file, data, 0, data.length, this.offset);
    } catch {
      return "";
    }
    return data.toString("utf8");
  }

  flooded() {
    return this.size() > FLOOD_BYTES;
  }
}

/** `get_many` → `getMany`. */
function camelCase(name) {
  let cased = "";
  for (let at = 0; at < name.length; at++) {
    const next = name[at + 1];
    if (name[at] === "_" && at > 0 && next !== undefined && next !== "_") {
      cased += apply(toUpperCase, next, []);
      at++;
    } else {
      cased += name[at];
    }
  }
  return cased;
}

/** Returns the function of that name, in camel case or as it is; undefined if there is none. */
function member(holder, name) {
  if (holder === null || holder === undefined) return undefined;
  const cased = camelCase(name);
  const found = holder[cased] === undefined ? name : cased;
  return holder[found] === plain[found] ? undefined : holder[found];
}

/** Carries out operations: ["fn", name, args] · ["new", class, args, ref] · ["call", ref, method, args]. */
class Driver {
  constructor(exported) {
    this.exported = exported;
    this.objects = { __proto__: null };
    this.fail = null; // ends the operation under way
  }

  async perform(op) {
    if (op[0] === "call") {
      const object = this.objects[op[1]];
      const method = member(object, op[2]);
      if (typeof method !== "function") throw new TypeError(`the object has no method ${camelCase(op[2])}`);
      return apply(method, object, op[3]);
    }
    const found = member(this.exported, op[1]);
    if (typeof found !== "function") throw new Refused(`${camelCase(op[1])} is not exported: see module.exports`);
    if (op[0] === "fn") return apply(found, this.exported, op[2]);
    this.objects[op[3]] = construct(found, op[2]);
    return null;
  }

  /** Returns the result of one operation as the text of {"value": …} or {"error": {"type", "message"}}. */
  one(op, room) {
    return new Promise((resolve) => {
      const failed = (error) => {
        const { type, message } = told(error);
        resolve(`{"error":{"type":${stringify(type)},"message":${stringify(message)}}}`);
      };
      this.fail = failed;
      this.perform(op).then((value) => {
        try {
          resolve(`{"value":${asJson(value, room)}}`);
        } catch (error) {
          failed(error);
        }
      }, failed);
    });
  }
}

class Refused extends Error {}

/** JSON lines from and to the judge, over descriptors that processes started by learner code do not inherit. */
class Channel {
  constructor(fdIn, fdOut) {
    this.fdOut = fdOut;
    this.input = new net.Socket({ fd: fdIn, readable: true, writable: fdIn === fdOut });
    this.output = fdIn === fdOut ? this.input : new net.Socket({ fd: fdOut, readable: false, writable: true });
    for (const stream of [this.input, this.output]) stream.on("error", () => exit(0));
    this.input.on("close", () => exit(0)); // the judge is gone
  }

  /** Calls `take` with every line, one after the other. */
  listen(take) {
    let parts = [];
    let turn = Promise.resolve();
    this.input.on("data", (chunk) => {
      let from = 0;
      for (let end; (end = chunk.indexOf(10, from)) >= 0; from = end + 1) {
        const line = Buffer.concat([...parts, chunk.subarray(from, end)]).toString("utf8");
        parts = [];
        turn = turn.then(() => take(parse(line)));
      }
      if (from < chunk.length) parts.push(chunk.subarray(from));
    });
  }

  send(text) {
    this.output.write(`${text}\n`);
  }

  /** Sends a last message and ends the process. */
  last(text) {
    const line = Buffer.from(`${text}\n`);
    for (let at = 0; at < line.length; ) {
      try {
        at += fs.writeSync(this.fdOut, line, at);
      } catch (error) {
        if (error.code !== "EAGAIN") break;
      }
    }
    exit(0);
  }
}

/** Lets `look` see from time to time how much this process has printed: code that prints for ever never comes back. */
function watch(look) {
  let printed = 0;
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write;
    stream.write = (...given) => {
      printed += given[0]?.length ?? 0;
      if (printed > LOOK_BYTES) {
        printed = 0;
        look();
      }
      return apply(write, stream, given);
    };
  }
}

function main() {
  if (process.argv[4]) fs.writeSync(Number(process.argv[4]), "."); // up
  const setup = parse(fs.readFileSync(0, "utf8"));
  // Not before: it lets nobody wait for what is read from the channel, and driver.py has read the setup from it.
  const channel = new Channel(Number(process.argv[2]), Number(process.argv[3]));
  const broken = compileError(setup.files);
  if (broken !== null) return channel.last(stringify({ type: "not_loaded", detail: broken }));

  const captured = new Captured(setup.offset);
  let asked = null; // the call under way
  let driver = null;
  const reply = (results, flood) =>
    `{"id":${stringify(asked.id)},"results":[${results}],"out":${stringify(captured.newText())},"flood":${flood}}`;
  watch(() => {
    if (!captured.flooded()) return;
    const none = `{"value":null}`;
    if (asked) channel.last(reply(asked.ops.map(() => none).join(), true));
    crash(channel, "printed without end", captured);
  });
  process.on("uncaughtException", (error) => {
    fs.writeSync(2, `${traceOf(error)}\n`);
    if (driver === null) crash(channel, traceOf(error), captured);
    driver.fail?.(error);
  });

  process.chdir(WORK);
  let exported;
  try {
    exported = require(path.join(WORK, setup.entry));
  } catch (error) {
    return crash(channel, traceOf(error), captured);
  }
  driver = new Driver(exported);
  channel.send(`{"type":"loaded","out":${stringify(captured.newText())}}`);
  channel.listen(async (message) => {
    if (message.ops === "restart") exit(AGAIN);
    asked = message;
    let [results, room] = ["", RESULTS_BYTES];
    for (let at = 0; at < message.ops.length; at++) {
      const result = await driver.one(message.ops[at], room);
      room -= Buffer.byteLength(result);
      results += at ? `,${result}` : result;
    }
    driver.fail = null;
    channel.send(reply(results, captured.flooded()));
    asked = null;
  });
}

function crash(channel, detail, captured) {
  channel.last(`{"type":"crashed","detail":${stringify(detail)},"out":${stringify(captured.newText())}}`);
}

main();
