/** Tells callers what to use and who loads. So far everybody loads. */
class LeaseCache {
  constructor(capacity, freshMs, staleMs, leaseMs) {
    this.freshMs = freshMs;
    this.leases = 0;
    this.values = new Map(); // key -> { value, storedAt }
  }

  look(key, now) {
    const entry = this.values.get(key);
    if (entry && now < entry.storedAt + this.freshMs) return ["fresh", entry.value, null];
    this.leases += 1;
    return ["load", null, this.leases];
  }

  store(key, value, lease, now) {
    this.values.set(key, { value, storedAt: now });
    return true;
  }

  drop(key, now) {
    this.values.delete(key);
  }
}

module.exports = { LeaseCache };
