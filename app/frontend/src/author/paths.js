// What may be the path of a file: the same rules as app/catalog/format.py, which has the last word.
const PART = /^[A-Za-z0-9_.][A-Za-z0-9_.+@-]*$/;
const LONGEST = 200;

/** Returns why `path` cannot be a new file beside `others`, as a sentence; "" if it can. */
export function refusal(path, others) {
  const parts = path.split("/");
  if (path.length > LONGEST || !parts.every((part) => PART.test(part) && part !== "." && part !== "..")) {
    return "Expected a name of letters, digits and . _ + @ -, with / between folders, at most 200 characters.";
  }
  const taken = new Set(others);
  if (taken.has(path)) return `${path} is there already.`;
  const parent = parts.map((_, length) => parts.slice(0, length).join("/")).find((each) => taken.has(each));
  if (parent) return `${parent} is a file, so ${path} cannot be inside it.`;
  if (others.some((other) => other.startsWith(`${path}/`))) return `${path} is a folder.`;
  return "";
}
