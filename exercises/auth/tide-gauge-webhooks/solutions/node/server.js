// The harbour office's receiver: a reading counts only if one of our secrets has signed its very bytes, just now.
'use strict';

const { createHmac, timingSafeEqual } = require('node:crypto');
const express = require('express');

const SECRETS = (process.env.GAUGE_SECRETS ?? '').split(/\s+/).filter((secret) => secret !== '');
const TOLERANCE_SECONDS = Number(process.env.TOLERANCE_SECONDS ?? 300);

const app = express();
const ids = new Set();
const gauges = new Map(); // name -> {gauge, level_cm, readings}

/** Whether two texts are the same; the time it takes does not tell where they differ. */
function same(given, expected) {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b); // the length of a signature is no secret
}

/** Whether the two headers and the raw body fit together, under one of the secrets, at this time. */
function isGenuine(timestamp, signatures, body) {
  if (!/^[0-9]{1,15}$/.test(timestamp)) return false;
  const given = signatures
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry.startsWith('v1='))
    .map((entry) => entry.slice('v1='.length));
  let found = false;
  for (const secret of SECRETS) {
    const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('hex');
    for (const signature of given) found = same(signature, expected) || found;
  }
  return found && Math.abs(Date.now() / 1000 - Number(timestamp)) <= TOLERANCE_SECONDS;
}

/** The reading that the body holds, or null. */
function readingIn(body) {
  let reading;
  try {
    reading = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return null;
  }
  if (reading === null || typeof reading !== 'object') return null;
  const { id, gauge, level_cm: level } = reading;
  if (typeof id !== 'string' || id.length < 1 || id.length > 64) return null;
  if (typeof gauge !== 'string' || !/^[a-z0-9-]{1,40}$/.test(gauge)) return null;
  if (!Number.isInteger(level) || level < -1000 || level > 2000) return null;
  return { id, gauge, level };
}

/** Whether the reading was new. There is no await in here, so nothing else runs between asking and recording. */
function record({ id, gauge, level }) {
  if (ids.has(id)) return false;
  ids.add(id);
  const soFar = gauges.get(gauge)?.readings ?? 0;
  gauges.set(gauge, { gauge, level_cm: level, readings: soFar + 1 });
  return true;
}

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.post('/deliveries', express.raw({ type: () => true, limit: '1mb' }), (req, res) => {
  const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0); // Express gives {} for a request without a body
  if (!isGenuine(req.get('Gauge-Timestamp') ?? '', req.get('Gauge-Signature') ?? '', body)) {
    return res.status(401).json({ error: 'this delivery is not genuine' });
  }
  const reading = readingIn(body);
  if (reading === null) return res.status(422).json({ error: 'this is no reading' });
  if (!record(reading)) return res.json({ status: 'duplicate' });
  res.status(201).json({ status: 'recorded' });
});

app.get('/gauges/:name', (req, res) => {
  const gauge = gauges.get(req.params.name);
  if (gauge === undefined) return res.status(404).json({ error: 'there is no reading of this gauge' });
  res.json(gauge);
});

app.listen(Number(process.env.PORT), '127.0.0.1');
