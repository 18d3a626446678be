class WriteBehind:
    """Takes writes and hands them out in batches. So far every write is a batch, and every batch gets through."""

    def __init__(self, max_keys, batch_size, delay_ms, retry_ms):
        self.max_keys = max_keys
        self.batch_size = batch_size
        self.delay_ms = delay_ms
        self.retry_ms = retry_ms
        self.line = []
        self.batches = 0

    def put(self, key, value, now):
        self.line.append(["put", key, value])
        return True

    def delete(self, key, now):
        self.line.append(["delete", key, None])
        return True

    def read(self, key):
        return ["ask", None]

    def flush(self, now):
        if not self.line:
            return None
        self.batches += 1
        return [self.batches, [self.line.pop(0)]]

    def done(self, number, now):
        return True

    def failed(self, number, now):
        return True

    def waiting(self):
        return [write[1] for write in self.line]
