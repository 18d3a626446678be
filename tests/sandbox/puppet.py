"""A learner's server that does as its tests say: statements, commands, requests and Python of their choice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sandbox.job import Job, Limits
from tests.sandbox.jobs import http_job

PUPPET = r"""
import json, os, socket, threading, urllib.error, urllib.request
from flask import Flask, jsonify, request

app = Flask(__name__)
kept = {}

def pg():
    if "pg" not in kept or kept["pg"].closed:
        import psycopg
        kept["pg"] = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=5)
    return kept["pg"]

def rd():
    if "redis" not in kept:
        import redis
        kept["redis"] = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=3,
                                             retry=None)
    return kept["redis"]

def told(call):
    try:
        return jsonify(value=call())
    except Exception as error:
        return jsonify(error=type(error).__name__ + ": " + str(error))

@app.get("/health")
def health():
    return "ok"

@app.post("/sql")
def sql():
    def call():
        cursor = pg().execute(request.json["text"], request.json["params"] or None)
        return [list(map(str, row)) for row in cursor.fetchall()] if cursor.description else []
    return told(call)

@app.post("/redis")
def command():
    return told(lambda: rd().execute_command(*request.json["words"]))

@app.post("/fetch")
def fetch():
    def call():
        asked = urllib.request.Request(os.environ["UPSTREAM_URL"] + request.json["path"],
                                       data=(request.json["body"] or "").encode() or None,
                                       headers={"X-From": "puppet"})
        try:
            with urllib.request.urlopen(asked, timeout=request.json["timeout"]) as answer:
                return [answer.status, answer.read().decode()]
        except urllib.error.HTTPError as error:
            return [error.code, error.read().decode()]
    return told(call)

@app.post("/run")
def run():
    names = {"pg": pg, "rd": rd, "os": os, "socket": socket, "threading": threading}
    def call():
        exec(request.json["code"], names)
        return names.get("out")
    return told(call)

app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
"""

# What tests drive it with; stands at the head of their suites.
STRINGS = r"""
import time
import pytest

def sql(srv, text, *params):
    return srv.post("/sql", json={"text": text, "params": list(params)}).json()

def redis_do(srv, *words):
    return srv.post("/redis", json={"words": list(words)}).json()

def fetch(srv, path, body=None, timeout=3):
    return srv.post("/fetch", json={"path": path, "body": body, "timeout": timeout}).json()

def run(srv, code):
    return srv.post("/run", json={"code": code}).json()
"""
PATIENT = Limits(wall_time=timedelta(seconds=60))
ALL = ("postgres", "redis", "upstream")
SCHEMA = "create table note (id int primary key, text text not null);\ninsert into note values (1, 'first');\n"


def puppet_job(tests: str, *, services: tuple[str, ...] = ALL, schema: str = SCHEMA, **changes: Any) -> Job:
    """Return a job whose suite, every test function of `tests`, drives the puppet."""
    text = STRINGS + tests
    names = [line.split("(")[0].removeprefix("def ") for line in tests.splitlines() if line.startswith("def test_")]
    job = http_job(PUPPET, text, *names, **{"services": services, "limits": PATIENT, **changes})
    return replace(job, suite={**job.suite, "data/schema.sql": schema})
