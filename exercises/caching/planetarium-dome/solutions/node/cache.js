'use strict';

// Remembers the answers used last, for a while. The map is in order of use, least recently used first.
class SkyCache {
  constructor(capacity, lifetimeMs) {
    if (!(capacity >= 1 && lifetimeMs >= 1)) throw new RangeError('capacity and lifetimeMs must be at least 1');
    this.capacity = capacity;
    this.lifetimeMs = lifetimeMs;
    this.entries = new Map(); // key -> { value, ends }
  }

  put(key, value, now) {
    this.forget(now);
    this.entries.delete(key); // so that it comes last
    if (this.entries.size === this.capacity) this.entries.delete(this.entries.keys().next().value);
    this.entries.set(key, { value, ends: now + this.lifetimeMs });
  }

  get(key, now) {
    this.forget(now);
    const entry = this.entries.get(key);
    if (entry === undefined) return [false, null];
    this.entries.delete(key);
    this.entries.set(key, entry);
    return [true, entry.value];
  }

  keys(now) {
    this.forget(now);
    return [...this.entries.keys()].reverse();
  }

  // Remove what is over.
  forget(now) {
    for (const [key, entry] of this.entries) {
      if (entry.ends <= now) this.entries.delete(key);
    }
  }
}

module.exports = { SkyCache };
