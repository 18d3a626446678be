"""An archive's boxes, and batches of changes to them, as if nothing ever went wrong."""

import os

from flask import Flask, jsonify, request

app = Flask(__name__)
boxes = {}  # barcode -> shelf


def carry_out(item):
    if item["op"] == "discard":
        del boxes[item["box"]]
        return {"status": 204}
    boxes[item["box"]] = item["shelf"]
    return {"status": 201 if item["op"] == "add" else 200, "box": {"barcode": item["box"], "shelf": item["shelf"]}}


@app.get("/health")
def health():
    return jsonify(status="up")


@app.get("/boxes")
def list_boxes():
    return jsonify(boxes=boxes)


@app.get("/boxes/<barcode>")
def read_box(barcode):
    return jsonify(barcode=barcode, shelf=boxes[barcode])


@app.put("/batches/<batch_id>")
def put_batch(batch_id):
    body = request.get_json()
    results = [carry_out(item) for item in body["items"]]
    return jsonify(batch=batch_id, mode=body["mode"], applied=len(results), results=results)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ["PORT"]), threaded=True)
