'use strict';

// Takes writes and hands them out in batches. So far every write is a batch, and every batch gets through.
class WriteBehind {
  constructor(maxKeys, batchSize, delayMs, retryMs) {
    this.maxKeys = maxKeys;
    this.batchSize = batchSize;
    this.delayMs = delayMs;
    this.retryMs = retryMs;
    this.line = [];
    this.batches = 0;
  }

  put(key, value, now) {
    this.line.push(['put', key, value]);
    return true;
  }

  delete(key, now) {
    this.line.push(['delete', key, null]);
    return true;
  }

  read(key) {
    return ['ask', null];
  }

  flush(now) {
    if (this.line.length === 0) return null;
    this.batches += 1;
    return [this.batches, [this.line.shift()]];
  }

  done(number, now) {
    return true;
  }

  failed(number, now) {
    return true;
  }

  waiting() {
    return this.line.map(([, key]) => key);
  }
}

module.exports = { WriteBehind };
