"""Kind calls: imports the learner's module and answers the judge's calls as JSON lines."""

import importlib.util
import os
import sys
import traceback

sys.path.insert(0, "/opt/greenroom")
import box

EXEC_FLAG = "--again"
ENVIRONMENT = dict(os.environ)  # as it was before any code of the learner's


class Refused(Exception):
    """The judge asked for something that the learner's module does not have."""


def load(entry):
    """Return the learner's module."""
    path = box.WORK / entry
    sys.path.insert(0, str(box.WORK))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def learner_traceback(error):
    """Return the traceback without the driver's own frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(str(box.WORK))]
    lines = [
        f'  File "{os.path.relpath(f.filename, box.WORK)}", line {f.lineno}, in {f.name}\n    {f.line}' for f in frames
    ]
    return "\n".join([*lines, f"{type(error).__name__}: {error}"])[:4000]


class Driver:
    """Carries out operations: ["fn", name, args] · ["new", class, args, ref] · ["call", ref, method, args]."""

    def __init__(self, module):
        self.module, self.objects = module, {}

    def one(self, op):
        """Return the result of one operation as {"value": …} or {"error": {"type", "message"}}."""
        try:
            verb, name, args = op[0], op[1], op[2]
            if verb == "fn":
                return {"value": self.named(name)(*args)}
            if verb == "new":
                self.objects[op[3]] = self.named(name)(*args)
                return {"value": None}
            return {"value": getattr(self.objects[name], op[2])(*op[3])}
        except BaseException as error:
            return {"error": {"type": type(error).__name__[:80], "message": str(error)[:1000]}}

    def named(self, name):
        """Return the learner's function or class of that name."""
        try:
            return getattr(self.module, name)
        except AttributeError:
            raise Refused(f"{name} is not defined") from None


def main():
    """Serve until the judge is gone."""
    again = EXEC_FLAG in sys.argv
    if again:
        channel = box.Channel(int(sys.argv[2]), int(sys.argv[3]))
        entry = sys.argv[4]
    else:
        channel = box.take_channel()
        setup = box.greet(channel)
        entry = setup["entry"]
        box.write_files(setup["files"])
        broken = box.compile_error(setup["files"])
        if broken is not None:
            channel.send({"type": "not_loaded", "detail": broken})
            return
    captured = box.Captured()
    captured.offset = captured.size()
    fd = captured.open()
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.chdir(box.WORK)
    try:
        driver = Driver(load(entry))
    except BaseException as error:
        flush()
        channel.send({"type": "crashed", "detail": learner_traceback(error), "out": captured.new_text()})
        return
    flush()
    channel.send({"type": "loaded", "out": captured.new_text()})
    serve(channel, driver, captured, entry)


def flush():
    """Bring what learner code printed into the captured file."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: S110 - learner code may have replaced or closed it
            pass


def serve(channel, driver, captured, entry):
    """Answer calls for ever."""
    while True:
        message = channel.receive()
        if message["ops"] == "restart":
            box.kill_others()
            os.set_inheritable(channel.fd_in, True)
            os.set_inheritable(channel.fd_out, True)
            # What the learner's code put into its environment would reach the fresh process too.
            again = [EXEC_FLAG, str(channel.fd_in), str(channel.fd_out), entry]
            os.execve(sys.executable, [sys.executable, "-I", "-u", __file__, *again], ENVIRONMENT)
        results = [driver.one(op) for op in message["ops"]]
        flush()
        reply = {"id": message["id"], "results": results, "out": captured.new_text(), "flood": captured.flooded()}
        try:
            channel.send(reply)
        except (ValueError, TypeError, RecursionError):
            reply["results"] = [sendable(result) for result in results]
            channel.send(reply)


def sendable(result):
    """Return `result`, or an error in its place when its value is not JSON."""
    import json

    try:
        json.dumps(result, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        kind = type(result.get("value")).__name__
        return {"error": {"type": "NotJson", "message": f"the result ({kind}) cannot be written as JSON"}}
    return result


if __name__ == "__main__":
    main()
