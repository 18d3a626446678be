from itertools import count

import pytest
from subject import advance, request

numbers = count(1)


@pytest.fixture
def train():
    """A train of the test's own: nobody else travels on it, and no other test has used it."""
    return "test-1"


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


def test_a_held_berth_is_taken(train):
    hold(train, 7)
    assert refused(train, 7) == 409
    assert taken(train) == [(7, "held")]


def test_trains_do_not_share_berths(train):
    hold(train, 7)
    hold(f"{train}-b", 7)
    assert taken(f"{train}-c") == []


@pytest.mark.parametrize("berth", [1, 24])
def test_the_first_and_the_last_berth(train, berth):
    hold(train, berth)


@pytest.mark.parametrize("berth", [0, -1, 25, 7.5, "7", None])
def test_berths_that_there_are_not(train, berth):
    assert refused(train, berth) == 422
    assert taken(train) == []


@pytest.mark.parametrize("name", ["", None, 7])
def test_names_that_are_none(train, name):
    assert refused(train, 7, name) == 422
    assert taken(train) == []


def test_a_hold_is_good_until_its_last_second(train):
    number = hold(train, 7)
    advance(599)
    assert refused(train, 7) == 409
    assert book(number).status == 201


def test_a_hold_runs_out(train):
    number = hold(train, 7)
    advance(600)
    assert taken(train) == []
    assert book(number).status == 410
    assert give_back(number) == 404
    hold(train, 7, "Ben")


def test_a_booking_stays(train):
    number = hold(train, 7)
    answer = book(number)
    assert (answer.status, answer.json["berth"], answer.json["name"]) == (201, 7, "Ada")
    advance(6000)
    assert taken(train) == [(7, "booked")]
    assert refused(train, 7) == 409


def test_a_booking_that_is_asked_for_again(train):
    number = hold(train, 7)
    assert book(number).status == 201
    again = book(number)
    assert (again.status, again.json["berth"], again.json["name"]) == (200, 7, "Ada")


def test_a_booked_berth_is_not_given_back(train):
    number = hold(train, 7)
    book(number)
    assert give_back(number) == 409
    assert taken(train) == [(7, "booked")]


def test_a_berth_that_is_given_back_is_free_at_once(train):
    number = hold(train, 7)
    assert give_back(number) == 204
    assert taken(train) == []
    assert give_back(number) == 404
    assert book(number).status == 404
    hold(train, 7, "Ben")


def test_whoever_is_refused_changes_nothing(train):
    number = hold(train, 7, "Ada")
    assert refused(train, 7, "Ben") == 409
    assert book(number).json["name"] == "Ada"


def test_berths_are_listed_in_the_order_of_their_numbers(train):
    for berth in (12, 3, 21, 1):
        hold(train, berth)
    assert [berth for berth, _ in taken(train)] == [1, 3, 12, 21]


def test_holds_that_there_are_not():
    assert book("no-such-hold").status == 404
    assert give_back("no-such-hold") == 404
