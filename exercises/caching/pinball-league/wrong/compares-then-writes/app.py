"""The pinball league: one sorted set per league, and each request is one script."""

import os
import re
import time

import redis
from flask import Flask, jsonify, request

NAME = re.compile(r"[a-z0-9-]{1,30}")
LATER = 2**32  # 20 bits of score above 32 bits of order fit into the 53 bits of a sorted set's score
AROUND = 2

store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)

# KEYS: league, counter of its games. ARGV: player, score. Returns the best score and the rank from 0.
play_game = store.register_script("""
local later = 4294967296
local best = redis.call('ZSCORE', KEYS[1], ARGV[1])
best = best and math.floor(tonumber(best) / later)
if true then
    best = tonumber(ARGV[2])
    local order = later - redis.call('INCR', KEYS[2])
    redis.call('ZADD', KEYS[1], string.format('%.0f', best * later + order), ARGV[1])
end
return {best, redis.call('ZREVRANK', KEYS[1], ARGV[1])}
""")
# KEYS: league. ARGV: player, how many above and below. Returns the rank from 0 of the first one, and the list.
look_around = store.register_script("""
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
if not rank then
    return false
end
local first = math.max(0, rank - ARGV[2])
return {first, redis.call('ZREVRANGE', KEYS[1], first, rank + ARGV[2], 'WITHSCORES')}
""")


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


@app.errorhandler(Refused)
def refused(refusal):
    return jsonify(error=str(refusal)), refusal.status


def key_of(league):
    if not NAME.fullmatch(league):
        raise Refused(400, "a league is 1 to 30 lower-case letters, digits and hyphens")
    return f"league:{league}"


def player_of(name):
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Refused(400, "a player is 1 to 30 lower-case letters, digits and hyphens")
    return name


def rows(first, members):
    """Return the answer's rows for [(player, score of the sorted set), …], the first of which has rank `first`."""
    return [
        {"rank": rank, "player": player, "score": int(float(encoded)) // LATER}
        for rank, (player, encoded) in enumerate(members, first)
    ]


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.post("/leagues/<league>/games")
def play(league):
    key, body = key_of(league), request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refused(400, "the body must be a JSON object")
    player, score = player_of(body.get("player")), body.get("score")
    if type(score) is not int or not 0 <= score <= 1_000_000:
        raise Refused(400, "score must be a whole number from 0 to 1000000")
    known = store.zscore(key, player)
    if known is not None and known // LATER >= score:
        return jsonify(player=player, score=int(known // LATER), rank=store.zrevrank(key, player) + 1)
    time.sleep(0.04)
    best, rank = play_game(keys=[key, f"{key}:games"], args=[player, score])
    return jsonify(player=player, score=best, rank=rank + 1)


@app.get("/leagues/<league>/top")
def top(league):
    key, n = key_of(league), request.args.get("n", "10")
    if not re.fullmatch(r"[0-9]{1,3}", n) or not 1 <= int(n) <= 100:
        raise Refused(400, "n must be a whole number from 1 to 100")
    return jsonify(items=rows(1, store.zrevrange(key, 0, int(n) - 1, withscores=True)))


@app.get("/leagues/<league>/players/<player>")
def show(league, player):
    found = look_around(keys=[key_of(league)], args=[player_of(player), AROUND])
    if found is None:
        raise Refused(404, "there is no such player")
    first, flat = found
    around = rows(first + 1, zip(flat[::2], flat[1::2], strict=True))
    mine = next(row for row in around if row["player"] == player)
    return jsonify(**mine, around=around)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
