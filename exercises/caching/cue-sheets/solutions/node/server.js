const { createHash } = require("node:crypto");
const express = require("express");

const app = express();
app.set("etag", false); // Express's own tags are weak
app.use(express.text({ type: () => true })); // read as JSON once it is clear who asks
const sheets = new Map(); // scene -> text

app.get("/health", (request, response) => response.json({ ok: true }));

/** Returns the name of the person who asks, or null. */
function viewer(request) {
  const [, name] = /^bearer (.*)$/i.exec(request.get("Authorization") ?? "") ?? [];
  return name?.trim() || null;
}

/** Returns what the person who asks gets to see of a sheet. */
function bodyOf(request, text) {
  return JSON.stringify({ scene: request.params.scene, text, viewer: viewer(request) });
}

function tagOf(body) {
  return createHash("sha256").update(body).digest("hex").slice(0, 32);
}

/** Returns the tags of a condition: a star, or those that are named, `weak` ones too or strong ones alone. */
function tagsIn(header, { weak }) {
  if (header.trim() === "*") return "*";
  const found = [...header.matchAll(/(W\/)?"([^"]*)"/g)];
  return found.filter(([, mark]) => weak || !mark).map(([, , tag]) => tag);
}

function matches(tags, body) {
  return tags === "*" || tags.includes(tagOf(body));
}

function answer(request, response, status, body) {
  response.set({
    ETag: `"${tagOf(body)}"`,
    Vary: "Authorization",
    "Cache-Control": viewer(request) ? "private, no-cache" : "public, max-age=5",
  });
  response.status(status);
  if (status === 304) response.end();
  else response.type("json").end(body);
}

app.get("/cues/:scene", (request, response) => {
  const text = sheets.get(request.params.scene);
  if (text === undefined) return response.status(404).json({ error: "no such sheet" });
  const body = bodyOf(request, text);
  const known = tagsIn(request.get("If-None-Match") ?? "", { weak: true });
  return answer(request, response, matches(known, body) ? 304 : 200, body);
});

app.put("/cues/:scene", (request, response) => {
  const refuse = (status, error) => response.status(status).json({ error });
  if (viewer(request) === null) {
    response.set("WWW-Authenticate", "Bearer");
    return refuse(401, "sign in to write");
  }
  const text = textIn(request.body);
  if (text === undefined) return refuse(400, "the body must be an object with a text");
  const based = request.get("If-Match");
  const creates = tagsIn(request.get("If-None-Match") ?? "", { weak: true }) === "*";
  if (based === undefined && !creates) return refuse(428, "say which version this is based on");

  // Nothing is awaited from here to the end: no other request comes between the comparison and the write.
  const { scene } = request.params;
  const current = sheets.get(scene);
  const holds =
    based === undefined
      ? current === undefined
      : current !== undefined && matches(tagsIn(based, { weak: false }), bodyOf(request, current));
  if (!holds) return refuse(412, "the sheet is not what you think it is");
  sheets.set(scene, text);
  return answer(request, response, current === undefined ? 201 : 200, bodyOf(request, text));
});

/** Returns the text of a body, undefined if it is no object with one. */
function textIn(body) {
  try {
    const sent = JSON.parse(body);
    return typeof sent?.text === "string" ? sent.text : undefined;
  } catch {
    return undefined;
  }
}

app.listen(process.env.PORT, "127.0.0.1");
