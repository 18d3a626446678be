const express = require("express");

const app = express();
app.use(express.json());
const sheets = new Map(); // scene -> text

app.get("/health", (request, response) => response.json({ ok: true }));

/** Returns the name of the person who asks, or null. */
function viewer(request) {
  const [, name] = /^bearer (.*)$/i.exec(request.get("Authorization") ?? "") ?? [];
  return name?.trim() || null;
}

app.get("/cues/:scene", (request, response) => {
  const { scene } = request.params;
  if (!sheets.has(scene)) return response.status(404).json({ error: "no such sheet" });
  return response.json({ scene, text: sheets.get(scene), viewer: viewer(request) });
});

app.put("/cues/:scene", (request, response) => {
  const { scene } = request.params;
  const created = !sheets.has(scene);
  sheets.set(scene, request.body.text);
  response.status(created ? 201 : 200).json({ scene, text: request.body.text, viewer: viewer(request) });
});

app.listen(process.env.PORT, "127.0.0.1");
