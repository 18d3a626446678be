import pytest


@pytest.fixture
def srv(shared):
    return shared()


def play(srv, league, player, score):
    answer = srv.post(f"/leagues/{league}/games", json={"player": player, "score": score})
    assert answer.status_code == 200
    return answer.json()


def test_the_best_game_counts(srv):
    assert play(srv, "anchor", "kay", 500) == {"player": "kay", "score": 500, "rank": 1}
    assert play(srv, "anchor", "lou", 700) == {"player": "lou", "score": 700, "rank": 1}
    assert play(srv, "anchor", "kay", 650) == {"player": "kay", "score": 650, "rank": 2}
    assert play(srv, "anchor", "kay", 100) == {"player": "kay", "score": 650, "rank": 2}
    assert srv.get("/leagues/anchor/top").json() == {
        "items": [{"rank": 1, "player": "lou", "score": 700}, {"rank": 2, "player": "kay", "score": 650}]
    }


def test_a_tie_goes_to_the_first(srv):
    for player in ("mo", "al", "zoe"):
        play(srv, "barrel", player, 1000)
    table = srv.get("/leagues/barrel/top").json()["items"]
    assert [(row["rank"], row["player"]) for row in table] == [(1, "mo"), (2, "al"), (3, "zoe")]


def test_a_league_is_a_sorted_set(srv):
    play(srv, "cellar", "kay", 10)
    play(srv, "cellar", "lou", 20)
    assert srv.redis.zrevrange("league:cellar", 0, -1) == ["lou", "kay"]
    assert srv.get("/leagues/cellar/players/nobody").status_code == 404
