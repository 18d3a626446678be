"""What driver and shim share inside a box: the channel, the learner's files, and the captured output.

Runs beside learner code and under its user, so nothing here is trusted by the judge.
"""

import json
import os
import pathlib
import signal
import socket
import sys

WORK = pathlib.Path("/work/src")
OUTPUT = "/tmp/output"
DOOR = "/run/door/door"
FLOOD_BYTES = 1024 * 1024  # more output than this is a flood
KEPT_BYTES = 64 * 1024
KILL_ROUNDS = 20  # whoever forks in between is found in the next


class Channel:
    """JSON lines to and from the judge over file descriptors that learner code does not inherit."""

    def __init__(self, fd_in, fd_out):
        self.fd_in, self.fd_out = fd_in, fd_out
        self.buffer = b""

    def send(self, message):
        """Write one message; raises ValueError for what is not JSON."""
        data = memoryview(json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n")
        while data:
            data = data[os.write(self.fd_out, data) :]

    def receive(self):
        """Return the next message; exits when the judge is gone."""
        while b"\n" not in self.buffer:
            data = os.read(self.fd_in, 1 << 18)
            if not data:
                os._exit(0)
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)


class Captured:
    """What learner code prints: a file on the box's tmpfs, read from where the last look ended."""

    def __init__(self, path=OUTPUT):
        self.path, self.offset = path, 0

    def open(self):
        """Return a descriptor for writing."""
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def size(self):
        """Return how many bytes were printed so far."""
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    def new_text(self):
        """Return what was printed since the last call; nothing once the whole is a flood or over what is kept."""
        size = self.size()
        if size <= self.offset or self.offset >= KEPT_BYTES:
            return ""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            data = file.read(KEPT_BYTES - self.offset)
        self.offset += len(data)
        return data.decode("utf-8", "replace")

    def flooded(self):
        """Return whether more was printed than anyone would read."""
        return self.size() > FLOOD_BYTES


def take_channel():
    """Return the channel, through the door where there is one; learner code gets /dev/null as its standard input."""
    if os.path.exists(DOOR):
        line = socket.socket(socket.AF_UNIX)
        line.connect(DOOR)
        number = line.detach()
        channel = Channel(number, number)
    else:
        channel = Channel(os.dup(0), os.dup(1))
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return channel


def write_files(files):
    """Put the learner's files into WORK."""
    for name, text in files.items():
        path = WORK / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def spawn(command, environment, output):
    """Return the process of a program that starts in the learner's folder, in a session of its own."""
    import subprocess  # not for those who never need it

    return subprocess.Popen(
        command,
        cwd=WORK,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def compile_error(files):
    """Return the compiler's message for the first Python file that does not compile, else None."""
    for name, text in files.items():
        if name.endswith(".py"):
            try:
                compile(text, name, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                line = getattr(error, "lineno", None)
                shown = (getattr(error, "text", "") or "").strip("\n")
                where = f"{name}, line {line}" if line else name
                return f"{where}: {type(error).__name__}: {getattr(error, 'msg', error)}\n{shown}".rstrip()
            except (RecursionError, MemoryError) as error:
                return f"{name}: {type(error).__name__}: the code is nested too deeply"
    return None


def kill_others(kept=()):
    """Kill every process of the box but this one, its init, and those below the processes `kept`."""
    if not kept:
        try:
            os.kill(-1, signal.SIGKILL)  # at once, so that none can fork away
        except ProcessLookupError:
            pass
        return
    for _ in range(KILL_ROUNDS):
        parents = living()
        strays = [pid for pid in parents if pid not in (1, os.getpid()) and not below(pid, kept, parents)]
        if not strays:
            return
        for pid in strays:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def living():
    """Return {process: its parent} for all that are no zombies."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state != b"Z":
                found[int(name)] = int(parent)
    return found


def below(pid, ancestors, parents):
    """Return whether `pid` is one of `ancestors` or descends from one. A daemon's parent is init: it does not."""
    while pid in parents:
        if pid in ancestors:
            return True
        pid = parents[pid]
    return False


def greet(channel):
    """Say that the box is up and return the setup message."""
    sys.setrecursionlimit(2000)
    channel.send({"type": "up"})
    return channel.receive()
