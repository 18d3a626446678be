// What the driver and the process that becomes a server share: where the learner's files are, and whether they compile.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const WORK = "/work/src";
const SCRIPT = /\.c?js$/;
const PARAMETERS = ["exports", "require", "module", "__filename", "__dirname"];
const MODULES = /Cannot use import statement outside a module|Unexpected token 'export'/;

/** Returns the compiler's message for the first of `files` that does not compile, else null. */
function compileError(files) {
  for (const name of files) {
    if (!SCRIPT.test(name)) continue;
    const text = fs.readFileSync(path.join(WORK, name), "utf8");
    try {
      vm.compileFunction(text, PARAMETERS, { filename: name });
    } catch (error) {
      return message(name, text, error);
    }
  }
  return null;
}

/** Returns file, line, what is wrong and the line itself. The stack of a SyntaxError begins with `file:line`. */
function message(name, text, error) {
  const first = String(error.stack).split("\n", 1)[0];
  const line = first.startsWith(`${name}:`) ? Number(first.slice(name.length + 1)) : 0;
  const where = line ? `${name}, line ${line}` : name;
  const hint = MODULES.test(error.message) ? " (files are CommonJS: require and module.exports)" : "";
  const shown = line ? (text.split("\n")[line - 1] ?? "").slice(0, 500) : "";
  return `${where}: ${error.name}: ${error.message}${hint}\n${shown}`.trimEnd();
}

module.exports = { WORK, compileError };
