from itertools import count

import pytest
from subject import advance, request

numbers = count(1)


@pytest.fixture
def train():
    """A train of the test's own: nobody else travels on it, and no other test has used it."""
    return f"test-{next(numbers)}"


def hold(train, berth, name="Ada"):
    answer = request("POST", f"/trains/{train}/holds", json={"berth": berth, "name": name})
    assert answer.status == 201
    assert answer.json["berth"] == berth
    return answer.json["hold"]


def refused(train, berth, name="Ben"):
    return request("POST", f"/trains/{train}/holds", json={"berth": berth, "name": name}).status


def book(number):
    return request("POST", f"/holds/{number}/booking")


def give_back(number):
    return request("DELETE", f"/holds/{number}").status


def taken(train):
    answer = request("GET", f"/trains/{train}/berths")
    assert answer.status == 200
    return [(row["berth"], row["state"]) for row in answer.json]


def test_hold(train):
    hold(train, 7)
    assert refused(train, 7) == 409
    assert refused(train, 25) == 422
    assert refused(train, 0) == 422
    hold(f"{train}-b", 7)


def test_book(train):
    number = hold(train, 7)
    assert book(number).status == 201
    assert book(number).status == 200
    assert give_back(number) == 409


def test_give_back(train):
    number = hold(train, 7)
    assert give_back(number) == 204
    assert give_back(number) == 404


def test_run_out(train):
    number = hold(train, 7)
    advance(600)
    assert book(number).status == 410


def test_list(train):
    hold(train, 7)
    assert request("GET", f"/trains/{train}/berths").status == 200
