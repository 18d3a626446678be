"""There is a berth 0."""

import re
from dataclasses import dataclass, field

BERTHS = range(25)
LASTS = 600  # seconds


@dataclass
class Response:
    status: int
    headers: dict = field(default_factory=dict)
    json: object = None


@dataclass
class Hold:
    train: str
    berth: int
    name: str
    since: int
    state: str = "held"  # booked, released


now = 0
holds = {}  # by id; none is ever forgotten


def advance(seconds):
    global now
    now += seconds


def request(method, path, json=None, headers=None):
    for verb, pattern, answer in ROUTES:
        match = re.fullmatch(pattern, path)
        if match and verb == method:
            status, body = answer(match[1], json)
            return Response(status, {"content-type": "application/json"}, body)
    return Response(404, {}, {"error": "there is nothing here"})


def hold_berth(train, body):
    berth, name = (body.get("berth"), body.get("name")) if isinstance(body, dict) else (None, None)
    if type(berth) is not int or berth not in BERTHS or not isinstance(name, str) or not name:
        return 422, {"error": "berth or name is missing or wrong"}
    if any(hold.berth == berth for hold in taken(train)):
        return 409, {"error": "this berth is taken"}
    holds[str(len(holds) + 1)] = Hold(train, berth, name, now)
    return 201, {"hold": str(len(holds)), "berth": berth}


def book(number, _body):
    hold = holds.get(number)
    if hold is None or hold.state == "released":
        return 404, {"error": "there is no such hold"}
    if hold.state == "booked":
        return 200, {"berth": hold.berth, "name": hold.name}
    if ended(hold):
        return 410, {"error": "this hold has run out"}
    hold.state = "booked"
    return 201, {"berth": hold.berth, "name": hold.name}


def release(number, _body):
    hold = holds.get(number)
    if hold is None or hold.state == "released" or (hold.state == "held" and ended(hold)):
        return 404, {"error": "there is no such hold"}
    if hold.state == "booked":
        return 409, {"error": "this berth is booked"}
    hold.state = "released"
    return 204, None


def berths(train, _body):
    found = sorted(taken(train), key=lambda hold: hold.berth)
    return 200, [{"berth": hold.berth, "state": hold.state} for hold in found]


def taken(train):
    mine = [hold for hold in holds.values() if hold.train == train]
    return [hold for hold in mine if hold.state == "booked" or (hold.state == "held" and not ended(hold))]


def ended(hold):
    return now >= hold.since + LASTS


ROUTES = [
    ("POST", "/trains/([A-Za-z0-9-]+)/holds", hold_berth),
    ("GET", "/trains/([A-Za-z0-9-]+)/berths", berths),
    ("POST", "/holds/([^/]+)/booking", book),
    ("DELETE", "/holds/([^/]+)", release),
]
