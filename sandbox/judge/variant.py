"""A variant: one program that learners' tests are run on, in a process of its own beside the judge's child.

Its text is the author's, but what it is called with comes from a box: it may hang, take all memory or raise.
"""

from __future__ import annotations

import ast
import ctypes
import dataclasses
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
import types
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MODULE = "subject"
LOAD_SECONDS = 20.0
CALL_SECONDS = 5.0  # a call that takes longer hangs
MEMORY_BYTES = 128 * 1024 * 1024  # beside what it shares with the judge
MOST_ANSWER = 1024 * 1024
CHUNK = 1 << 16
DESCRIPTORS = 1024  # more than the container may open
PR_SET_PDEATHSIG = 1
ERRORS = (  # builtin exceptions that cross to the learner's tests; of others the nearest of these that they are
    "ArithmeticError", "AssertionError", "AttributeError", "BufferError", "ConnectionError", "EOFError", "Exception",
    "FileExistsError", "FileNotFoundError", "FloatingPointError", "IndexError", "KeyError", "LookupError",
    "MemoryError", "NameError", "NotImplementedError", "OSError", "OverflowError", "PermissionError",
    "RecursionError", "ReferenceError", "RuntimeError", "TimeoutError", "TypeError", "ValueError", "ZeroDivisionError",
)  # fmt: skip

Interface = dict[str, Any]  # {"functions": [name, …], "classes": {name: [method, …]}}


class VariantBroken(Exception):
    """A variant cannot be loaded: its author's fault."""


def interface_of(texts: Iterable[str]) -> Interface:
    """Return the public functions and classes that all of `texts` define. Raises VariantBroken.

    What only some have is left out, so that nobody can tell them apart by their names. Decorated classes are
    data (dataclasses): they are given back, not made.
    """
    every = [_defined(text) for text in texts]
    if not every:
        return {"functions": [], "classes": {}}
    functions = set.intersection(*(set(functions) for functions, _ in every))
    names = set.intersection(*(set(classes) for _, classes in every))
    classes = {name: sorted(set.intersection(*(classes[name] for _, classes in every))) for name in sorted(names)}
    return {"functions": sorted(functions), "classes": classes}


def _defined(text: str) -> tuple[set[str], dict[str, set[str]]]:
    """Return the names of the functions, and of the classes with those of their methods."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError) as error:
        raise VariantBroken(f"is not Python: {error}") from error
    return _functions(body), {
        node.name: _functions(node.body)
        for node in body
        if isinstance(node, ast.ClassDef) and not node.decorator_list and not node.name.startswith("_")
    }


def _functions(body: list[ast.stmt]) -> set[str]:
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")}


class Variant:
    """A variant that answers calls until it is closed, or hangs, or dies."""

    def __init__(self, name: str, text: str, interface: Interface) -> None:
        """Start it. Raises VariantBroken when it cannot be loaded."""
        self._line, theirs = socket.socketpair()
        self._buffer = bytearray()
        self._gone = ""
        self._pid = os.fork()
        if self._pid == 0:
            _become(theirs, name, text, interface)
        theirs.close()
        reason = self._exchange(b"", LOAD_SECONDS)
        if self._gone or reason:
            self.close()
            raise VariantBroken(self._gone or reason.decode("utf-8", "replace"))

    def __enter__(self) -> Variant:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, question: Mapping[str, Any], seconds: float) -> str:
        """Return the answer as JSON. One that hangs is ended, and from then on every answer says so."""
        if not self._gone:
            answer = self._exchange(json.dumps(question).encode() + b"\n", min(seconds, CALL_SECONDS))
            if not self._gone:
                return answer.decode()
            self.close()
        return error_text("TimeoutError", self._gone)

    def close(self) -> None:
        """End its process."""
        self._line.close()
        if self._pid:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _exchange(self, data: bytes, seconds: float) -> bytes:
        """Send `data` and return the next line; notes in `_gone` why there is none."""
        deadline = time.monotonic() + seconds
        try:
            self._line.settimeout(seconds)
            self._line.sendall(data)
            while b"\n" not in self._buffer:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._line.settimeout(left)
                part = self._line.recv(CHUNK)
                if not part:
                    raise ConnectionError
                self._buffer += part
        except TimeoutError:
            self._gone = "the program under test did not come to an end"
            return b""
        except OSError:
            self._gone = "the program under test has ended"
            return b""
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line


def error_text(type: str, message: str) -> str:
    """Return the answer that raises `type` with `message` where the tests run."""
    return json.dumps({"error": {"type": type, "message": message[:2000]}})


def _become(line: socket.socket, name: str, text: str, interface: Interface) -> None:
    """Be the variant: no line of the judge's is open any more. Does not return."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        gc.freeze()  # a collection may not close, by number, what is the variant's by now
        null = os.open(os.devnull, os.O_RDWR)
        for target in (0, 1, 2):
            os.dup2(null, target)
        os.closerange(3, line.fileno())
        os.closerange(line.fileno() + 1, DESCRIPTORS)
        _confine()
        program = _loaded(line, name, text)
        with line.makefile("rb") as questions:
            for question in questions:
                line.sendall(program.answer(json.loads(question), interface).encode() + b"\n")
    finally:
        os._exit(0)


def _confine() -> None:
    """Let this process take so much memory more, and write no files."""
    held = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5]) * resource.getpagesize()
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = held + MEMORY_BYTES
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _loaded(line: socket.socket, name: str, text: str) -> _Program:
    """Return the variant's module, having said how loading it went."""
    module = types.ModuleType(MODULE)
    sys.modules[MODULE] = module  # dataclasses look it up
    try:
        # The author's program, in a process of its own.
        exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 # nosec B102
    except BaseException as error:
        line.sendall(f"{type(error).__name__}: {error}".replace("\n", " ").encode() + b"\n")
        raise
    line.sendall(b"\n")
    return _Program(module)


class _Program:
    """The loaded module, and the objects of its classes that were handed out."""

    def __init__(self, module: types.ModuleType) -> None:
        self._module = module
        self._objects: list[object] = []

    def answer(self, question: Mapping[str, Any], interface: Interface) -> str:
        """Return the answer to one question as JSON."""
        try:
            text = json.dumps(self._carried(self._do(question, interface)), allow_nan=False)
            if len(text) > MOST_ANSWER:
                raise ValueError("the result is too long to be carried")
        except BaseException as error:  # whatever it is, the tests shall see it
            names = (kind.__name__ for kind in type(error).__mro__)
            whole = len(error.args) == 1 and isinstance(error.args[0], str)
            message = error.args[0] if whole else str(error)  # of a KeyError, str() is in quotes
            return error_text(next((name for name in names if name in ERRORS), "RuntimeError"), message)
        return text

    def _do(self, question: Mapping[str, Any], interface: Interface) -> Any:
        op, name = question["op"], question["name"]
        if op in {"call", "new"}:
            if name not in interface["functions" if op == "call" else "classes"]:
                raise AttributeError(f"there is no {name}")
            return getattr(self._module, name)(*question["args"], **question["kwargs"])
        ref = question["ref"]
        if name.startswith("_") or not 0 <= ref < len(self._objects):
            raise AttributeError(f"there is no {name}")
        found = getattr(self._objects[ref], name)
        return found(*question["args"], **question["kwargs"]) if op == "method" else found

    def _carried(self, result: Any) -> dict[str, Any]:
        """Return what stands for `result` on its way: a dataclass goes as its fields, other objects stay here."""
        kind = type(result)
        if dataclasses.is_dataclass(kind):
            fields = {field.name: getattr(result, field.name) for field in dataclasses.fields(kind)}
            return {"record": kind.__name__, "fields": fields}
        if kind.__module__ == MODULE:
            self._objects.append(result)
            return {"ref": len(self._objects) - 1, "class": kind.__name__}
        return {"value": result}
