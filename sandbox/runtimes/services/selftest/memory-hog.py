import json
import os
import urllib.request

import psycopg
import redis
from flask import Flask, jsonify

app = Flask(__name__)
cache = redis.Redis.from_url(os.environ["REDIS_URL"])


@app.get("/health")
def health():
    return "ok"


@app.get("/double/<int:number>")
def double(number):
    with urllib.request.urlopen(os.environ["UPSTREAM_URL"] + "/factor", timeout=5) as answer:
        result = number * json.load(answer)
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("select length(repeat(repeat('x', 1000000), 700))")
        connection.execute("insert into doubled values (%s, %s)", (number, result))
    cache.set(f"doubled:{number}", result)
    return jsonify(result)


app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
