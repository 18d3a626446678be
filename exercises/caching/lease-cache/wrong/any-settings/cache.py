from itertools import count


class LeaseCache:
    """Tells callers what to use and who loads; values and leases live and die apart."""

    def __init__(self, capacity, fresh_ms, stale_ms, lease_ms):
        self._capacity, self._fresh_ms, self._stale_ms, self._lease_ms = capacity, fresh_ms, stale_ms, lease_ms
        self._numbers = count(1)
        self._values = {}  # key -> (value, stored at), stored longest ago first
        self._leases = {}  # key -> (number, ends at), given longest ago first

    def look(self, key, now):
        self._forget(now)
        leased = key in self._leases
        if key not in self._values:
            return ["wait", None, None] if leased else ["load", None, self._lease(key, now)]
        value, stored_at = self._values[key]
        if now < stored_at + self._fresh_ms:
            return ["fresh", value, None]
        return ["stale", value, None] if leased else ["refresh", value, self._lease(key, now)]

    def store(self, key, value, lease, now):
        self._forget(now)
        if key not in self._leases or self._leases[key][0] != lease:
            return False
        del self._leases[key]
        self._values.pop(key, None)  # inserted anew, so that the order is that of the stores
        self._values[key] = (value, now)
        if len(self._values) > self._capacity:
            del self._values[next(iter(self._values))]
        return True

    def drop(self, key, now):
        self._values.pop(key, None)
        self._leases.pop(key, None)

    def _lease(self, key, now):
        number = next(self._numbers)
        self._leases[key] = (number, now + self._lease_ms)
        return number

    def _forget(self, now):
        """Remove what is over."""
        while self._leases and (first := next(iter(self._leases))) and self._leases[first][1] <= now:
            del self._leases[first]
        lifetime = self._fresh_ms + self._stale_ms
        while self._values and (first := next(iter(self._values))) and self._values[first][1] + lifetime <= now:
            del self._values[first]
