import json
import os

import redis
from flask import Flask, jsonify, request

store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)


def table(league):
    """Return the league's players, the best first."""
    scores = json.loads(store.get(f"league:{league}:scores") or "{}")
    players = sorted(scores, key=scores.get, reverse=True)
    return [{"rank": i + 1, "player": player, "score": scores[player]} for i, player in enumerate(players)]


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.post("/leagues/<league>/games")
def play(league):
    player, score = request.get_json()["player"], request.get_json()["score"]
    scores = json.loads(store.get(f"league:{league}:scores") or "{}")
    scores[player] = max(score, scores.get(player, 0))
    store.set(f"league:{league}:scores", json.dumps(scores))
    return jsonify(next(row for row in table(league) if row["player"] == player))


@app.get("/leagues/<league>/top")
def top(league):
    return jsonify(items=table(league)[: int(request.args.get("n", "10"))])


@app.get("/leagues/<league>/players/<player>")
def show(league, player):
    for row in table(league):
        if row["player"] == player:
            return jsonify(**row, around=[row])
    return jsonify(error="there is no such player"), 404


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
