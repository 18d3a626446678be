/** Tells callers what to use and who loads; values and leases live and die apart. */
class LeaseCache {
  #capacity;
  #freshMs;
  #staleMs;
  #leaseMs;
  #given = 0;
  #values = new Map(); // key -> { value, storedAt }, stored longest ago first
  #leases = new Map(); // key -> { number, endsAt }, given longest ago first

  constructor(capacity, freshMs, staleMs, leaseMs) {
    if (capacity < 1 || freshMs < 1 || staleMs < 0 || leaseMs < 1) {
      throw new RangeError("capacity, freshMs and leaseMs must be at least 1, staleMs at least 0");
    }
    this.#capacity = capacity;
    this.#freshMs = freshMs;
    this.#staleMs = staleMs;
    this.#leaseMs = leaseMs;
  }

  look(key, now) {
    this.#forget(now);
    const leased = this.#leases.has(key);
    const entry = this.#values.get(key);
    if (entry === undefined) return leased ? ["wait", null, null] : ["load", null, this.#lease(key, now)];
    if (now < entry.storedAt + this.#freshMs) return ["fresh", entry.value, null];
    return leased ? ["stale", entry.value, null] : ["refresh", entry.value, this.#lease(key, now)];
  }

  store(key, value, lease, now) {
    this.#forget(now);
    if (this.#leases.get(key)?.number !== lease) return false;
    this.#leases.delete(key);
    this.#values.delete(key); // inserted anew, so that the order is that of the stores
    this.#values.set(key, { value, storedAt: now });
    if (this.#values.size > this.#capacity) this.#values.delete(this.#values.keys().next().value);
    return true;
  }

  drop(key, now) {
    this.#values.delete(key);
    this.#leases.delete(key);
  }

  #lease(key, now) {
    this.#given += 1;
    this.#leases.set(key, { number: this.#given, endsAt: now + this.#leaseMs });
    return this.#given;
  }

  /** Removes what is over. All live equally long, so the oldest are first and each is removed once. */
  #forget(now) {
    for (const [key, { endsAt }] of this.#leases) {
      if (endsAt > now) break;
      this.#leases.delete(key);
    }
    for (const [key, { storedAt }] of this.#values) {
      if (storedAt + this.#freshMs + this.#staleMs > now) break;
      this.#values.delete(key);
    }
  }
}

module.exports = { LeaseCache };
