/** Laboratories, their samples and the tokens that open them. */
const { randomBytes } = require("node:crypto");
const express = require("express");

const SCOPES = ["samples:read", "samples:write", "tokens:manage"];
const MAX_TOKENS = Number(process.env.MAX_TOKENS ?? 8);

const app = express();
app.use(express.json());

app.get("/health", (request, response) => response.json({ status: "up" }));

app.post("/labs", (request, response) => {
  const token = randomBytes(32).toString("base64url"); // and nobody remembers it
  response.status(201).json({ id: 1, name: request.body.name, token });
});

app.listen(process.env.PORT, "127.0.0.1");
