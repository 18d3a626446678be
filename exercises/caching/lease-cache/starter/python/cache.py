class LeaseCache:
    """Tells callers what to use and who loads. So far everybody loads."""

    def __init__(self, capacity, fresh_ms, stale_ms, lease_ms):
        self.fresh_ms = fresh_ms
        self.leases = 0
        self.values = {}  # key -> (value, time of the store)

    def look(self, key, now):
        if key in self.values:
            value, stored_at = self.values[key]
            if now < stored_at + self.fresh_ms:
                return ["fresh", value, None]
        self.leases += 1
        return ["load", None, self.leases]

    def store(self, key, value, lease, now):
        self.values[key] = (value, now)
        return True

    def drop(self, key, now):
        self.values.pop(key, None)
