// Kind http: a process that is up before the learner's files are there. It looks over them when it is asked to, and
// then is their program: own arguments, environment and standard input, and the program as `require.main`.
"use strict";

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const { WORK, compileError } = require("./scripts.js");

const ANSWERS = Number(process.argv[2]);

/** Returns the next line of standard input; ends the process when there is none. */
let unread = Buffer.alloc(0);
function line() {
  for (;;) {
    const end = unread.indexOf(10);
    if (end >= 0) {
      const text = unread.toString("utf8", 0, end);
      unread = unread.subarray(end + 1);
      return JSON.parse(text);
    }
    const data = Buffer.alloc(1 << 16);
    const size = fs.readSync(0, data);
    if (size === 0) process.exit();
    unread = Buffer.concat([unread, data.subarray(0, size)]);
  }
}

function answer(value) {
  fs.writeSync(ANSWERS, `${JSON.stringify(value)}\n`);
}

/** Lets this process be the program `argv` with `env`. */
function become({ argv, env }) {
  fs.closeSync(ANSWERS);
  fs.closeSync(0);
  fs.openSync("/dev/null", "r"); // becomes descriptor 0
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(WORK);
  process.argv = [process.execPath, path.resolve(argv[0]), ...argv.slice(1)];
  for (const file of Object.keys(require.cache)) if (file.startsWith(__dirname)) delete require.cache[file];
  setImmediate(() => Module.runMain());
}

for (const name of process.argv.slice(3)) {
  try {
    require(name);
  } catch {
    // left to the program's own require
  }
}
answer("up");
let message = line();
if (message.files) {
  answer(compileError(message.files));
  message = line();
}
become(message);
