"""Hive inspections: files reports that are perfect, and breaks on all others."""

import os
from itertools import count

import archive
from flask import Flask, jsonify, request

app = Flask(__name__)
reports = {}  # id -> report
ids = count(1)


@app.get("/health")
def health():
    return jsonify(status="up")


@app.post("/reports")
def file_report():
    body = request.get_json()
    report = {
        "id": next(ids),
        "apiary": body["apiary"],
        "inspected_on": body["inspected_on"],
        "queen_seen": body["queen_seen"],
        "mites_per_100": body["mites_per_100"],
        "note": body.get("note", ""),
        "frames": [{"stores": "none", **frame} for frame in body["frames"]],
    }
    archive.keep(report)
    reports[report["id"]] = report
    return jsonify(report), 201, {"Location": f"/reports/{report['id']}"}


@app.get("/reports/<int:report_id>")
def read_report(report_id):
    return jsonify(reports[report_id])


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
