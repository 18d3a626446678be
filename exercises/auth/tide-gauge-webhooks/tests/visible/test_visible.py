import hashlib
import hmac
import json
import time
from itertools import count

import pytest

SECRET = "whsec-spring-tide"
numbers = count(1)


@pytest.fixture
def srv(shared):
    return shared(GAUGE_SECRETS=SECRET)


@pytest.fixture
def gauge():
    return f"pier-{next(numbers)}"


def reading(gauge, level_cm=412, **more):
    return {"id": f"visible-{next(numbers)}", "gauge": gauge, "level_cm": level_cm, **more}


def deliver(srv, body, signed_body=None):
    """Delivers the body, signed for `signed_body`."""
    sent = json.dumps(body).encode()
    signed = sent if signed_body is None else json.dumps(signed_body).encode()
    timestamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), timestamp.encode() + b"." + signed, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Gauge-Timestamp": timestamp,
        "Gauge-Signature": f"v1={signature}",
    }
    return srv.post("/deliveries", content=sent, headers=headers)


def test_a_genuine_reading_is_recorded(srv, gauge):
    assert srv.get(f"/gauges/{gauge}").status_code == 404
    for level in (412, 398):
        r = deliver(srv, reading(gauge, level))
        assert r.status_code == 201
        assert r.json() == {"status": "recorded"}
    r = srv.get(f"/gauges/{gauge}")
    assert r.status_code == 200
    assert r.json() == {"gauge": gauge, "level_cm": 398, "readings": 2}


def test_a_forged_reading_is_refused(srv, gauge):
    assert srv.post("/deliveries", json=reading(gauge)).status_code == 401
    true = reading(gauge, 120)
    assert deliver(srv, true | {"level_cm": 980}, signed_body=true).status_code == 401
    assert srv.get(f"/gauges/{gauge}").status_code == 404


def test_a_second_delivery_is_a_duplicate(srv, gauge):
    once = reading(gauge, 300)
    assert deliver(srv, once).status_code == 201
    r = deliver(srv, once)
    assert r.status_code == 200
    assert r.json() == {"status": "duplicate"}
    assert deliver(srv, once | {"level_cm": 310}).json() == {"status": "duplicate"}
    assert srv.get(f"/gauges/{gauge}").json() == {"gauge": gauge, "level_cm": 300, "readings": 1}
