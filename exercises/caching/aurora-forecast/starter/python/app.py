import os
import urllib.request

import redis
from flask import Flask, jsonify

MODEL = os.environ["UPSTREAM_URL"]
FRESH = float(os.environ.get("FRESH", "30"))
store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
app = Flask(__name__)


@app.get("/health")
def health():
    return jsonify(ok=True)


@app.get("/forecast/<station>")
def forecast(station):
    text = store.get(f"aurora:{station}")
    if text is None:
        with urllib.request.urlopen(f"{MODEL}/model/{station}", timeout=10) as answer:
            text = answer.read().decode()
        store.set(f"aurora:{station}", text, px=int(FRESH * 1000))
    return app.response_class(text, mimetype="application/json")


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
