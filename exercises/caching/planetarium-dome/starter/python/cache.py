class SkyCache:
    """Remembers the answers used last. So far it remembers everything, for ever."""

    def __init__(self, capacity, lifetime_ms):
        self.capacity = capacity
        self.lifetime_ms = lifetime_ms
        self.values = {}

    def put(self, key, value, now):
        self.values[key] = value

    def get(self, key, now):
        if key in self.values:
            return [True, self.values[key]]
        return [False, None]

    def keys(self, now):
        return list(self.values)
