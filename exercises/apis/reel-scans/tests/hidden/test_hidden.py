import json
import time
from itertools import count
from secrets import token_hex

import pytest


class Archive:
    """One server, seen by clients and by machines; scans have the numbers 1, 2, … of this check."""

    def __init__(self, srv):
        self.srv, self.prefix, self.tokens = srv, token_hex(4), count(1)
        self.base = 0
        self.base = self.last = self.begin(1, "before").json()["id"]
        self.cancel(0)

    def begin(self, frames=3, token=None, reel="Tram lines"):
        token = self.prefix + (token or f"start-{next(self.tokens)}")
        r = self.srv.post("/scans", json={"reel": reel, "frames": frames}, headers={"Client-Token": token[:64]})
        if r.status_code == 202:
            self.last = max(getattr(self, "last", 0), r.json()["id"])
        return r

    def begun(self, *frames):
        """The numbers of new scans with so many frames."""
        return [self.begin(each).json()["id"] - self.base for each in frames]

    def at(self, scan, rest=""):
        """The address of a scan."""
        return f"/scans/{self.base + scan}{rest}"

    def body(self, r):
        """The scan that an answer holds, under its number of this check."""
        body = r.json()
        number = body["id"] - self.base
        if "film" in body:
            assert body["film"] == self.at(number, "/film")
        return {**body, "id": number}

    def next(self, machine):
        """The number of the scan that the machine is given, or None."""
        r = self.srv.post(f"/machines/{machine}/next")
        assert r.status_code in (200, 204)
        return self.body(r)["id"] if r.status_code == 200 else None

    def report(self, machine, what, **body):
        return self.srv.post(f"/machines/{machine}/{what}", json=body)

    def frame(self, machine, scan, number, checksum="0badcafe"):
        return self.report(machine, "frames", scan=self.base + scan, frame=number, checksum=checksum)

    def fail(self, machine, scan, code="lamp-burnt-out", text="Replace the lamp."):
        return self.report(machine, "failure", scan=self.base + scan, code=code, text=text)

    def cancel(self, scan):
        return self.srv.delete(self.at(scan))

    def scan(self, scan):
        return self.body(self.srv.get(self.at(scan)))

    def state(self, scan):
        return self.scan(scan)["state"]

    def film(self, scan):
        return self.srv.get(self.at(scan, "/film"))

    def story(self, scan, **params):
        r = self.srv.get(self.at(scan, "/events"), params=params)
        assert r.status_code == 200
        return told(r.text)


@pytest.fixture
def archive(shared):
    """Makes an archive, by default on a server that other checks use, too; that is left without work for machines."""
    made = []

    def make(srv=None, **env):
        films = Archive(srv or shared(**env))
        if srv is None:
            made.append(films)
        return films

    yield make
    for films in made:
        for number in range(films.base + 1, films.last + 1):
            films.srv.delete(f"/scans/{number}")


MANY = {"PLACES": 4, "RETRY_SECONDS": 17}


def told(text):
    """Events in short, and that they are numbered."""
    events = [json.loads(line) for line in text.splitlines()]
    numbers = [event.pop("n") for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True
    for event in events:
        assert set(event) == ({"event", "done"} if event["event"] == "frame" else {"event"})
    return [event.get("done", event["event"]) for event in events]


def refused(r, status, word):
    assert (r.status_code, r.json()) == (status, {"error": word})
    return True


def test_the_status_says_when_to_come_back(archive):
    films = archive(**MANY)
    ends = {"done": 1, "failed": 2, "cancelled": 3}
    films.begun(1, 1, 1, 1)
    for scan in range(1, 5):
        r = films.srv.get(films.at(scan))
        assert (r.status_code, r.json()["state"], r.headers.get("Retry-After")) == (200, "queued", "17")
        assert films.next(f"m{scan}") == scan
        r = films.srv.get(films.at(scan))
        assert (r.json()["state"], r.headers.get("Retry-After")) == ("running", "17")
        assert refused(films.film(scan), 409, "not_done")
    films.frame("m1", 1, 1)
    films.fail("m2", 2)
    films.cancel(3)
    for state, scan in ends.items():
        r = films.srv.get(films.at(scan))
        assert (r.status_code, r.json()["state"]) == (200, state)
        assert "Retry-After" not in r.headers
        assert (
            set(r.json()) - {"id", "reel", "frames", "state", "done"}
            == {
                "done": {"film"},
                "failed": {"problem"},
                "cancelled": set(),
            }[state]
        )
    r = films.begin(1, "start-3")
    assert (r.status_code, r.json()["state"], "Retry-After" in r.headers) == (202, "cancelled", False)
    assert films.film(1).json() == {"reel": "Tram lines", "checksums": ["0badcafe"]}
    assert refused(films.film(2), 409, "not_done")
    assert refused(films.film(5), 404, "not_found")


def test_a_token_stands_for_one_scan(archive):
    films = archive()
    for token in ("t" * 64, "T-_9"):
        first = films.begin(2, token)
        assert first.status_code == 202
        assert refused(films.begin(3, token), 409, "token_reused")
        assert refused(films.begin(2, token, reel="tram lines"), 409, "token_reused")
        assert films.begin(2, token).json() == first.json()
    one, two = 1, 2
    assert films.next("m1") == one
    again = films.begin(2, "t" * 64)
    assert (again.status_code, again.json()["state"], again.headers["Location"]) == (202, "running", films.at(1))
    films.frame("m1", one, 1)
    films.frame("m1", one, 2)
    again = films.begin(2, "t" * 64)
    assert (again.status_code, films.body(again)) == (202, films.scan(one))
    assert (again.json()["state"], again.json()["film"]) == ("done", films.at(1, "/film"))
    assert films.next("m1") == two
    assert films.next("m2") is None
    for token in ("", "t" * 65, "two words", "dot.dot", "é".encode().decode("latin-1")):
        headers = {"Client-Token": token.encode("latin-1")}
        body = {"reel": "Tram lines", "frames": 2}
        assert refused(films.srv.post("/scans", json=body, headers=headers), 400, "bad_token")
    assert refused(films.srv.post("/scans", content=b"{"), 400, "bad_token")


def test_simultaneous_starts_are_one_scan(archive):
    films = archive()
    answers = films.srv.parallel(8, lambda i: films.begin(4, "impatient"))
    assert [r.status_code for r in answers] == [202] * 8
    assert {r.headers["Location"] for r in answers} == {films.at(1)}
    answers = films.srv.parallel(8, lambda i: films.begin(4, f"patient-{i % 4}"))
    assert {films.body(r)["id"] for r in answers} == {2, 3, 4, 5}
    assert films.srv.get(films.at(6)).status_code == 404


def test_the_oldest_waits_no_longer_than_it_must(archive):
    films = archive(**MANY)
    films.begun(1, 2, 3, 1, 1, 1, 1, 1)
    machines = ["m1", "m2", "m3", "m4", "m5", "m6"]
    for _ in range(2):
        assert [films.next(machine) for machine in machines] == [1, 2, 3, 4, None, None]
    assert [films.state(scan) for scan in range(1, 9)] == ["running"] * 4 + ["queued"] * 4
    films.frame("m1", 1, 1)
    assert [films.next(machine) for machine in ("m5", "m1", "m6")] == [5, None, None]
    films.frame("m2", 2, 1)
    assert [films.next(machine) for machine in ("m1", "m2", "m5")] == [None, 2, 5]
    films.frame("m2", 2, 2)
    films.frame("m5", 5, 1)
    assert [films.next(machine) for machine in ("m2", "m2", "m5", "m1")] == [6, 6, 7, None]
    assert films.body(films.srv.post("/machines/m2/next")) == films.scan(6)
    other = archive()
    other.begun(1, 1, 1)
    assert [other.next(f"m{number}") for number in range(3)] == [1, 2, None]


def test_machines_that_ask_at_once(archive):
    films = archive(**MANY)
    films.begun(*[2] * 9)
    given = films.srv.parallel(8, lambda i: films.next(f"m{i}"))
    assert sorted(filter(None, given)) == [1, 2, 3, 4]
    assert [films.state(scan) for scan in range(1, 10)] == ["running"] * 4 + ["queued"] * 5
    assert films.srv.parallel(8, lambda i: films.next(f"m{i}")) == given
    films.cancel(2)
    films.cancel(3)
    again = films.srv.parallel(8, lambda i: films.next(f"fresh-{i % 4}"))
    assert set(again) == {None, 5, 6}
    assert again[:4] == again[4:]


def test_frames_come_once_and_in_order(archive):
    films = archive()
    films.begun(3)
    assert refused(films.frame("m1", 1, 1), 403, "not_yours")
    films.next("m1")
    assert refused(films.frame("m1", 1, 2), 409, "out_of_order")
    assert films.frame("m1", 1, 1, "00000001").json() == {"done": 1}
    for checksum in ("00000001", "ffffffff"):
        r = films.frame("m1", 1, 1, checksum)
        assert (r.status_code, r.json()) == (200, {"done": 1})
    assert refused(films.frame("m1", 1, 3), 409, "out_of_order")
    answers = films.srv.parallel(6, lambda i: films.frame("m1", 1, 2, "00000002"))
    assert [(r.status_code, r.json()) for r in answers] == [(200, {"done": 2})] * 6
    assert films.scan(1)["done"] == 2
    assert films.frame("m1", 1, 3, "00000003").json() == {"done": 3}
    assert films.frame("m1", 1, 3, "00000003").json() == {"done": 3}
    assert films.frame("m1", 1, 1).json() == {"done": 3}
    assert refused(films.frame("m1", 1, 4), 409, "not_running")
    assert refused(films.frame("m1", 2, 1), 404, "not_found")
    film = films.film(1).json()
    assert film["checksums"] == ["00000001", "00000002", "00000003"]
    assert films.story(1) == ["queued", "running", 1, 2, 3, "done"]


def test_cancelled_is_cancelled(archive):
    films = archive(PLACES=1)
    films.begun(2, 2, 2, 1)
    r = films.cancel(2)
    assert (r.status_code, films.body(r)) == (200, films.scan(2))
    assert films.next("m1") == 1
    films.frame("m1", 1, 1)
    r = films.cancel(1)
    assert films.body(r) == {"id": 1, "reel": "Tram lines", "frames": 2, "state": "cancelled", "done": 1}
    assert refused(films.frame("m1", 1, 2), 409, "not_running")
    assert films.frame("m1", 1, 1).json() == {"done": 1}
    assert refused(films.fail("m1", 1), 409, "not_running")
    assert films.body(films.cancel(1)) == films.body(r) == films.scan(1)
    assert refused(films.film(1), 409, "not_done")
    # Number 2 is not given to anybody, and the place of number 1 is free.
    assert films.next("m1") == 3
    assert films.next("m2") is None
    assert films.cancel(3).status_code == 200
    assert films.next("m2") == 4
    films.frame("m2", 4, 1)
    assert refused(films.cancel(4), 409, "already_over")
    assert films.state(4) == "done"
    assert refused(films.cancel(5), 404, "not_found")
    assert films.story(2) == ["queued", "cancelled"]
    assert films.story(1) == ["queued", "running", 1, "cancelled"]


def test_cancelling_at_the_last_frame(archive):
    films = archive(**MANY)
    for scan in films.begun(*[1] * 6):
        assert films.next(f"m{scan}") == scan

        def act(i, scan=scan):
            return films.frame(f"m{scan}", scan, 1) if i == scan % 3 else films.cancel(scan)

        answers = films.srv.parallel(3, act)
        frame = answers.pop(scan % 3)
        if frame.status_code == 200:
            assert all(refused(r, 409, "already_over") for r in answers)
            assert films.story(scan) == ["queued", "running", 1, "done"]
        else:
            assert refused(frame, 409, "not_running")
            assert [r.status_code for r in answers] == [200, 200]
            assert films.story(scan) == ["queued", "running", "cancelled"]
            assert films.scan(scan)["done"] == 0


def test_a_failure_is_told(archive):
    films = archive(PLACES=1)
    films.begun(2, 1)
    assert refused(films.fail("m1", 1), 403, "not_yours")
    films.next("m1")
    films.frame("m1", 1, 1)
    r = films.fail("m1", 1, "vinegar-syndrome", "Smells of ✻ vinegar")
    assert r.status_code == 200
    problem = {"type": "/problems/vinegar-syndrome", "title": "Smells of ✻ vinegar"}
    expected = {"id": 1, "reel": "Tram lines", "frames": 2, "state": "failed", "done": 1, "problem": problem}
    assert films.body(r) == films.scan(1) == expected
    assert refused(films.frame("m1", 1, 2), 409, "not_running")
    assert refused(films.fail("m1", 1), 409, "not_running")
    assert refused(films.cancel(1), 409, "already_over")
    assert films.scan(1) == expected
    assert films.story(1) == ["queued", "running", 1, "failed"]
    assert films.next("m2") == 2
    assert refused(films.fail("m2", 7), 404, "not_found")


def test_machines_mind_their_own_reel(archive):
    films = archive()
    films.begun(1, 1, 1)
    assert (films.next("m1"), films.next("m2")) == (1, 2)
    for machine, scan in (("m2", 1), ("m1", 2), ("m3", 1), ("m1", 3), ("m", 1)):
        assert refused(films.frame(machine, scan, 1), 403, "not_yours")
        assert refused(films.fail(machine, scan), 403, "not_yours")
    assert [films.state(scan) for scan in (1, 2, 3)] == ["running", "running", "queued"]
    assert films.frame("m1", 1, 1).status_code == 200
    assert refused(films.frame("m2", 1, 1), 403, "not_yours")
    assert films.next("m1") == 3
    for name in ("M1", "m" * 21, "m_1", "m%201"):
        assert refused(films.srv.post(f"/machines/{name}/next"), 404, "not_found")


def lines_of(raw):
    """The body of an answer that may have been cut off, without the marks of chunks."""
    head, _, body = raw.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        rest, body = body, b""
        while b"\r\n" in rest:
            size, _, rest = rest.partition(b"\r\n")
            length = int(size.split(b";")[0] or b"0", 16)
            body, rest = body + rest[:length], rest[length + 2 :]
    return body[: body.rfind(b"\n") + 1].decode()


def test_events_arrive_while_it_runs(archive):
    films = archive()
    films.begun(3)
    films.next("m1")
    films.frame("m1", 1, 1)
    watching = f"GET {films.at(1, '/events')} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n".encode()
    for _ in range(12):  # one look is enough, unless this computer is very busy
        seen = told(lines_of(films.srv.raw(watching, timeout=0.2)))
        if len(seen) == 3:
            break
    assert seen == ["queued", "running", 1]

    def act(i):
        if i < 4:
            return films.story(1)
        time.sleep(0.15)
        films.frame("m1", 1, 2)
        return films.frame("m1", 1, 3).json()

    *stories, last = films.srv.parallel(5, act)
    assert last == {"done": 3}
    assert stories == [["queued", "running", 1, 2, 3, "done"]] * 4


def test_watching_again_from_the_middle(archive):
    films = archive()
    films.begun(4, 1)
    films.next("m1")
    for number in (1, 2):
        films.frame("m1", 1, number)

    def act(i):
        if i < 3:
            return films.srv.get(films.at(1, "/events"), params={"after": (0, 3, 5)[i]}).text
        time.sleep(0.05)
        films.frame("m1", 1, 3)
        return films.cancel(1).json()["state"]

    everything, some, last, state = films.srv.parallel(4, act)
    assert state == "cancelled"
    assert told(everything) == ["queued", "running", 1, 2, 3, "cancelled"]
    assert [json.loads(line)["n"] for line in some.splitlines()] == [4, 5, 6]
    assert [json.loads(line) for line in last.splitlines()] == [{"n": 6, "event": "cancelled"}]
    for after, text in ((5, [{"n": 6, "event": "cancelled"}]), (6, []), (60, [])):
        r = films.srv.get(films.at(1, "/events"), params={"after": after})
        assert [json.loads(line) for line in r.text.splitlines()] == text
    for after in ("", "-1", "x", "1.0", "\u0663"):
        assert refused(films.srv.get(films.at(1, "/events"), params={"after": after}), 400, "bad_after")
    assert refused(films.srv.get(films.at(3, "/events")), 404, "not_found")


def test_nonsense_is_refused(archive):
    films = archive()
    json_type = {"Content-Type": "application/json"}
    good = {"reel": "r" * 40, "frames": 10**5}
    bodies = [{}, [], None, "reel", good | {"codec": "none"}, {"reel": "x"}, {"frames": 2}]
    bodies += [good | {"reel": value} for value in ("", "r" * 41, None, 7, ["r"])]
    bodies += [good | {"frames": value} for value in (0, -1, 10**5 + 1, "3", 2.5, True, None)]
    for number, body in enumerate(bodies):
        headers = {"Client-Token": f"{films.prefix}n-{number}", **json_type}
        r = films.srv.post("/scans", content=json.dumps(body).encode(), headers=headers)
        assert refused(r, 422, "invalid")
    for raw in (b"", b"{", b"reel=x"):
        r = films.srv.post("/scans", content=raw, headers={"Client-Token": f"{films.prefix}n-0", **json_type})
        assert refused(r, 400, "malformed")
    assert refused(films.srv.get(films.at(1)), 404, "not_found")
    r = films.begin(10**5, "n-0", reel="r" * 40)
    assert (r.status_code, films.body(r)["id"]) == (202, 1)
    films.next("m1")
    frame = {"scan": films.base + 1, "frame": 1, "checksum": "0badcafe"}
    changes = [
        {"frame": 0},
        {"frame": "1"},
        {"frame": 1.5},
        {"frame": True},
        {"scan": "1"},
        {"scan": None},
        {"lens": 1},
    ]
    changes += [{"checksum": text} for text in ("0BADCAFE", "0badcaf", "0badcafe0", "", "0badcafg", 12, None)]
    for change in changes:
        assert refused(films.report("m1", "frames", **frame | change), 422, "invalid")
    failure = {"scan": films.base + 1, "code": "jam", "text": "t" * 200}
    for change in ({"code": ""}, {"code": "c" * 41}, {"code": "Jam"}, {"code": 1}, {"text": ""}, {"text": "t" * 201}):
        assert refused(films.report("m1", "failure", **failure | change), 422, "invalid")
    for what in ("frames", "failure"):
        assert refused(films.srv.post(f"/machines/m1/{what}", content=b"[", headers=json_type), 400, "malformed")
        assert refused(films.report("m2", what), 422, "invalid")
    assert (films.scan(1)["done"], films.state(1)) == (0, "running")


def test_an_afternoon_outlives_the_process(archive, start):
    films = archive(start(PLACES=2))
    films.begun(1, 3, 2, 1, 1, 1)
    assert [films.next(machine) for machine in ("m1", "m2")] == [1, 2]
    films.frame("m1", 1, 1, "11111111")
    assert films.next("m1") == 3
    films.fail("m1", 3, "jam", "Jammed")
    films.frame("m2", 2, 1, "21212121")
    films.cancel(4)
    before = [films.scan(scan) for scan in range(1, 7)]
    films.srv.restart()
    assert [films.scan(scan) for scan in range(1, 7)] == before
    assert films.film(1).json()["checksums"] == ["11111111"]
    assert films.story(1) == ["queued", "running", 1, "done"]
    assert [films.body(films.begin(frames, f"start-{scan}"))["id"] for scan, frames in ((1, 1), (2, 3))] == [1, 2]
    assert refused(films.begin(9, "start-6"), 409, "token_reused")
    assert films.frame("m2", 2, 1).json() == {"done": 1}
    assert refused(films.frame("m1", 2, 2), 403, "not_yours")
    assert films.frame("m2", 2, 2).json() == {"done": 2}
    assert [films.next(machine) for machine in ("m3", "m2", "m1")] == [5, 2, None]
    assert films.body(films.begin(1, "start-7"))["id"] == 7
    films.frame("m2", 2, 3)
    films.srv.restart()
    assert [films.state(scan) for scan in range(1, 8)] == [
        "done",
        "done",
        "failed",
        "cancelled",
        "running",
        "queued",
        "queued",
    ]
    assert [films.next(machine) for machine in ("m3", "m4", "m5")] == [5, 6, None]
    assert films.story(2) == ["queued", "running", 1, 2, 3, "done"]
