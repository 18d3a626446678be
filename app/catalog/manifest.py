"""`exercise.yaml` ⇄ ExerciseSpec, with the line of every key. Pure."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from app.catalog.problems import FormatError, Problem
from app.catalog.spec import ExerciseSpec, expected

NAME = "exercise.yaml"
MAX_DEPTH = 10
MAX_NODES = 10_000  # a hundred checks and fifty wrong solutions take a third of it
KeyPath = tuple[str | int, ...]


class Lines:
    """Knows on which line of the file a key or list item stands."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def at(self, path: KeyPath) -> int:
        """Return the 1-based line of `path`, or of the nearest thing above it that is there."""
        line, here = 1, self._root
        for step in path:
            try:
                if isinstance(here, CommentedMap):
                    line = here.lc.key(step)[0] + 1
                elif isinstance(here, CommentedSeq):
                    line = here.lc.item(step)[0] + 1
                here = here[step]
            except (KeyError, IndexError, TypeError):
                break
        return line


def parse(text: str) -> tuple[ExerciseSpec, Lines]:
    """Return what the file says and where. Raises FormatError with every problem of the schema."""
    data = _read_yaml(text)
    if not isinstance(data, CommentedMap):
        raise FormatError([Problem(file=NAME, line=1, message="must be a mapping of keys: schema, id, title, …")])
    lines = Lines(data)
    try:
        return ExerciseSpec.model_validate(_plain(data)), lines
    except ValidationError as error:
        found = {str(problem): problem for problem in (_problem(detail, lines) for detail in error.errors())}
        raise FormatError(found.values()) from None


def dump(spec: ExerciseSpec) -> str:
    """Return `spec` as YAML; `parse` gives the same spec back."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # the author's order of keys
    yaml.allow_unicode = True
    yaml.width = 4096
    out = io.StringIO()
    yaml.dump(spec.model_dump(mode="json", by_alias=True), out)
    return out.getvalue()


def _read_yaml(text: str) -> Any:
    """Return the data with line numbers. Raises FormatError for bad YAML and for what could blow up."""
    try:
        refuse_bombs(text)
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join((error.problem or error.context or "is not YAML").split())
        raise FormatError([Problem(file=NAME, line=mark.line + 1 if mark else 1, message=message)]) from None
    except (YAMLError, ValueError) as error:
        message = f"is not YAML: {' '.join(str(error).split())[:200]}"
        raise FormatError([Problem(file=NAME, line=1, message=message)]) from None


def refuse_bombs(text: str) -> None:
    """Raise FormatError for what takes time or memory out of all proportion: aliases, deep nesting, endless lists."""
    depth = 0
    for count, event in enumerate(YAML(typ="safe", pure=True).parse(text)):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        message = "aliases (*name) are not allowed" if isinstance(event, AliasEvent) else ""
        if depth > MAX_DEPTH:
            message = f"is nested deeper than {MAX_DEPTH} levels"
        if count > MAX_NODES:
            message = f"holds more than {MAX_NODES} keys and values"
        if message:
            raise FormatError([Problem(file=NAME, line=event.start_mark.line + 1, message=message)])


def _plain(value: Any) -> Any:
    """Return `value` as the built-in types that the schema checks; what has no such type stays as it is."""
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def key_name(path: KeyPath) -> str:
    """Return `path` as an author writes it: limits.seconds, checks[2].test."""
    name = ""
    for step in path:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def _problem(detail: ErrorDetails, lines: Lines) -> Problem:
    """Return what pydantic found, in the words of the schema."""
    path = _authored(detail["loc"], lines)
    what = expected(path)
    if detail["type"] == "missing":
        message = f"is missing; expected {what}" if what else "is missing"
    elif detail["type"] == "extra_forbidden":
        message = f"is not a key here; expected {what}"
    else:
        if path and path[-1] == "[key]":
            path = path[:-1]
        message = f"must be {what}, got {_shown(detail['input'])}"
    return Problem(file=NAME, line=lines.at(path), key=key_name(path), message=message)


def _authored(loc: tuple[int | str, ...], lines: Lines) -> KeyPath:
    """Return the part of pydantic's location that stands in the file (it adds the members of unions)."""
    path: list[int | str] = []
    here = lines._root
    for position, step in enumerate(loc):
        path.append(step)
        if isinstance(here, (CommentedMap, CommentedSeq)):
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return tuple(loc[: position + 1])
        elif step != "[key]":
            return tuple(path[:-1])
    return tuple(path)


def _shown(value: Any) -> str:
    """Return `value` in one short line, strings in quotes."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"{value[:60]!r}" + ("…" if len(value) > 60 else "")
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return str(value)[:60]
