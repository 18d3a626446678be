import hashlib
import hmac
import json
import time
from itertools import count

import pytest

OLD, NEW = "wsk_neap/7Q", "wsk_surge+É4"
numbers = count(1)


def sign(secret, timestamp, body):
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Office:
    """The receiver, and deliveries to it that are genuine unless a check says otherwise."""

    def __init__(self, srv, secret):
        self.srv, self.secret = srv, secret

    def reading(self, **changed):
        n = next(numbers)
        return {"id": f"m{n}", "gauge": f"mole-{n}", "level_cm": 250 + n} | changed

    def send(self, body, *, secret=None, shift=0, timestamp=None, signature=None):
        """Delivers `body` (bytes, or what becomes JSON); `signature` makes the header out of the right signature."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        timestamp = str(int(time.time()) + shift) if timestamp is None else timestamp
        right = sign(self.secret if secret is None else secret, timestamp, sent)
        header = f"v1={right}" if signature is None else signature(right)
        if isinstance(header, str):
            header = header.encode()
        headers = {"Content-Type": "application/json", "Gauge-Timestamp": timestamp, "Gauge-Signature": header}
        return self.srv.post("/deliveries", content=sent, headers=headers)

    def status(self, body, **how):
        return self.send(body, **how).status_code

    def shown(self, reading):
        r = self.srv.get(f"/gauges/{reading['gauge']}")
        return r.json() if r.status_code == 200 else r.status_code


def recorded(reading, readings=1):
    return {"gauge": reading["gauge"], "level_cm": reading["level_cm"], "readings": readings}


@pytest.fixture
def office(shared):
    return Office(shared(GAUGE_SECRETS=NEW), NEW)


@pytest.fixture
def rotating(shared):
    return Office(shared(GAUGE_SECRETS=f" {OLD}  {NEW} "), OLD)


def test_a_genuine_body_must_be_a_reading(office):
    good = office.reading()
    lacking = [{key: good[key] for key in good if key != left_out} for left_out in good]
    changed = [{"id": ""}, {"id": "i" * 65}, {"id": 7}, {"gauge": "Mole 7"}, {"gauge": ""}, {"gauge": "g" * 41}]
    changed += [{"gauge": None}, *({"level_cm": level} for level in (2001, -1001, 2.5, True, "250", None))]
    bodies = [*lacking, *(good | change for change in changed), [good], None, b"", b"level 250", b"\xff\xfe{}"]
    answers = office.srv.parallel(len(bodies), lambda i: office.status(bodies[i]))
    assert answers == [422] * len(bodies)
    assert office.shown(good) == 404
    assert office.status(good | {"weather": ["calm"]}) == 201
    assert office.shown(good) == recorded(good)
    assert office.status(good | {"level_cm": "high"}) == 422
    low, high = office.reading(level_cm=-1000), office.reading(level_cm=2000)
    assert [office.status(reading) for reading in (low, high)] == [201, 201]


def test_the_bytes_are_signed(office):
    spelt = [
        '{{"id":"{id}","gauge":"{gauge}","level_cm":{level_cm}}}',
        '\r\n{{ "level_cm" :  {level_cm} ,\t"gauge":"{gauge}", "id":"{id}" }} \n',
        '{{"id":"{id}","gauge":"{gauge}","level_cm":{level_cm},"by":"Zoë \\u00eb","at":1.50e2}}',
    ]
    for text in spelt:
        reading = office.reading()
        body = text.format(**reading).encode()
        assert office.status(body) == 201
        assert office.shown(reading) == recorded(reading)
    reading = office.reading()
    compact = json.dumps(reading, separators=(",", ":")).encode()
    for other in (json.dumps(reading).encode(), compact + b"\n", compact.replace(b"m", b"\\u006d", 1)):
        stamp = str(int(time.time()))
        signature = sign(office.secret, stamp, compact)
        assert office.status(other, timestamp=stamp, signature=lambda _right, s=signature: f"v1={s}") == 401
    assert office.shown(reading) == 404


def test_nothing_almost_right_matches(office):
    reading = office.reading()
    ways = [
        lambda right: "",
        lambda right: "v1=",
        lambda right: "v1",
        lambda right: right,
        lambda right: f"v1={right[:-1]}",
        lambda right: f"v1={right[:8]}",
        lambda right: f"v1={right}0",
        lambda right: f"v1={right[::-1]}",
        lambda right: f"v0={right}",
        lambda right: f"v2={right},v1={'0' * 64}",
        lambda right: f"v11={right}",
        lambda right: f"v1={'é' * 64}",
        lambda right: f"v1={'é' * 64}".encode("latin-1"),
        lambda right: f"v1={right[:-1]}ü".encode("latin-1"),
    ]
    answers = office.srv.parallel(len(ways), lambda i: office.status(reading, signature=ways[i]))
    assert answers == [401] * len(ways)
    good = [
        lambda right: f"v0=abc, v1={right} , v2=",
        lambda right: f"v1={'f' * 64},v1=short,,v1={right}",
    ]
    assert [office.status(office.reading(), signature=way) for way in good] == [201, 201]
    assert office.status(reading) == 201


def test_every_secret_counts(rotating, office):
    assert [rotating.status(rotating.reading(), secret=secret) for secret in (OLD, NEW)] == [201, 201]
    strangers = ("", " ", f"{OLD}  {NEW}", OLD[:-1], NEW + " ", "wsk_other")
    assert [rotating.status(rotating.reading(), secret=secret) for secret in strangers] == [401] * len(strangers)
    both = rotating.reading()
    stamp = str(int(time.time()))
    new = sign(NEW, stamp, json.dumps(both).encode())
    assert rotating.status(both, timestamp=stamp, signature=lambda old: f"v1={old},v1={new}") == 201
    assert rotating.status(rotating.reading(), secret=NEW, signature=lambda right: f"v1={'0' * 64},v1={right}") == 201
    assert office.status(office.reading(), secret=OLD) == 401
    assert office.status(office.reading(), secret=NEW) == 201


def test_the_clock_counts_both_ways(office):
    shifts = [-240, 240, -400, 400, -90_000, 10**9]
    assert [office.status(office.reading(), shift=shift) for shift in shifts] == [201, 201, 401, 401, 401, 401]
    now = int(time.time())
    strange = [f"+{now}", f"{now}.0", f"-{now}", f"{now // 10}_{now % 10}", f"0x{now:x}", "", "now", f"{now}000000"]
    for timestamp in strange:
        assert office.status(office.reading(), timestamp=timestamp) == 401


def test_every_refusal_is_the_same(office):
    reading = office.reading()
    known = office.reading()
    assert office.status(known) == 201
    answers = [
        office.send(reading, secret="wsk_guess"),
        office.send(reading, shift=-4000),
        office.send(reading, shift=4000),
        office.send(reading, timestamp="soon"),
        office.send(reading, signature=lambda right: "v1=abc"),
        office.send(known, secret="wsk_guess"),
        office.send(b"no reading", secret="wsk_guess"),
        office.send(known, shift=-4000),
        office.send(b"no reading", shift=-4000),
        office.srv.post("/deliveries", json=reading),
        office.srv.post("/deliveries", json=reading, headers={"Gauge-Timestamp": str(int(time.time()))}),
        office.srv.post("/deliveries", json=reading, headers={"Gauge-Signature": "v1=" + "0" * 64}),
        office.srv.post("/deliveries"),
    ]
    assert [r.status_code for r in answers] == [401] * len(answers)
    assert {r.content for r in answers} == {answers[0].content}
    assert answers[0].json()
    assert office.shown(known) == recorded(known)


def test_a_refused_delivery_leaves_nothing(office):
    reading = office.reading()
    assert office.status(reading, secret="wsk_guess") == 401
    assert office.status(reading, shift=-4000) == 401
    assert office.srv.post("/deliveries", json=reading).status_code == 401
    assert office.status(reading | {"level_cm": None}) == 422
    assert office.shown(reading) == 404
    assert office.status(reading) == 201
    assert office.status(reading | {"level_cm": 1999}, secret="wsk_guess") == 401
    assert office.shown(reading) == recorded(reading)


def test_simultaneous_deliveries_record_once(office):
    for _ in range(2):
        reading = office.reading()
        answers = office.srv.parallel(10, lambda i, reading=reading: office.status(reading))
        assert sorted(answers) == [200] * 9 + [201]
        assert office.shown(reading) == recorded(reading)
