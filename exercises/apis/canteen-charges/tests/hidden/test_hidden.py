import json
import time

import pytest

REPLAYED = "Idempotency-Replayed"


class Wallet:
    """One wallet of its own for a check, on whatever server the check uses."""

    def __init__(self, srv, balance):
        r = srv.post("/wallets", json={"balance_cents": balance})
        assert r.status_code == 201
        self.srv = srv
        self.path = f"/wallets/{r.json()['id']}"

    def charge(self, key, body, path=None):
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.srv.post(f"{path or self.path}/charges", json=body, headers=headers)

    @property
    def balance(self):
        return self.srv.get(self.path).json()["balance_cents"]

    @property
    def charges(self):
        return self.srv.get(f"{self.path}/charges").json()["items"]


@pytest.fixture
def wallet(shared):
    return Wallet(shared(), 5000)


@pytest.fixture
def meal(rng):
    return {"amount_cents": rng.randrange(200, 900), "dish": f"Käsespätzle {rng.randrange(10**6)}"}


def test_keys_are_required_and_checked(wallet, meal):
    bad = (None, "", "k" * 65, "two words", "semi;colon", "a/b", "dots.dots", '"quoted"')
    answers = wallet.srv.parallel(len(bad), lambda i: wallet.charge(bad[i], meal))
    assert [r.status_code for r in answers] == [400] * len(bad)
    assert all(isinstance(r.json()["error"], str) for r in answers)
    assert wallet.balance == 5000
    for key in ("k" * 64, "-", "Z_9-a"):
        assert wallet.charge(key, meal).status_code == 201
    assert wallet.balance == 5000 - 3 * meal["amount_cents"]


def test_spelling_of_the_body_does_not_matter(wallet, meal):
    first = wallet.charge("spelling", meal)
    assert first.status_code == 201
    turned = dict(reversed(meal.items()))
    for body in (json.dumps(turned, indent=3), json.dumps(turned, ensure_ascii=False), json.dumps(meal)):
        headers = {"Idempotency-Key": "spelling", "Content-Type": "application/json"}
        r = wallet.srv.post(f"{wallet.path}/charges", content=body.encode(), headers=headers)
        assert (r.status_code, r.json(), r.headers.get(REPLAYED)) == (201, first.json(), "true")
    assert wallet.charges == [first.json()]


def test_faulty_requests_leave_the_key_unused(wallet, meal):
    faulty = (
        {**meal, "amount_cents": 0},
        {**meal, "amount_cents": -300},
        {**meal, "amount_cents": 100_001},
        {**meal, "amount_cents": "300"},
        {**meal, "amount_cents": True},
        {**meal, "dish": ""},
        {**meal, "dish": "d" * 81},
        {**meal, "tip_cents": 50},
        {"dish": "Dal"},
        [meal],
    )
    answers = wallet.srv.parallel(len(faulty), lambda i: wallet.charge("corrected", faulty[i]).status_code)
    assert answers == [400] * len(faulty)
    assert wallet.charge("corrected", meal, path="/wallets/987654321").status_code == 404
    assert wallet.balance == 5000
    r = wallet.charge("corrected", meal)
    assert r.status_code == 201
    assert REPLAYED not in r.headers
    assert wallet.charges == [r.json()]


def test_a_refusal_is_an_answer_too(wallet):
    banquet = {"amount_cents": 5600, "dish": "Banquet"}
    first = wallet.charge("too-much", banquet)
    assert (first.status_code, REPLAYED in first.headers) == (402, False)
    wallet.srv.post(f"{wallet.path}/deposits", json={"amount_cents": 1000})
    again = wallet.charge("too-much", banquet)
    assert (again.status_code, again.json(), again.headers.get(REPLAYED)) == (402, first.json(), "true")
    assert wallet.charge("too-much", {"amount_cents": 1, "dish": "Bread"}).status_code == 422
    assert (wallet.balance, wallet.charges) == (6000, [])
    assert wallet.charge("new-try", banquet).status_code == 201
    assert wallet.balance == 400


def test_keys_belong_to_a_wallet(wallet, meal):
    mine = wallet.charge("both-phones", meal)
    stranger = Wallet(wallet.srv, 3000)
    theirs = stranger.charge("both-phones", meal)
    assert (theirs.status_code, REPLAYED in theirs.headers) == (201, False)
    assert theirs.json()["balance_cents"] == 3000 - meal["amount_cents"]
    assert theirs.json()["id"] == stranger.charges[0]["id"]
    third = Wallet(wallet.srv, 3000)
    assert third.charge("both-phones", {"amount_cents": 10, "dish": "Napkin"}).status_code == 201
    assert wallet.charges == [mine.json()]


def test_simultaneous_repeats_charge_once(wallet, meal):
    answers = wallet.srv.parallel(8, lambda i: wallet.charge("impatient", meal))
    made = [r for r in answers if r.status_code == 201]
    assert made
    assert all(r.status_code in (201, 409) for r in answers)
    assert all(r.json() == made[0].json() for r in made)
    assert sum(REPLAYED not in r.headers for r in made) <= 1
    assert wallet.charge("impatient", meal).json() == made[0].json()
    assert wallet.charges == [made[0].json()]
    assert wallet.balance == 5000 - meal["amount_cents"]


def test_simultaneous_charges_never_overdraw(shared, rng):
    price = rng.randrange(250, 300)
    wallet = Wallet(shared(), 4 * price - 1)
    answers = wallet.srv.parallel(9, lambda i: wallet.charge(f"guest-{i}", {"amount_cents": price, "dish": "Curry"}))
    assert sorted(r.status_code for r in answers) == [201] * 3 + [402] * 6
    assert wallet.balance == price - 1
    assert [made["balance_cents"] for made in wallet.charges] == [3 * price - 1, 2 * price - 1, price - 1]


def test_keys_are_forgotten(start, meal):
    wallet = Wallet(start(KEY_SECONDS=0.2), 5000)
    first = wallet.charge("daily", meal)
    time.sleep(0.25)
    second = wallet.charge("daily", meal)
    assert (second.status_code, REPLAYED in second.headers) == (201, False)
    assert wallet.charges == [first.json(), second.json()]
    time.sleep(0.25)
    assert wallet.charge("daily", {"amount_cents": 5, "dish": "Tea"}).status_code == 201


def test_nothing_is_lost_on_restart(start, meal):
    srv = start()
    wallet = Wallet(srv, 5000)
    made = wallet.charge("before", meal)
    srv.restart()
    assert wallet.balance == 5000 - meal["amount_cents"]
    assert wallet.charges == [made.json()]
    again = wallet.charge("before", meal)
    assert (again.status_code, again.json(), again.headers.get(REPLAYED)) == (201, made.json(), "true")
    later = wallet.charge("after", meal)
    assert later.status_code == 201
    assert later.json()["id"] != made.json()["id"]
