"""Kind mutation: runs the learner's tests once for each order of the judge, and carries their calls to it.

This process never runs learner code. Each run is a fork of it, which starts from what this process was before
it saw a learner: nothing of an earlier run is in its memory, its files or its processes. Runs can still be counted
(time passes, process numbers rise); the judge sees to it that counting does not pay.

Messages in:  run {id, names} · answer {text}
Messages out: call {id, call} · done {id, done: {report, out, flood}}
"""

import ctypes
import gc
import os
import pathlib
import resource
import select
import signal
import socket
import sys
import time

os.environ |= {"HOME": "/tmp", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
sys.path.insert(0, "/opt/greenroom")
import box
import session

ROOMS = tuple(pathlib.Path(name) for name in ("/tmp", "/work", "/dev/shm"))  # all that can be written to
TICK = 0.1  # between looks at a run that says nothing
MOST_BYTES = 512 * 1024  # of one call or report
KILL_SECONDS = 2.0
LIMITS = 16  # kinds of them, see setrlimit(2)
PR_SET_DUMPABLE = 4


class Runner:
    """Serves the judge: one run after the other."""

    def __init__(self, channel, files):
        self.channel, self.files = channel, files
        self.began = standing()
        self.modes = {room: room.stat().st_mode for room in ROOMS}

    def serve(self):
        """Run the tests as often as the judge asks for it."""
        while True:
            order = self.channel.receive()
            self.clean()
            report, captured = self.run(order)
            done = {"report": report, "out": captured.new_text(), "flood": captured.flooded()}
            self.channel.send({"id": order["id"], "done": done})

    def run(self, order):
        """Return what one run reported, "" if nothing, and what it printed; no process of it is left."""
        captured = box.Captured()
        output = captured.open()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.detach()
            prctl(PR_SET_DUMPABLE, 1)
            become(theirs.detach(), output, order["names"])
        theirs.close()
        os.close(output)
        with ours:
            ours.settimeout(KILL_SECONDS)  # for a run that does not take its answers
            try:
                report = self.attend(order["id"], ours, pid, captured)
            except OSError:
                report = b""
        kill_all()
        return report.decode("utf-8", "replace"), captured

    def attend(self, run, line, pid, captured):
        """Carry calls and answers until the run reports or ends; return its report, b"" if there is none."""
        buffer = b""
        while True:
            while b"\n" not in buffer:
                if len(buffer) > MOST_BYTES:
                    return b""
                if select.select([line], [], [], TICK)[0]:
                    data = line.recv(1 << 16)
                    if not data:
                        return b""
                    buffer += data
                elif captured.flooded() or ended(pid):
                    return b""
            text, buffer = buffer.split(b"\n", 1)
            if text.startswith(session.REPORT):
                return text.removeprefix(session.REPORT)
            self.channel.send({"id": run, "call": text.decode("utf-8", "replace")})
            line.sendall(self.channel.receive()["text"].encode() + b"\n")

    def clean(self):
        """Leave nothing of an earlier run: the learner's files as they were sent, and nothing else."""
        if standing() != self.began:
            os._exit(1)  # a run changed what this process may use
        for room in ROOMS:
            empty(room)
            if any(os.scandir(room)):  # too deep for a path, say
                os._exit(1)
            if os.stat(room).st_uid == os.getuid():
                os.chmod(room, self.modes[room])
                os.utime(room)
        box.write_files(self.files)


def become(line, output, names):
    """Be one run: nothing of the runner's but `line` is open any more. Does not return."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        null = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((null, 0), (output, 1), (output, 2)):
            os.dup2(descriptor, target)
        os.closerange(3, line)
        os.closerange(line + 1, 256)
        sys.setrecursionlimit(1000)
        sys.path[0] = str(box.WORK)  # in place of the runner's own folder
        os.chdir(box.WORK)
        session.run(line, names)
    except BaseException as error:  # the runner's loop must not go on in the fork
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        os._exit(0)


def empty(folder):
    """Remove everything in `folder`, also where a run took its own rights away."""
    try:
        os.chmod(folder, 0o700)
    except OSError:
        pass  # not ours: a place that everybody may write to
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                empty(entry.path)
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)
        except (OSError, RecursionError):
            pass  # whoever called looks whether anything is left


def kill_all():
    """Kill and reap every other process of the box. Ends this one when that takes too long."""
    deadline = time.monotonic() + KILL_SECONDS
    while True:
        box.kill_others()
        reap()
        if not set(box.living()) - {1, os.getpid()}:
            return
        if time.monotonic() > deadline:
            os._exit(1)
        time.sleep(0.001)


def reap():
    """Collect the children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def ended(pid):
    """Return whether the child `pid` has ended."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def standing():
    """Return what another process of the same user could change of this one: limits, priority, processors."""
    limits = [resource.prlimit(0, number) for number in range(LIMITS)]
    return [limits, os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)]


def prctl(option, value):
    """Set an attribute of this process, see prctl(2)."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def main():
    """Take the files, compile them, serve."""
    channel = box.take_channel()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing that is printed may reach the channel
    session.warm_up()
    gc.freeze()  # what is there now is shared with every run: no collection shall touch it
    prctl(PR_SET_DUMPABLE, 0)  # a run has the same user: it may neither read nor write this process's memory
    setup = box.greet(channel)
    broken = box.compile_error(setup["files"])
    if broken is not None:
        channel.send({"type": "not_loaded", "detail": broken})
        return
    channel.send({"type": "loaded", "out": ""})
    Runner(channel, setup["files"]).serve()


if __name__ == "__main__":
    main()
