// Results as JSON. Unlike JSON.stringify this refuses what JSON cannot hold, rather than drop it or write null.
"use strict";

const { stringify } = JSON;
const { apply } = Reflect;
const { isArray } = Array;
const { keys } = Object;
const { isFinite } = Number;
const { byteLength } = Buffer;
const toStringTag = Object.prototype.toString;
const MAX_DEPTH = 150; // the judge reads no line that is nested 200 deep

class NotJson extends Error {}

function refuse(what) {
  throw new NotJson(`the result (${what}) cannot be written as JSON`);
}

/** Returns `value` as JSON of at most `room` bytes. `undefined` is null. Throws NotJson. */
function asJson(value, room) {
  let left = room; // counted in characters, of which none is shorter than a byte

  function take(text) {
    left -= text.length;
    if (left < 0) throw new NotJson(`the result is longer than the ${room} bytes that an answer may have`);
    return text;
  }

  function write(each, depth) {
    switch (typeof each) {
      case "string":
        if (each.length > left) take(each);
        return take(stringify(each));
      case "number":
        return take(isFinite(each) ? stringify(each) : refuse(`${each}`));
      case "boolean":
        return take(each ? "true" : "false");
      case "undefined":
        return take("null");
      case "object":
        return each === null ? take("null") : structure(each, depth + 1);
      default:
        return refuse(typeof each);
    }
  }

  function structure(each, depth) {
    if (depth > MAX_DEPTH) refuse("nested too deeply");
    if (typeof each.toJSON === "function") return write(each.toJSON(), depth);
    if (isArray(each)) return list(each, depth);
    const tag = apply(toStringTag, each, []);
    if (tag !== "[object Object]") refuse(tag);
    return object(each, depth);
  }

  function list(each, depth) {
    let text = "[";
    for (let at = 0; at < each.length; at++) text += (at ? take(",") : "") + write(each[at], depth);
    return `${text}]`;
  }

  function object(each, depth) {
    let text = "{";
    const names = keys(each);
    for (let at = 0; at < names.length; at++) {
      const held = each[names[at]];
      if (held === undefined) continue; // as JSON.stringify does
      text += (text === "{" ? "" : take(",")) + take(stringify(names[at])) + take(":") + write(held, depth);
    }
    return `${text}}`;
  }

  const text = write(value, 0);
  if (byteLength(text) > room) throw new NotJson(`the result is longer than the ${room} bytes that an answer may have`);
  return text;
}

module.exports = { asJson };
