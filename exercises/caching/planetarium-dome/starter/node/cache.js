'use strict';

// Remembers the answers used last. So far it remembers everything, for ever.
class SkyCache {
  constructor(capacity, lifetimeMs) {
    this.capacity = capacity;
    this.lifetimeMs = lifetimeMs;
    this.values = new Map();
  }

  put(key, value, now) {
    this.values.set(key, value);
  }

  get(key, now) {
    if (this.values.has(key)) return [true, this.values.get(key)];
    return [false, null];
  }

  keys(now) {
    return [...this.values.keys()];
  }
}

module.exports = { SkyCache };
