// The harbour office's receiver, as it is today: it believes everybody.
'use strict';

const express = require('express');

const app = express();
const gauges = new Map(); // name -> {gauge, level_cm, readings}

app.get('/health', (req, res) => res.json({ status: 'up' }));

app.post('/deliveries', express.json(), (req, res) => {
  const reading = req.body;
  const known = gauges.get(reading.gauge) ?? { readings: 0 };
  gauges.set(reading.gauge, {
    gauge: reading.gauge,
    level_cm: reading.level_cm,
    readings: known.readings + 1,
  });
  res.status(201).json({ status: 'recorded' });
});

app.get('/gauges/:name', (req, res) => {
  const gauge = gauges.get(req.params.name);
  if (gauge === undefined) return res.status(404).json({ error: 'there is no reading of this gauge' });
  res.json(gauge);
});

app.listen(Number(process.env.PORT), '127.0.0.1');
