"""What travels between worker, judge and box. Used on all sides, so it imports only the standard library.

Worker ↔ judge: frames `>BI` (channel, length) + payload. Channel CONTROL holds JSON objects, channel
BOX the raw bytes of the box's stream. Box ↔ judge: one JSON object per line, parsed strictly,
because whatever comes from a box may have been written by learner code.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from typing import Any, NoReturn

from sandbox.errors import WireError

CONTROL, BOX = 0, 1
HEADER = struct.Struct(">BI")
MAX_BOX_BYTES = 96 * 1024 * 1024  # a box that sends more than this in all is cut off
MAX_FRAME = 32 * 1024 * 1024
MAX_LINE = 4 * 1024 * 1024  # as Python objects up to forty times that; the shim cuts longer bodies into pieces
MAX_DEPTH = 200


def frame(channel: int, payload: bytes) -> bytes:
    """Return `payload` as one frame."""
    return HEADER.pack(channel, len(payload)) + payload


def control(message: dict[str, Any]) -> bytes:
    """Return `message` as one control frame."""
    return frame(CONTROL, json.dumps(message, separators=(",", ":")).encode())


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def torn(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the frames (channel, payload) that `data` completes. Raises WireError for a bad header."""
        self._buffer += data
        while len(self._buffer) >= HEADER.size:
            channel, length = HEADER.unpack_from(self._buffer)
            if channel not in (CONTROL, BOX) or length > MAX_FRAME:
                raise WireError(f"bad frame header: channel {channel}, {length} bytes")
            end = HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(self._buffer[HEADER.size : end])
            del self._buffer[:end]
            yield channel, payload


def line(message: dict[str, Any]) -> bytes:
    """Return `message` as one line."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def parse_line(raw: bytes) -> dict[str, Any]:
    """Return the JSON object in `raw`. Raises WireError for anything else: NaN, duplicate keys, deep nesting."""
    if len(raw) > MAX_LINE:
        raise WireError("line too long")
    if _depth(raw) > MAX_DEPTH:
        raise WireError("nested too deeply")
    try:
        # Decoded here: json would guess UTF-16 and UTF-32 too, which _depth does not read.
        message = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise WireError("not JSON") from error
    if not isinstance(message, dict):
        raise WireError("not an object")
    return message


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):  # 1e999 is how infinity is written without its name
        raise ValueError("not finite")
    return number


def _depth(raw: bytes) -> int:
    """Return how deep `raw` is nested if it is JSON; 0 where there are too few brackets to matter."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    in_string = escaped = False
    for byte in raw:
        if in_string:
            escaped, in_string = (byte == 0x5C and not escaped), not (byte == 0x22 and not escaped)
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
