"""Runs a learner's Node.js program; the first of a box in a process that was up before the program's files came.

It has loaded already what most programs do, which takes longer than to start Node.

What the program sees is what `node FILE` would show it: its own arguments, environment and session, and itself as
`require.main`.
"""

import json
import os
import subprocess
import sys

import box

WARM = "/opt/greenroom/warm.js"
PRELOADED = ("express",)
CLIENTS = {"postgres": ("pg",), "redis": ("redis",)}  # of the services that the shim was told of
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MOST_MIB = 4096


def heap_flag():
    """Return the flag that lets Node's heap grow to the box's limit, so that it is the kernel that ends who wants more.

    By itself Node takes half of it, and ends a program that needs more as if it had crashed.
    """
    for name in LIMITS:
        try:
            with open(name, encoding="ascii") as file:
                return f"--max-old-space-size={min(MOST_MIB, int(file.read()) >> 20)}"
        except (OSError, ValueError):
            continue
    return f"--max-old-space-size={MOST_MIB}"


NODE = ("node", heap_flag())


class Start(BaseException):
    """What the shim looks for where a program is a fork of itself: never so here."""


class Warm:
    """A Node process that waits: it looks over the learner's files, and then is the learner's program."""

    def __init__(self):
        clients = [client for service in sys.argv[1:] for client in CLIENTS.get(service, ())]
        self.answers, answers = os.pipe()
        output = box.Captured().open()
        self.process = subprocess.Popen(
            [*NODE, WARM, str(answers), *PRELOADED, *clients],
            cwd="/work",
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds={answers},
            start_new_session=True,
        )
        os.close(answers)
        os.close(output)
        self.answer()  # it is up

    def tell(self, message):
        """Send one line."""
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self):
        """Return its answer. Raises OSError or ValueError when it is not there any more."""
        said = b""
        while not said.endswith(b"\n"):
            data = os.read(self.answers, 1 << 16)
            if not data:
                raise OSError("the process has ended")
            said += data
        return json.loads(said)

    def run(self, script, environment):
        """Let it be `script`, and return the process."""
        self.tell({"argv": script, "env": environment})
        self.process.stdin.close()
        os.close(self.answers)
        return self.process

    def end(self):
        """Let it go, unused."""
        self.process.kill()
        self.process.wait()


ready = []  # the process that waits, until it is used


def preload():
    """Start the process that waits."""
    ready.append(Warm())


def compile_error(files):
    """Return the compiler's message for the first script that does not compile, else None."""
    try:
        ready[0].tell({"files": list(files)})
        return ready[0].answer()
    except (OSError, ValueError):
        ready.clear()  # the program is then started as it would be elsewhere, and says itself what is wrong
        return None


def script_of(command):
    """Return [file, arguments …] when `command` runs a script of the learner's without options."""
    if len(command) < 2 or command[0] not in {"node", "nodejs"}:
        return None
    rest = list(command[1:])
    return rest if not rest[0].startswith("-") and (box.WORK / rest[0]).is_file() else None


def start(command, environment, output, _release):
    """Return the process of a program, in the learner's folder and in a session of its own."""
    script = script_of(command)
    warm = ready.pop() if ready else None
    if warm is not None:
        try:
            if script is not None:
                return warm.run(script, environment)
        except OSError:
            pass  # somebody has ended it
        warm.end()
    return box.spawn([*NODE, *script] if script is not None else command, environment, output)
