"""Runs a learner's Python program in a fork of this process, so that it need not start an interpreter of its own.

That saves it some 0.3 s: Flask has been imported already. What the program sees is what `python3 FILE` would show it:
its folder first on the path, its own arguments, environment and session, and `__main__` as its name.
"""

import builtins
import os
import signal
import socket
import sys
import traceback
import types

import box

compile_error = box.compile_error
PRELOADED = ("flask", "werkzeug.serving", "sqlite3")
CLIENTS = {"postgres": ("psycopg", "psycopg_pool"), "redis": ("redis",)}  # of the services that the shim was told of
FLAGS = ("-u", "-B")  # of the interpreter; all others start one of their own


class Start(BaseException):
    """Raised in the child of a fork: unwinds everything that is not the program's."""

    def __init__(self, script):
        super().__init__()
        self.script = script

    def run(self):
        """Be the program; returns or exits as it does."""
        path = box.WORK / self.script[0]
        sys.argv = list(self.script)
        sys.path[0] = str(path.parent)  # in place of the shim's own folder
        sys.setrecursionlimit(1000)
        forget_modules({"box", "program", *(entry.stem for entry in path.parent.iterdir())})
        main = types.ModuleType("__main__")
        main.__file__ = str(path)
        main.__builtins__ = builtins
        sys.modules["__main__"] = main
        try:
            exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), main.__dict__)  # noqa: S102 - the learner's program, in its box
        except Exception as error:
            own = error.__traceback__
            while own is not None and not own.tb_frame.f_code.co_filename.startswith(str(box.WORK)):
                own = own.tb_next
            traceback.print_exception(error.with_traceback(own))
            sys.exit(1)


def forget_modules(names):
    """Let modules of these names be imported anew: the program may have files of its own that are called so."""
    for module in list(sys.modules):
        if module.partition(".")[0] in names:
            del sys.modules[module]


class Forked:
    """The process of a fork, with the part of subprocess.Popen's face that the shim uses."""

    def __init__(self, pid):
        self.pid, self.code = pid, None

    def poll(self):
        """Return its exit code, or None while it runs."""
        return self.wait(os.WNOHANG)

    def wait(self, options=0):
        """Return its exit code once it has ended."""
        if self.code is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:
                pid, status = self.pid, 0
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code


def preload():
    """Import what most programs do, and serve one request. What fails is left to the program's own import."""
    for name in (*PRELOADED, *(client for service in sys.argv[1:] for client in CLIENTS.get(service, ()))):
        try:
            __import__(name)
        except ImportError:
            pass
    if "flask" in sys.modules:
        serve_once(sys.modules["flask"].Flask("preload"))


def serve_once(app):
    """Serve one request of our own: what Flask and Werkzeug do only at their first, every program then finds done."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Silent(WSGIRequestHandler):
        def log(self, type, message, *args):
            """Print nothing."""

    app.add_url_rule("/", view_func=dict, methods=["POST"])
    server = make_server("127.0.0.1", 0, app, request_handler=Silent)
    with socket.create_connection(server.server_address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        server.handle_request()
        client.recv(4096)
    server.server_close()


def script_of(command):
    """Return [file, arguments …] when `command` runs a Python file of the learner's with no options that matter."""
    if not command or command[0] not in {"python3", "python"}:
        return None
    rest = list(command[1:])
    while rest and rest[0] in FLAGS:
        rest.pop(0)
    return rest if rest and rest[0].endswith(".py") and (box.WORK / rest[0]).is_file() else None


def start(command, environment, output, release):
    """Return the process of a server: a fork of this one for `python3 FILE`, else `command` as it stands."""
    script = script_of(command)
    return box.spawn(command, environment, output) if script is None else fork(script, environment, output, release)


def fork(script, environment, output, release):
    """Return the process that runs `script`. In it, calls `release` and raises Start.

    `release` lets go of every object that would close a descriptor when it is collected: by then the number may be
    one of the program's own.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Forked(pid)
    os.setsid()
    release()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    null = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    os.closerange(3, 256)
    os.chdir(box.WORK)
    os.environ.clear()
    os.environ.update(environment)
    raise Start(script)
