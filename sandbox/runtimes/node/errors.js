// What was thrown, in words. Whatever it is: an object whose members throw is no reason to fall over.
"use strict";

const BUILT_IN = new Set(["Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"]);
const FOLDER = /(file:\/\/)?\/work\/src\//g;
const FRAME = /^\s+at |^- \//;
const MAX_TYPE = 80;
const MAX_MESSAGE = 1000;
const MAX_TRACE = 4000;

/** Returns {type, message} of what was thrown: the name of its class, and what it says. */
function told(error) {
  try {
    if (typeof error !== "object" || error === null) {
      return { type: error === null ? "null" : typeof error, message: String(error).slice(0, MAX_MESSAGE) };
    }
    return { type: String(nameOf(error)).slice(0, MAX_TYPE), message: String(error.message).slice(0, MAX_MESSAGE) };
  } catch {
    return { type: "Error", message: "" };
  }
}

/** A class that extends Error without setting a name has that of its parent: then the class's own name is meant. */
function nameOf(error) {
  const { name, code } = error;
  if (name !== undefined && !BUILT_IN.has(name)) return name;
  const made = error.constructor?.name;
  const ofNode = typeof code === "string" && code.startsWith("ERR_"); // its classes are called NodeError
  return typeof made === "string" && made && !ofNode ? made : (name ?? "Error");
}

/** Returns the stack without frames that are not the learner's, with paths as the learner knows them. */
function traceOf(error) {
  try {
    const stack = typeof error?.stack === "string" ? error.stack : `${told(error).type}: ${told(error).message}`;
    const lines = stack.split("\n").filter((line) => !FRAME.test(line) || line.includes("/work/src/"));
    return lines.join("\n").replace(FOLDER, "").slice(0, MAX_TRACE);
  } catch {
    return "Error";
  }
}

module.exports = { told, traceOf };
