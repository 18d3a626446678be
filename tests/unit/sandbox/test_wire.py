"""What travels between worker, judge and box is cut and parsed strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import wire
from sandbox.errors import WireError

frames = st.lists(st.tuples(st.sampled_from([wire.CONTROL, wire.BOX]), st.binary(max_size=200)), max_size=12)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(sent=frames, cuts=st.lists(st.integers(min_value=1, max_value=50), max_size=200))
def test_frames_arrive_as_they_were_sent_however_the_stream_is_cut(
    sent: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    stream = b"".join(wire.frame(channel, payload) for channel, payload in sent)
    reader, got, at = wire.FrameReader(), [], 0
    for size in [*cuts, len(stream)]:
        got += list(reader.feed(stream[at : at + size]))
        at += size
    assert got == sent


@pytest.mark.parametrize("header", [wire.HEADER.pack(7, 1), wire.HEADER.pack(wire.BOX, wire.MAX_FRAME + 1)])
def test_a_bad_header_is_refused(header: bytes) -> None:
    with pytest.raises(WireError, match="header"):
        list(wire.FrameReader().feed(header))


@given(message=st.dictionaries(st.text(), values))
def test_a_line_is_parsed_to_what_was_written(message: dict[str, Any]) -> None:
    assert wire.parse_line(wire.line(message)) == message


@pytest.mark.parametrize(
    "raw",
    [b"", b"1", b"[]", b'"x"', b"{", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": 1, "a": 1}',
     b'{"a": {"b": 1, "b": 2}}', b"{'a': 1}", b"\xff{}", b'{"a": 1} {"b": 2}', b'{"a": ' + b"9" * 5000 + b"}",
     b'{"a":' + b"[" * 250 + b"]" * 250 + b"}", b'{"a": 1e999}', b'{"a": [-1e400]}', '{"a": 1}'.encode("utf-16"),
     '{"a": 1}'.encode("utf-16-le"), '{"a": 1}'.encode("utf-32"), b"\xef\xbb\xbf{}", b'{"a": "\xed\xa0\x80"}'],
)  # fmt: skip
def test_anything_but_one_plain_object_is_refused(raw: bytes) -> None:
    with pytest.raises(WireError):
        wire.parse_line(raw)


def test_a_line_that_is_too_long_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(WireError, match="too long"):
        wire.parse_line(b'{"a": "' + b"x" * wire.MAX_LINE + b'"}')


def test_brackets_inside_strings_are_no_nesting() -> None:
    text = "[{" * 500 + '"\\'
    assert wire.parse_line(json.dumps({"a": text}).encode()) == {"a": text}


@given(depth=st.integers(min_value=1, max_value=260), bracket=st.sampled_from(["[]", "{}"]))
def test_nesting_is_allowed_up_to_the_bound_and_not_beyond(depth: int, bracket: str) -> None:
    opened = "[" if bracket == "[]" else '{"a":'
    raw = '{"a":' + opened * depth + "1" + bracket[1] * depth + "}"
    if depth + 1 <= wire.MAX_DEPTH:
        wire.parse_line(raw.encode())
    else:
        with pytest.raises(WireError, match="deep"):
            wire.parse_line(raw.encode())


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@given(
    message=st.dictionaries(st.text(), values), beside=st.lists(st.text(alphabet='[]{}"\\, ')), deep=st.integers(0, 300)
)
def test_no_text_beside_it_hides_how_deep_a_line_is_nested(
    message: dict[str, Any], beside: list[str], deep: int
) -> None:
    nested: Any = 1
    for _ in range(deep):
        nested = [nested]
    raw = json.dumps({"before": beside, "message": message, "nested": nested, "after": beside}).encode()
    told = {"before": beside, "message": message, "nested": nested, "after": beside}
    if _depth(told) <= wire.MAX_DEPTH:
        assert wire.parse_line(raw) == told
    else:
        with pytest.raises(WireError, match="deep"):
            wire.parse_line(raw)
