import pytest

SOUP = {"amount_cents": 350, "dish": "Soup"}


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def wallet(srv):
    r = srv.post("/wallets", json={"balance_cents": 2000})
    assert r.status_code == 201
    return f"/wallets/{r.json()['id']}"


def charge(srv, wallet, key, body):
    return srv.post(f"{wallet}/charges", json=body, headers={"Idempotency-Key": key})


def balance(srv, wallet):
    return srv.get(wallet).json()["balance_cents"]


def test_a_charge_lowers_the_balance(srv, wallet):
    r = charge(srv, wallet, "monday", SOUP)
    assert r.status_code == 201
    made = r.json()
    assert made == {"id": made["id"], "amount_cents": 350, "dish": "Soup", "balance_cents": 1650}
    assert balance(srv, wallet) == 1650
    assert srv.get(f"{wallet}/charges").json() == {"items": [made]}
    assert charge(srv, wallet, "tuesday", {"amount_cents": 1651, "dish": "Banquet"}).status_code == 402
    r = srv.post(f"{wallet}/deposits", json={"amount_cents": 150})
    assert r.status_code == 200
    assert r.json()["balance_cents"] == 1800


def test_a_repeated_charge_is_answered_again(srv, wallet):
    first = charge(srv, wallet, "5f0c-lunch", SOUP)
    assert first.status_code == 201
    assert "Idempotency-Replayed" not in first.headers
    again = charge(srv, wallet, "5f0c-lunch", SOUP)
    assert again.status_code == 201
    assert again.headers.get("Idempotency-Replayed") == "true"
    assert again.json() == first.json()
    assert balance(srv, wallet) == 1650


def test_a_key_stands_for_one_request(srv, wallet):
    first = charge(srv, wallet, "91b2-lunch", SOUP)
    assert charge(srv, wallet, "91b2-lunch", {"amount_cents": 900, "dish": "Steak"}).status_code == 422
    assert charge(srv, wallet, "91b2-lunch", SOUP).json() == first.json()
    assert balance(srv, wallet) == 1650
