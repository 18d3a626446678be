// Completion in exercise.yaml from its JSON Schema, and from the names that the other files have.

/** A line as { dash, at, key, opens }: columns of its "- " and of what follows, its key; null if it says nothing. */
function shape(line) {
  const found = /^(\s*)((?:- +)?)([\w-]+)?(\s*:)?/.exec(line);
  if (!line.trim() || line.trim().startsWith("#")) return null;
  const [, space, dash, key, colon] = found;
  return { dash: dash ? space.length : -1, at: space.length + dash.length, key: colon ? key : undefined };
}

/** The keys and list items around the last of `lines`, outermost first, and the keys that stand beside it. */
function around(lines) {
  const own = shape(lines.at(-1)) ?? { dash: -1, at: lines.at(-1).length };
  const path = [];
  const used = [];
  let limit = own.at;
  let inItem = false;
  const enter = (line) => {
    path.unshift(0);
    inItem = true;
    limit = line.dash;
  };
  if (own.dash >= 0) enter(own);
  for (let row = lines.length - 2; row >= 0; row--) {
    const line = shape(lines[row]);
    if (!line) continue;
    const isParent = line.key !== undefined && (inItem ? line.at <= limit : line.at < limit);
    if (isParent) {
      path.unshift(line.key);
      inItem = false;
      limit = line.at;
      if (line.dash >= 0) enter(line);
    } else if (!inItem && line.at === limit) {
      if (line.key !== undefined && path.length === 0) used.push(line.key);
      if (line.dash >= 0) enter(line);
    }
  }
  return { path, used };
}

/** What is open on the line: [{ mark: "{" or "[", before, inside }], quotes left out. */
function brackets(line) {
  const open = [];
  let quote = "";
  let start = 0;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (quote) quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === "{" || char === "[") {
      open.push({ mark: char, before: line.slice(start, at), at: at + 1 });
      start = at + 1;
    } else if ((char === "}" || char === "]") && open.length) open.pop();
  }
  return quote ? null : open.map((each, index) => ({ ...each, inside: line.slice(each.at, open[index + 1]?.at) }));
}

const keyAtEnd = (text) => /([\w-]+)\s*:\s*$/.exec(text)?.[1];
const keysIn = (text) => [...text.matchAll(/(?:^|,)\s*([\w-]+)\s*:/g)].map((found) => found[1]);

/**
 * Where the end of `text` stands in the file: { path, isKey, used }. `path` leads to the mapping for a key, to the value
 * itself for a value; null inside quotes and comments.
 */
export function place(text) {
  const lines = text.split("\n");
  const line = lines.at(-1);
  if (/(^|\s)#/.test(line.replace(/"[^"]*"|'[^']*'/g, ""))) return null;
  const open = brackets(line);
  if (open === null) return null;
  const { path, used } = around(lines);
  if (!open.length) {
    const value = /^\s*(?:- +)?([\w-]+)\s*:\s+[^\s]*$/.exec(line);
    if (value) return { path: [...path, value[1]], isKey: false, used };
    const item = /^\s*- +[\w-]*$/.test(line);
    return { path, isKey: true, used, isItem: item };
  }
  for (const { mark, before } of open) {
    const key = keyAtEnd(before);
    if (key) path.push(key);
    if (mark === "[") path.push(0);
  }
  const { mark, inside } = open.at(-1);
  if (mark === "[") return { path, isKey: false, used: [] };
  const last = inside.slice(inside.lastIndexOf(",") + 1);
  const value = /^\s*([\w-]+)\s*:\s*[^\s]*$/.exec(last);
  if (value) return { path: [...path, value[1]], isKey: false, used: [] };
  return { path, isKey: true, used: keysIn(inside) };
}

/** The part of the schema at `path`, references followed; undefined where the schema says nothing. */
export function schemaAt(schema, path) {
  const follow = (part) => {
    while (part?.$ref) part = schema.$defs[part.$ref.split("/").at(-1)];
    return part?.anyOf ? follow(part.anyOf[0]) : part;
  };
  let here = follow(schema);
  for (const step of path) {
    const named = here?.properties?.[step] ?? Object.values(here?.patternProperties ?? {})[0];
    here = follow(step === 0 ? here?.items : named);
    if (!here) return undefined;
  }
  return here;
}

/** Names that the other files give: of checks, tests, folders and languages. */
function names(path, files) {
  const key = path.filter((step) => step !== 0).at(-1);
  const all = files.paths;
  const folders = (of) => new Set(all.filter((each) => each.startsWith(`${of}/`)).map((each) => each.split("/")[1]).filter((name) => !name.includes(".")));
  if (key === "must_fail" || key === "may_fail") {
    return new Set([...files.text("exercise.yaml").matchAll(/^\s*- *\{? *id:\s*([a-z0-9-]+)/gm)].map((found) => found[1]));
  }
  if (key === "test") {
    const tests = all.filter((each) => each.startsWith("tests/"));
    return new Set(tests.flatMap((each) => [...files.text(each).matchAll(/^def (test_\w+)/gm)].map((found) => found[1])));
  }
  if (key === "dir") return folders("wrong");
  if (key === "language") return folders("starter");
  return new Set();
}

function keys(part, used) {
  return Object.entries(part?.properties ?? {})
    .filter(([name]) => !used.includes(name))
    .map(([name, { description }]) => ({
      label: name,
      apply: `${name}: `,
      detail: part.required?.includes(name) ? "needed" : "",
      info: description,
      type: "property",
    }));
}

function values(part, path, files) {
  const known = part?.enum ?? (part?.const !== undefined ? [part.const] : part?.type === "boolean" ? [true, false] : []);
  return [...known, ...names(path, files)].map((value) => ({ label: String(value), type: "enum" }));
}

/** Returns a completion source of CodeMirror. `loadSchema` resolves to the JSON Schema. */
export function completer(loadSchema, files) {
  return async (context) => {
    const word = context.matchBefore(/[\w-]*/);
    if (!word.text && !context.explicit) return null;
    const where = place(context.state.sliceDoc(0, context.pos));
    if (!where) return null;
    const schema = await loadSchema();
    const part = schemaAt(schema, where.path);
    const options = where.isKey ? keys(part, where.used) : [];
    if (!where.isKey || where.isItem) options.push(...values(part, where.path, files));
    return options.length ? { from: word.from, options, validFor: /^[\w-]*$/ } : null;
  };
}
