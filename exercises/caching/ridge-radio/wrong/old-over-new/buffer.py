class WriteBehind:
    """Takes writes, hands them out in batches, and keeps each until the archive has it."""

    def __init__(self, max_keys, batch_size, delay_ms, retry_ms):
        if max_keys < 1 or batch_size < 1 or delay_ms < 0 or retry_ms < 1:
            raise ValueError("max_keys, batch_size and retry_ms must be at least 1, delay_ms at least 0")
        self._max_keys, self._batch_size = max_keys, batch_size
        self._delay_ms, self._retry_ms = delay_ms, retry_ms
        self._line = {}  # key -> (deed, value, since), oldest first
        self._batch = {}  # the same, for what is on its way
        self._number = 0  # of the latest batch
        self._failures = 0  # in a row
        self._opens_at = 0  # nothing is sent before

    def put(self, key, value, now):
        return self._write(key, "put", value, now)

    def delete(self, key, now):
        return self._write(key, "delete", None, now)

    def read(self, key):
        write = self._line.get(key) or self._batch.get(key)
        return ["ask", None] if write is None else [write[0], write[1]]

    def flush(self, now):
        if self._batch or now < self._opens_at:
            return None
        due = [key for key, (_, _, since) in self._line.items() if since + self._delay_ms <= now]
        if not due:
            return None
        self._batch = {key: self._line.pop(key) for key in due[: self._batch_size]}
        self._number += 1
        return [self._number, [[deed, key, value] for key, (deed, value, _) in self._batch.items()]]

    def done(self, number, now):
        if not self._is_on_its_way(number):
            return False
        self._batch = {}
        self._failures = 0
        return True

    def failed(self, number, now):
        if not self._is_on_its_way(number):
            return False
        self._line = self._batch | {key: write for key, write in self._line.items() if key not in self._batch}
        self._batch = {}
        self._opens_at = now + self._retry_ms * 2 ** min(self._failures, 3)
        self._failures += 1
        return True

    def waiting(self):
        return list(self._batch | self._line)

    def _write(self, key, deed, value, now):
        is_open = key in self._line or key in self._batch
        if not is_open and len(self._batch | self._line) >= self._max_keys:
            return False
        since = self._line[key][2] if key in self._line else now
        self._line[key] = (deed, value, since)  # a key that is there keeps its place
        return True

    def _is_on_its_way(self, number):
        return bool(self._batch) and number == self._number
