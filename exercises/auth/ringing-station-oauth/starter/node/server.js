// The ringing station's authorization server.
'use strict';

const express = require('express');

const CODE_SECONDS = Number(process.env.CODE_SECONDS ?? 60);
const ACCESS_SECONDS = Number(process.env.ACCESS_SECONDS ?? 600);
const RINGERS = JSON.parse(process.env.RINGERS ?? '{}');
const CLIENTS = new Map(JSON.parse(process.env.CLIENTS ?? '[]').map((client) => [client.id, client]));

const app = express();
app.use(express.urlencoded({ extended: false }));

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.get('/authorize', (req, res) => {
  const client = CLIENTS.get(req.query.client_id);
  res.send(`<h1>${client.name} asks for your data</h1>`); // and the form
});

app.post('/authorize', (req, res) => {
  res.redirect(`${req.query.redirect_uri}?error=access_denied`); // nobody gets anything yet
});

app.post('/token', (req, res) => res.status(400).json({ error: 'unsupported_grant_type' }));

app.listen(Number(process.env.PORT), '127.0.0.1');
