"""Streams: rows of one topic, once each, and an end."""

from __future__ import annotations

import json
import threading
import time

import pytest
from flask import Flask

from app.db import db, now
from app.errors import TooMany
from app.live import services
from app.live.models import Event
from app.live.stream import Pace, Places, last_seen, stream

TOPIC = "submission:1"
PACE = Pace()
DONE = {"submission.judged"}


def tell(app: Flask, *names: str, topic: str = TOPIC) -> None:
    with app.app_context():
        for name in names:
            services.tell(topic, name, said=name)
            db.session.flush()
        db.session.commit()


def listen(app: Flask, last_id: int = 0, pace: Pace = PACE) -> str:
    with app.test_request_context("/"):
        response = stream(
            TOPIC, person_id=1, last_id=last_id, until=DONE, pace=pace, places=Places(per_person=1, in_all=1)
        )
        text = response.get_data(as_text=True)
        response.close()
    return text


def frames(text: str) -> list[dict[str, str]]:
    found = []
    for block in text.split("\n\n"):
        pairs = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in pairs:
            found.append(pairs)
    return found


@pytest.mark.both_databases
def test_events_come_in_order_with_the_ids_of_their_rows(app: Flask) -> None:
    tell(app, "submission.queued", "box.started", "submission.judged")
    tell(app, "submission.queued", topic="submission:2")
    heard = frames(listen(app))
    assert [f["event"] for f in heard] == ["submission.queued", "box.started", "submission.judged"]
    with app.app_context():
        assert [int(f["id"]) for f in heard] == [e.id for e in services.after(TOPIC, 0)]
    assert json.loads(heard[1]["data"]) == {"said": "box.started"}


def test_a_page_that_comes_back_hears_only_what_it_missed(app: Flask) -> None:
    tell(app, "submission.queued", "box.started", "submission.judged")
    first = frames(listen(app))[0]
    assert [f["event"] for f in frames(listen(app, int(first["id"])))] == ["box.started", "submission.judged"]


def test_what_is_written_later_is_heard_soon(app: Flask) -> None:
    writer = threading.Timer(0.3, tell, (app, "submission.judged"))
    writer.start()
    started = time.monotonic()
    assert [f["event"] for f in frames(listen(app))] == ["submission.judged"]
    assert time.monotonic() - started < 5
    writer.join()


def test_a_silent_stream_beats_and_ends_by_itself(app: Flask) -> None:
    text = listen(app, pace=Pace(heartbeat=0.05, max_life=0.6))
    assert text.count(": still here") >= 2
    assert text.startswith("retry: ")


def test_between_polls_no_connection_is_held(app: Flask) -> None:
    held: list[int] = []
    listen(app, pace=Pace(max_life=0.3, wait=lambda seconds: held.append(db.engine.pool.checkedout())))
    assert held
    assert set(held) == {0}


def test_a_stream_takes_a_place_and_gives_it_back(app: Flask) -> None:
    places = Places(per_person=1, in_all=9)
    with app.test_request_context("/"):
        open_one = stream(TOPIC, person_id=1, last_id=0, until=DONE, places=places)
        with pytest.raises(TooMany):
            stream(TOPIC, person_id=1, last_id=0, until=DONE, places=places)
        open_one.close()  # before a single byte was read
        stream(TOPIC, person_id=1, last_id=0, until=DONE, places=places).close()


def test_one_person_cannot_take_all_places() -> None:
    places = Places(per_person=2, in_all=3)
    places.take(1)
    places.take(1)
    with pytest.raises(TooMany):
        places.take(1)
    places.take(2)
    with pytest.raises(TooMany):
        places.take(3)
    places.give_back(1)
    places.take(3)


@pytest.mark.parametrize(
    ("header", "query", "expected"),
    [
        (None, "", 0),
        ("7", "", 7),
        (None, "?after=9", 9),
        ("7", "?after=9", 7),
        ("-1", "", 0),
        ("1e3", "", 0),
        ("٣", "", 0),
        ("9" * 11, "", 2**31 - 1),
        ("9" * 99, "", 0),
    ],
)
def test_the_last_id_is_read_from_the_header_first(app: Flask, header: str | None, query: str, expected: int) -> None:
    headers = {"Last-Event-ID": header} if header else {}
    with app.test_request_context(f"/{query}", headers=headers):
        assert last_seen() == expected


@pytest.mark.both_databases
def test_old_events_are_forgotten(app: Flask) -> None:
    tell(app, "submission.queued")
    with app.app_context():
        services.forget(now())
        db.session.commit()
        assert db.session.query(Event).count() == 0
