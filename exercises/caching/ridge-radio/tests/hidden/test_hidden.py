import pytest


def new(solution, keys=50, size=10, delay=100, retry=40):
    return solution.new("WriteBehind", keys, size, delay, retry)


def put(key, value, now):
    return ("put", key, value, now)


def batch(number, **values):
    return [number, [["put", key, value] for key, value in values.items()]]


def test_a_busy_key_keeps_its_place(solution):
    buffer = new(solution, size=2)
    buffer.many([put("busy", 0, 0), put("b", 1, 10), put("c", 2, 20)])
    buffer.many([put("busy", now, now) for now in range(30, 100, 10)])
    assert buffer.waiting() == ["busy", "b", "c"]
    assert buffer.flush(100) == batch(1, busy=90)
    assert buffer.many([put("busy", 7, 110), put("b", 8, 115), ("done", 1, 116)]) == [True] * 3
    # b is as old as its first write, and busy began anew when its batch had left.
    assert buffer.flush(117) == batch(2, b=8)
    assert buffer.many([("done", 2, 118), ("flush", 120)]) == [True, batch(3, c=2)]
    assert buffer.many([("done", 3, 209), ("flush", 209), ("flush", 210)]) == [True, None, batch(4, busy=7)]


def test_what_is_due(solution):
    buffer = new(solution, size=3)
    buffer.many([put(key, now, now) for now, key in enumerate("abcdef", 50)])
    assert buffer.many([("flush", 149), ("flush", 150)]) == [None, batch(1, a=50)]
    assert buffer.many([("done", 1, 151), ("flush", 152)]) == [True, batch(2, b=51, c=52)]
    assert buffer.many([("done", 2, 200), ("flush", 200)]) == [True, batch(3, d=53, e=54, f=55)]
    buffer = new(solution, size=2, delay=0)
    buffer.many([put(key, 1, 9) for key in "zyx"])
    assert buffer.many([("flush", 9), ("done", 1, 9), ("flush", 9)]) == [batch(1, z=1, y=1), True, batch(2, x=1)]
    assert buffer.many([("done", 2, 9), ("flush", 10**6), ("flush", 10**6)]) == [True, None, None]
    assert buffer.many([put("w", 1, 10**6), ("flush", 10**6)]) == [True, batch(3, w=1)]


def test_writes_while_a_batch_is_on_its_way(solution):
    buffer = new(solution)
    buffer.many([put("a", 1, 0), put("b", 2, 1)])
    assert buffer.flush(200) == batch(1, a=1, b=2)
    assert buffer.many([put("c", 3, 201), put("a", 4, 202), put("a", 5, 203)]) == [True] * 3
    assert buffer.many([("flush", 350), ("waiting",)]) == [None, ["a", "b", "c"]]
    assert buffer.many([("read", key) for key in "abc"]) == [["put", 5], ["put", 2], ["put", 3]]
    assert buffer.many([("done", 1, 360), ("waiting",), ("read", "a"), ("read", "b")]) == [
        True,
        ["c", "a"],
        ["put", 5],
        ["ask", None],
    ]
    assert buffer.many([("flush", 360), ("done", 2, 370), ("read", "a")]) == [batch(2, c=3, a=5), True, ["ask", None]]


def test_a_batch_that_failed(solution):
    buffer = new(solution, size=3)
    buffer.many([put(key, 1, now) for now, key in enumerate("abcd")])
    assert buffer.flush(300) == batch(1, a=1, b=1, c=1)
    assert buffer.many([put("c", 2, 301), put("e", 1, 302), ("delete", "a", 303)]) == [True] * 3
    assert buffer.many([("failed", 1, 310), ("waiting",)]) == [True, ["a", "b", "c", "d", "e"]]
    assert buffer.many([("read", "a"), ("read", "c")]) == [["delete", None], ["put", 2]]
    sent = buffer.flush(350)
    assert sent == [2, [["delete", "a", None], ["put", "b", 1], ["put", "c", 2]]]
    assert buffer.many([("done", 2, 360), ("flush", 370)]) == [True, batch(3, d=1)]
    assert buffer.many([("failed", 3, 380), put("d", 9, 390), ("flush", 420)]) == [True, True, batch(4, d=9, e=1)]


def test_pauses_grow(solution):
    buffer = new(solution, delay=0, retry=30)
    now, number = 1000, 0
    buffer.put("a", 1, now)
    for pauses in ([30, 60, 120, 240, 240, 240], [30, 60]):
        for pause in pauses:
            number += 1
            assert buffer.many([("flush", now), ("failed", number, now + 5)]) == [batch(number, a=1), True]
            now += 5 + pause
            assert buffer.many([("flush", now - pause), ("flush", now - 1)]) == [None, None]
        number += 1
        calls = [("flush", now), ("done", number, now), put("a", 1, now)]
        assert buffer.many(calls) == [batch(number, a=1), True, True]
    # After success there is no pause.
    assert buffer.flush(now) == batch(number + 1, a=1)


def test_answers_for_other_batches(solution):
    buffer = new(solution, delay=0)
    assert buffer.many([("done", 0, 1), ("done", 1, 1), ("failed", 1, 1)]) == [False] * 3
    buffer.many([put("a", 1, 1), ("flush", 2), ("done", 1, 3)])
    assert buffer.many([("done", 1, 4), ("failed", 1, 5), ("waiting",)]) == [False, False, []]
    assert buffer.many([put("b", 1, 6), ("flush", 6), put("b", 2, 7)]) == [True, batch(2, b=1), True]
    assert buffer.many([(verb, number, 8) for verb in ("done", "failed") for number in (1, 3, 0)]) == [False] * 6
    assert buffer.many([("read", "b"), ("flush", 9), ("failed", 2, 10)]) == [["put", 2], None, True]
    assert buffer.many([("done", 2, 11), ("failed", 2, 12), ("waiting",)]) == [False, False, ["b"]]
    assert buffer.many([("flush", 49), ("flush", 50)]) == [None, batch(3, b=2)]
    assert buffer.many([("done", 2, 51), ("waiting",), ("done", 3, 52)]) == [False, ["b"], True]


def test_the_buffer_is_bounded(solution):
    buffer = new(solution, keys=3, delay=0)
    assert buffer.many([put(key, 1, 0) for key in "abcd"]) == [True, True, True, False]
    assert buffer.many([put("b", 2, 1), ("delete", "d", 2), ("delete", "a", 3)]) == [True, False, True]
    assert buffer.many([("waiting",), ("read", "d")]) == [["a", "b", "c"], ["ask", None]]
    sent = [1, [["delete", "a", None], ["put", "b", 2], ["put", "c", 1]]]
    assert buffer.many([("flush", 4), put("d", 1, 5), put("b", 3, 6)]) == [sent, False, True]
    assert buffer.many([("failed", 1, 7), put("d", 1, 8), put("c", 4, 9)]) == [True, False, True]
    assert buffer.many([("flush", 50), put("b", 5, 51), ("done", 2, 52)])[1:] == [True, True]
    assert buffer.many([put(key, 6, 53) for key in "efg"]) == [True, True, False]
    assert buffer.waiting() == ["b", "e", "f"]


def test_deletes(solution):
    buffer = new(solution, delay=10)
    assert buffer.many([("delete", "a", 0), put("b", 1, 1), ("delete", "b", 2)]) == [True] * 3
    assert buffer.many([put("c", 1, 3), ("delete", "c", 4), put("c", 2, 5)]) == [True] * 3
    sent = [1, [["delete", "a", None], ["delete", "b", None], ["put", "c", 2]]]
    assert buffer.many([("flush", 20), ("delete", "c", 21), ("read", "c")]) == [sent, True, ["delete", None]]
    assert buffer.many([("read", "a"), ("done", 1, 30), ("read", "a")]) == [["delete", None], True, ["ask", None]]
    assert buffer.many([("flush", 31), ("waiting",)]) == [[2, [["delete", "c", None]]], ["c"]]


@pytest.mark.parametrize("value", [None, 0, False, "", [], {}])
def test_falsy_values(solution, value):
    buffer = new(solution, delay=0)
    assert buffer.many([put("a", value, 0), ("read", "a")]) == [True, ["put", value]]
    assert buffer.many([("flush", 1), ("read", "a")]) == [[1, [["put", "a", value]]], ["put", value]]
    assert buffer.many([put("a", 1, 2), put("a", value, 3), ("failed", 1, 4)]) == [True] * 3
    assert buffer.many([("read", "a"), ("flush", 60)]) == [["put", value], [2, [["put", "a", value]]]]


class Model:
    """The rules, word by word: every open write is a row [key, deed, value, since]."""

    def __init__(self, keys, size, delay, retry):
        self.keys, self.size, self.delay, self.retry = keys, size, delay, retry
        self.line, self.sent, self.number, self.fails, self.opens = [], [], 0, 0, 0

    def put(self, key, value, now):
        return self.write(key, "put", value, now)

    def delete(self, key, now):
        return self.write(key, "delete", None, now)

    def write(self, key, deed, value, now):
        for row in self.line:
            if row[0] == key:
                row[1:3] = deed, value
                return True
        if key not in self.waiting() and len(self.waiting()) == self.keys:
            return False
        self.line.append([key, deed, value, now])
        return True

    def waiting(self):
        names = [row[0] for row in self.sent + self.line]
        return [name for place, name in enumerate(names) if name not in names[:place]]

    def read(self, key):
        rows = [row for row in self.sent + self.line if row[0] == key]
        return rows[-1][1:3] if rows else ["ask", None]

    def flush(self, now):
        due = [row for row in self.line if row[3] + self.delay <= now][: self.size]
        if self.sent or now < self.opens or not due:
            return None
        self.number, self.sent, self.line = self.number + 1, due, self.line[len(due) :]
        return [self.number, [[deed, key, value] for key, deed, value, _ in due]]

    def done(self, number, now):
        if not self.sent or number != self.number:
            return False
        self.sent, self.fails = [], 0
        return True

    def failed(self, number, now):
        if not self.sent or number != self.number:
            return False
        newer = {row[0]: row for row in self.line}
        again = [[key, *newer.get(key, row)[1:3], row[3]] for row in self.sent for key in row[:1]]
        self.line = again + [row for row in self.line if row[0] not in {sent[0] for sent in again}]
        self.sent, self.opens = [], now + self.retry * (1, 2, 4, 8)[min(self.fails, 3)]
        self.fails += 1
        return True


@pytest.mark.parametrize("keys", [2, 4, 9])
def test_random_traffic(solution, rng, keys):
    settings = (keys, rng.randrange(1, keys + 1), rng.randrange(5, 40), rng.randrange(3, 15))
    buffer, model, now = solution.new("WriteBehind", *settings), Model(*settings), 0
    calls, expected = [], []
    for turn in range(1500):
        now += rng.choice([0, 0, 1, 2, 5, 12])
        key, number = f"k{rng.randrange(keys + 2)}", model.number - (rng.random() < 0.15)
        verb = rng.choices(["put", "delete", "read", "flush", "done", "failed", "waiting"], [9, 2, 4, 6, 2, 2, 1])[0]
        arguments = {
            "put": (key, rng.choice([turn, None]), now),
            "delete": (key, now),
            "read": (key,),
            "flush": (now,),
            "waiting": (),
        }.get(verb, (number, now))
        calls.append((verb, *arguments))
        expected.append(getattr(model, verb)(*arguments))
    assert buffer.many(calls) == expected
