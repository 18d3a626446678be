/** The tool library: tools as a REST resource. */
const express = require("express");

const app = express();

app.get("/health", (request, response) => response.json({ status: "up" }));

app.post("/tools", (request, response) => response.status(501).json({ error: "not written yet" }));

app.listen(process.env.PORT, "127.0.0.1");
