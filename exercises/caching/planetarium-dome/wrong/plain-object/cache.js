'use strict';

// Remembers the answers used last, for a while. The map is in order of use, least recently used first.
class SkyCache {
  constructor(capacity, lifetimeMs) {
    if (!(capacity >= 1 && lifetimeMs >= 1)) throw new RangeError('capacity and lifetimeMs must be at least 1');
    this.capacity = capacity;
    this.lifetimeMs = lifetimeMs;
    this.entries = {}; // key -> { value, ends }
  }

  put(key, value, now) {
    this.forget(now);
    delete this.entries[key]; // so that it comes last
    const keys = Object.keys(this.entries);
    if (keys.length === this.capacity) delete this.entries[keys[0]];
    this.entries[key] = { value, ends: now + this.lifetimeMs };
  }

  get(key, now) {
    this.forget(now);
    const entry = this.entries[key];
    if (entry === undefined) return [false, null];
    delete this.entries[key];
    this.entries[key] = entry;
    return [true, entry.value];
  }

  keys(now) {
    this.forget(now);
    return Object.keys(this.entries).reverse();
  }

  // Remove what is over.
  forget(now) {
    for (const [key, entry] of Object.entries(this.entries)) {
      if (entry.ends <= now) delete this.entries[key];
    }
  }
}

module.exports = { SkyCache };
