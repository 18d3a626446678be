from secrets import token_hex

import pytest


class League:
    """A league that no other check knows, and what its table must be."""

    def __init__(self, srv):
        self.srv, self.name = srv, f"l-{token_hex(5)}"
        self.path = f"/leagues/{self.name}"
        self.best = {}  # player -> score, in the order in which players reached what they have

    def play(self, player, score, srv=None):
        if score > self.best.get(player, -1):
            self.best.pop(player, None)
            self.best[player] = score
        answer = (srv or self.srv).post(f"{self.path}/games", json={"player": player, "score": score})
        assert answer.status_code == 200
        return answer.json()

    @property
    def rows(self):
        players = sorted(self.best, key=lambda player: -self.best[player])  # stable: earlier first
        return [{"rank": i, "player": player, "score": self.best[player]} for i, player in enumerate(players, 1)]

    def top(self, n=100):
        answer = self.srv.get(f"{self.path}/top", params={"n": n})
        assert answer.status_code == 200
        return answer.json()["items"]

    def around(self, player):
        answer = self.srv.get(f"{self.path}/players/{player}")
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture
def srv(shared):
    return shared()


@pytest.fixture
def league(srv):
    return League(srv)


def test_nonsense_changes_nothing(srv, league):
    league.play("kay", 5)
    headers = {"Content-Type": "application/json"}
    bodies = [b"", b"{", b"[]", b"null", b"{}", b'{"player": "kay"}', b'{"score": 9}']
    scores = (b"-1", b"1000001", b"2.5", b'"9"', b"true", b"null")
    bodies += [b'{"player": "kay", "score": %s}' % score for score in scores]
    names = (b'""', b"7", b'"Kay"', b'"a b"', b'"a:b"', b'"%s"' % (b"k" * 31))
    bodies += [b'{"player": %s, "score": 9}' % name for name in names]
    for body in bodies:
        answer = srv.post(f"{league.path}/games", content=body, headers=headers)
        assert answer.status_code == 400
        assert isinstance(answer.json()["error"], str)
    for n in ("0", "101", "-1", "ten", "1.5", ""):
        assert srv.get(f"{league.path}/top", params={"n": n}).status_code == 400
    assert league.top() == league.rows
    assert srv.get(f"{league.path}/players/lou").status_code == 404
    assert League(srv).top() == []


def test_limits_of_what_counts(league):
    assert league.play("k" * 30, 0) == {"player": "k" * 30, "score": 0, "rank": 1}
    assert league.play("z-9", 1_000_000) == {"player": "z-9", "score": 1_000_000, "rank": 1}
    assert league.play("z-8", 999_999)["rank"] == 2
    assert league.play("z-7", 1_000_000)["rank"] == 2
    assert league.play("k" * 30, 0)["rank"] == 4
    assert league.top() == league.rows


def test_the_earlier_one_stays_ahead(league):
    for player in ("mia", "zed", "abe", "kit"):
        league.play(player, 970_000)
    assert [row["player"] for row in league.top()] == ["mia", "zed", "abe", "kit"]
    league.play("mia", 970_000)  # again, and no later for that
    assert [row["player"] for row in league.top()] == ["mia", "zed", "abe", "kit"]
    league.play("mia", 5)
    league.play("zed", 980_000)
    league.play("abe", 980_000)
    assert league.play("mia", 980_000) == {"player": "mia", "score": 980_000, "rank": 3}
    assert league.top() == league.rows


def test_neighbours(league):
    for number in range(9):
        league.play(f"p{number}", 100 * (number // 2))
    rows = league.rows
    for i, row in enumerate(rows):
        assert league.around(row["player"]) == {**row, "around": rows[max(0, i - 2) : i + 3]}
    alone = League(league.srv)
    alone.play("solo", 1)
    assert alone.around("solo")["around"] == alone.rows


def test_a_season(league, rng):
    for _ in range(90):
        score = rng.choice([0, 40_000, 40_001, 999_990, rng.randrange(1_000_001)])
        told = league.play(f"p{rng.randrange(25)}", score)
        assert told in league.rows
    rows = league.rows
    assert league.top() == rows
    assert league.top(7) == rows[:7]
    assert league.srv.get(f"{league.path}/top").json()["items"] == rows[:10]
    assert league.srv.redis.zrevrange(f"league:{league.name}", 0, -1) == [row["player"] for row in rows]


def test_simultaneous_games_of_one_player(league):
    scores = [10, 80, 20, 70, 30, 60, 40, 50]
    for _ in range(4):
        rival = League(league.srv)
        told = rival.srv.parallel(8, lambda i, rival=rival: post(rival, "kay", scores[i]))
        assert max(each["score"] for each in told) == 80
        assert rival.top() == [{"rank": 1, "player": "kay", "score": 80}]


def post(league, player, score):
    """Play without noting it: several threads do."""
    return league.srv.post(f"{league.path}/games", json={"player": player, "score": score}).json()


def test_simultaneous_games_of_many_players(league, start):
    other = start(beside=league.srv)
    players = [f"p{number}" for number in range(10)]
    with league.srv.redis_watched() as seen:
        told = league.srv.parallel(
            10,
            lambda i: (league.srv, other)[i % 2].post(
                f"{league.path}/games", json={"player": players[i], "score": 600 + i // 5}
            ),
        )
    assert [answer.status_code for answer in told] == [200] * 10
    assert len(seen.commands) <= 26  # two each, and what loading a script may take
    rows = league.top()
    assert [row["rank"] for row in rows] == list(range(1, 11))
    assert {row["player"] for row in rows[:5]} == set(players[5:])
    assert {row["score"] for row in rows[5:]} == {600}
    assert league.srv.redis.zcard(f"league:{league.name}") == 10


def test_few_commands(league):
    for number in range(30):
        league.play(f"p{number}", 7 * number)
    league.around("p3")
    league.top()
    for ask in (lambda: league.play("p4", 10_000), lambda: league.around("p12"), lambda: league.top(50)):
        with league.srv.redis_watched() as seen:
            ask()
        assert 1 <= len(seen.commands) <= 2


def test_leagues_are_apart(srv, league):
    other = League(srv)
    league.play("kay", 100)
    other.play("kay", 50)
    other.play("lou", 60)
    assert (league.top(), other.top()) == (league.rows, other.rows)
    keys = [key for key in srv.redis.keys("*") if league.name in key]
    assert f"league:{league.name}" in keys
    assert all(key == f"league:{league.name}" or key.startswith(f"league:{league.name}:") for key in keys)
