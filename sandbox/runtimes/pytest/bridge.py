"""Module `subject` as the learner's tests see it: each call is carried to the judge, which runs the program under test.

What is asked:    call, new {name, args, kwargs} · method {ref, name, args, kwargs} · get {ref, name}
What comes back:  {value} · {record, fields} · {ref, class} · {error: {type, message}}
"""

import builtins
import json
import os
import threading
import types

ERRORS = {name: kind for name, kind in vars(builtins).items() if isinstance(kind, type)}


class Record(types.SimpleNamespace):
    """A dataclass of the program's, as it was when it came back: the same fields, compared by value."""


class Bridge:
    """Asks the judge over one descriptor: one question at a time, from the process that pytest runs in."""

    def __init__(self, line):
        self.line, self.lock, self.process = line, threading.Lock(), os.getpid()
        self.classes = {}

    def module(self, names):
        """Return a module with these functions and classes: {"functions": […], "classes": {name: [method, …]}}."""
        subject = types.ModuleType("subject", "The program under test. It runs elsewhere.")
        for name in names["functions"]:
            setattr(subject, name, self.function("call", name))
        for name, methods in names["classes"].items():
            self.classes[name] = self.class_of(name, methods)
            setattr(subject, name, self.classes[name])
        return subject

    def function(self, op, name):
        """Return a function that asks for `op` on `name`; as a method it passes on whose it is."""

        def call(*args, **kwargs):
            __tracebackhide__ = True
            return self.ask({"op": op, "name": name, "args": args, "kwargs": kwargs})

        def method(own, *args, **kwargs):
            __tracebackhide__ = True
            return self.ask({"op": op, "ref": own._ref, "name": name, "args": args, "kwargs": kwargs})

        chosen = call if op == "call" else method
        chosen.__name__ = chosen.__qualname__ = name
        chosen.__module__ = "subject"
        return chosen

    def class_of(self, name, methods):
        """Return a class whose objects live with the program."""

        def init(own, *args, **kwargs):
            __tracebackhide__ = True
            own._ref = self.ask({"op": "new", "name": name, "args": args, "kwargs": kwargs})._ref

        def get(own, attribute):
            __tracebackhide__ = True
            if attribute.startswith("_"):
                raise AttributeError(attribute)
            return self.ask({"op": "get", "ref": own._ref, "name": attribute})

        members = {method: self.function("method", method) for method in methods}
        return type(name, (), {**members, "__init__": init, "__getattr__": get, "__module__": "subject"})

    def ask(self, question):
        """Return what the program gives back, or raise what it raises."""
        __tracebackhide__ = True
        try:
            text = json.dumps(question, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(f"only JSON values can be passed to the program under test: {error}") from None
        if os.getpid() != self.process:
            raise RuntimeError("the program under test can be called only from the process that pytest runs in")
        with self.lock:
            self.send(text.encode())
            answer = json.loads(self.receive())
        if "error" in answer:
            raise ERRORS.get(answer["error"]["type"], RuntimeError)(answer["error"]["message"])
        return self.value(answer)

    def value(self, answer):
        """Return what an answer without an error stands for."""
        if "record" in answer:
            kind = type(answer["record"], (Record,), {"__module__": "subject"})
            return kind(**answer["fields"])
        if "ref" in answer:
            kind = self.classes.get(answer["class"]) or self.class_of(answer["class"], ())
            found = object.__new__(kind)
            found._ref = answer["ref"]
            return found
        return answer["value"]

    def send(self, line):
        """Write one line."""
        data = memoryview(line + b"\n")
        while data:
            data = data[os.write(self.line, data) :]

    def receive(self):
        """Return the next line."""
        data = b""
        while not data.endswith(b"\n"):
            part = os.read(self.line, 1 << 16)
            if not part:
                raise RuntimeError("the program under test is gone")
            data += part
        return data
