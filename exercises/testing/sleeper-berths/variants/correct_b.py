"""Keeps R1 to R7: ids are numbers, answers hold more than they must, errors have no body."""

import dataclasses
import itertools
import re


@dataclasses.dataclass
class Response:
    status: int
    headers: dict
    json: object


class Train:
    def __init__(self):
        self.by_berth = {}  # berth → hold that is good or booked


class Clock:
    now = 1_000_000


trains, ids, numbers = {}, {}, itertools.count(4711)


def advance(seconds):
    Clock.now = Clock.now + seconds


def answer(status, json=None):
    return Response(status, {"server": "berths/2", "x-request": "7"}, json)


def sweep(train):
    found = trains.setdefault(train, Train()).by_berth
    for berth, hold in list(found.items()):
        if not hold["booked"] and hold["until"] <= Clock.now:
            del found[berth]
    return found


def request(method, path, json=None, headers=None):
    parts = path.strip("/").split("/")
    if method == "POST" and len(parts) == 3 and (parts[0], parts[2]) == ("trains", "holds"):
        return on_hold(parts[1], json)
    if method == "GET" and len(parts) == 3 and (parts[0], parts[2]) == ("trains", "berths"):
        rows = sorted(sweep(parts[1]).items())
        return answer(
            200,
            [{"state": "booked" if hold["booked"] else "held", "car": 21, "berth": berth} for berth, hold in rows],
        )
    if parts[0] == "holds" and len(parts) in (2, 3) and re.fullmatch("[0-9]+", parts[1]):
        hold = ids.get(int(parts[1]))
        if hold is None:
            return answer(404)
        if method == "POST" and parts[2:] == ["booking"]:
            return on_booking(hold)
        if method == "DELETE" and len(parts) == 2:
            return on_release(hold)
    return answer(404)


def on_hold(train, json):
    json = json if isinstance(json, dict) else {}
    berth, name = json.get("berth"), json.get("name")
    if not isinstance(name, str) or name == "":
        return answer(422)
    if not isinstance(berth, int) or isinstance(berth, bool) or berth < 1 or berth > 24:
        return answer(422)
    found = sweep(train)
    if berth in found:
        return answer(409)
    hold = {"train": train, "berth": berth, "name": name, "until": Clock.now + 600, "booked": False, "gone": False}
    number = next(numbers)
    found[berth] = ids[number] = hold
    return answer(201, {"berth": berth, "hold": number, "until": hold["until"]})


def on_booking(hold):
    body = {"name": hold["name"], "berth": hold["berth"], "train": hold["train"]}
    if hold["gone"]:
        return answer(404)
    if hold["booked"]:
        return answer(200, body)
    if hold["until"] <= Clock.now:
        return answer(410)
    hold["booked"] = True
    return answer(201, body)


def on_release(hold):
    if hold["booked"]:
        return answer(409)
    if hold["gone"] or hold["until"] <= Clock.now:
        return answer(404)
    hold["gone"] = True
    del trains[hold["train"]].by_berth[hold["berth"]]
    return answer(204)
