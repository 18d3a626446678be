class SkyCache:
    """Remembers the answers used last, for a while. The dictionary is in order of use, least recently used first."""

    def __init__(self, capacity, lifetime_ms):
        if capacity < 1 or lifetime_ms < 1:
            raise ValueError("capacity and lifetime_ms must be at least 1")
        self.capacity = capacity
        self.lifetime_ms = lifetime_ms
        self.entries = {}  # key -> (value, when it ends)

    def put(self, key, value, now):
        self._forget(now)
        self.entries.pop(key, None)  # so that it comes last
        if len(self.entries) == self.capacity:
            del self.entries[next(iter(self.entries))]
        self.entries[key] = (value, now + self.lifetime_ms)

    def get(self, key, now):
        self._forget(now)
        if key not in self.entries:
            return [False, None]
        entry = self.entries.pop(key)
        self.entries[key] = (entry[0], now + self.lifetime_ms)
        return [True, entry[0]]

    def keys(self, now):
        self._forget(now)
        return list(reversed(self.entries))

    def _forget(self, now):
        """Remove what is over."""
        self.entries = {key: entry for key, entry in self.entries.items() if now < entry[1]}
