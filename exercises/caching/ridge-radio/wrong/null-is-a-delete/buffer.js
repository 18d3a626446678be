'use strict';

// Takes writes, hands them out in batches, and keeps each until the archive has it.
class WriteBehind {
  constructor(maxKeys, batchSize, delayMs, retryMs) {
    if (!(maxKeys >= 1 && batchSize >= 1 && delayMs >= 0 && retryMs >= 1)) {
      throw new RangeError('maxKeys, batchSize and retryMs must be at least 1, delayMs at least 0');
    }
    Object.assign(this, { maxKeys, batchSize, delayMs, retryMs });
    this.line = new Map(); // key -> { value, since }, oldest first; a delete has the value null
    this.batch = new Map(); // the same, for what is on its way
    this.number = 0; // of the latest batch
    this.failures = 0; // in a row
    this.opensAt = 0; // nothing is sent before
  }

  put(key, value, now) {
    return this.write(key, value, now);
  }

  delete(key, now) {
    return this.write(key, null, now);
  }

  read(key) {
    const write = this.line.get(key) ?? this.batch.get(key);
    if (write === undefined) return ['ask', null];
    return write.value === null ? ['delete', null] : ['put', write.value];
  }

  flush(now) {
    if (this.batch.size > 0 || now < this.opensAt) return null;
    const due = [...this.line].filter(([, write]) => write.since + this.delayMs <= now).slice(0, this.batchSize);
    if (due.length === 0) return null;
    this.batch = new Map(due);
    for (const [key] of due) this.line.delete(key);
    this.number += 1;
    return [this.number, due.map(([key, { value }]) => [value === null ? 'delete' : 'put', key, value])];
  }

  done(number, now) {
    if (!this.isOnItsWay(number)) return false;
    this.batch = new Map();
    this.failures = 0;
    return true;
  }

  failed(number, now) {
    if (!this.isOnItsWay(number)) return false;
    const again = new Map();
    for (const [key, write] of this.batch) {
      again.set(key, { ...(this.line.get(key) ?? write), since: write.since });
      this.line.delete(key);
    }
    this.line = new Map([...again, ...this.line]);
    this.batch = new Map();
    this.opensAt = now + this.retryMs * 2 ** Math.min(this.failures, 3);
    this.failures += 1;
    return true;
  }

  waiting() {
    return [...new Set([...this.batch.keys(), ...this.line.keys()])];
  }

  write(key, value, now) {
    const isOpen = this.line.has(key) || this.batch.has(key);
    if (!isOpen && this.waiting().length >= this.maxKeys) return false;
    const since = this.line.get(key)?.since ?? now;
    this.line.set(key, { value, since }); // a key that is there keeps its place
    return true;
  }

  isOnItsWay(number) {
    return this.batch.size > 0 && number === this.number;
  }
}

module.exports = { WriteBehind };
