"""Kind http: starts and stops the learner's server and carries bytes between it and the judge.

How a program of the image's language is started, `program` knows: it may have made something ready ahead.

Messages in:  start {n, command, env, fresh} · stop {n} · open {s, n} · send {s, d} · close {s}
Messages out: listening {n} · exited {n, code} · refused {s} · data {s, d} · eof {s} · out {t} · flood
"""

import base64
import gc
import os
import pathlib
import selectors
import shutil
import signal
import socket
import sys
import time

sys.path.insert(0, "/opt/greenroom")
import box
import program

STATE = pathlib.Path("/work/state")
TICK = 0.001  # between tries to connect to a server that starts
SLOW_TICK = 0.005  # when it has taken longer than SOON
SOON = 0.3
CHUNK = 1 << 18


class Server:
    """One run of the learner's server."""

    def __init__(self, number, command, env, fresh, output, release):
        self.number, self.listening, self.born = number, False, time.monotonic()
        self.waiting = []  # streams that were opened before it listens
        state = STATE / str(number)
        if fresh:
            shutil.rmtree(state, ignore_errors=True)
        state.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        base = {"PATH": os.environ["PATH"], "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {**base, **env, "PORT": str(self.port), "STATE_DIR": str(state)}
        self.process = program.start(command, environment, output, release)

    def connect(self):
        """Return a socket connected to the server, or None while its port does not answer."""
        sock = socket.socket()
        sock.settimeout(2)
        if sock.connect_ex(("127.0.0.1", self.port)) != 0:
            sock.close()
            return None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def stop(self):
        """Kill the server's process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Shim:
    """One loop over the judge's messages, the streams and the servers."""

    def __init__(self, channel):
        self.channel, self.selector = channel, selectors.DefaultSelector()
        self.servers, self.streams, self.pending = {}, {}, {}
        self.captured = box.Captured()
        self.output = self.captured.open()
        self.selector.register(channel.fd_in, selectors.EVENT_READ, "judge")

    def run(self):
        """Serve until the judge is gone."""
        while True:
            for key, events in self.selector.select(self.patience()):
                if key.data == "judge":
                    self.from_judge()
                else:
                    self.from_stream(key.data, events)
            self.look_at_servers()
            self.tell_output()

    def patience(self):
        """Return how long to wait for news: not long while a server starts."""
        young = [server.born for server in self.servers.values() if not server.listening]
        if not young:
            return 0.1
        return TICK if time.monotonic() - max(young) < SOON else SLOW_TICK

    def from_judge(self):
        """Handle every message that has arrived."""
        data = os.read(self.channel.fd_in, CHUNK)
        if not data:
            os._exit(0)
        self.channel.buffer += data
        while b"\n" in self.channel.buffer:
            message = self.channel.receive()
            getattr(self, "on_" + message["op"])(message)

    def on_start(self, message):
        """Start server n, in place of one that may still run."""
        number = message["n"]
        self.end_server(number)
        command, env, fresh = message["command"], message["env"], message["fresh"]
        self.servers[number] = Server(number, command, env, fresh, self.output, self.release)

    def release(self):
        """Forget every socket without closing it; for a fork that becomes a server."""
        self.selector.close()
        for sock in self.streams.values():
            sock.detach()

    def on_stop(self, message):
        """Stop server n, and everything that learner code left running when it was the last."""
        self.end_server(message["n"])
        self.channel.send({"ev": "exited", "n": message["n"], "code": None})

    def end_server(self, number):
        """Kill server n if it runs."""
        server = self.servers.pop(number, None)
        if server is not None:
            server.stop()
            self.refuse(server)
            # Daemons that left the process group must not outlive a restart.
            box.kill_others([other.process.pid for other in self.servers.values()])

    def on_open(self, message):
        """Connect a new stream to server n, now or as soon as it listens."""
        stream, server = message["s"], self.servers.get(message["n"])
        self.pending[stream] = bytearray()
        if server is not None and not server.listening:
            server.waiting.append(stream)
        else:
            self.join(stream, server and server.connect())

    def join(self, stream, sock):
        """Let a stream go over `sock`; without one it is refused."""
        if sock is None:
            self.pending.pop(stream, None)
            self.channel.send({"ev": "refused", "s": stream})
            return
        self.streams[stream] = sock
        self.selector.register(sock, selectors.EVENT_READ, stream)
        if self.pending[stream]:
            self.push(stream)

    def on_send(self, message):
        """Queue bytes for a stream."""
        stream = message["s"]
        if stream in self.pending:
            self.pending[stream] += base64.b64decode(message["d"])
        if stream in self.streams:
            self.push(stream)

    def on_close(self, message):
        """Close a stream."""
        self.drop(message["s"])

    def from_stream(self, stream, events):
        """Move bytes of one stream."""
        if stream not in self.streams:
            return
        if events & selectors.EVENT_WRITE:
            self.push(stream)
        if events & selectors.EVENT_READ and stream in self.streams:
            try:
                data = self.streams[stream].recv(CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            self.tell_output()
            if data:
                self.channel.send({"ev": "data", "s": stream, "d": base64.b64encode(data).decode()})
            else:
                self.drop(stream)
                self.channel.send({"ev": "eof", "s": stream})

    def push(self, stream):
        """Write what the server takes now."""
        sock, pending = self.streams[stream], self.pending[stream]
        try:
            while pending:
                del pending[: sock.send(pending)]
        except BlockingIOError:
            pass
        except OSError:
            pending.clear()
        writable = selectors.EVENT_WRITE if pending else 0
        self.selector.modify(sock, selectors.EVENT_READ | writable, stream)

    def drop(self, stream):
        """Forget a stream."""
        sock = self.streams.pop(stream, None)
        self.pending.pop(stream, None)
        if sock is not None:
            self.selector.unregister(sock)
            sock.close()

    def look_at_servers(self):
        """Tell of servers that came up or went away."""
        for number, server in list(self.servers.items()):
            code = server.process.poll()
            if code is not None:
                del self.servers[number]
                self.tell_output()
                self.channel.send({"ev": "exited", "n": number, "code": code})
                self.refuse(server)
            elif not server.listening and server.waiting:
                self.look_at_start(server)

    def look_at_start(self, server):
        """Join the streams that wait for `server` if it listens by now."""
        waiting = [stream for stream in server.waiting if stream in self.pending]  # the others were closed meanwhile
        sock = server.connect() if waiting else None
        if sock is None:
            return
        server.listening = True
        self.channel.send({"ev": "listening", "n": server.number})
        self.join(waiting[0], sock)
        for stream in waiting[1:]:
            self.join(stream, server.connect())

    def refuse(self, server):
        """Refuse the streams that still wait for a server that is gone."""
        for stream in server.waiting if not server.listening else ():
            if stream in self.pending:
                self.join(stream, None)

    def tell_output(self):
        """Pass on what the servers printed; a flood is told once and ends the box."""
        text = self.captured.new_text()
        if text:
            self.channel.send({"ev": "out", "t": text})
        if self.captured.flooded():
            self.channel.send({"ev": "flood"})
            time.sleep(0.05)
            os._exit(0)


def main():
    """Take the files, compile them, serve."""
    channel = box.take_channel()
    program.preload()
    gc.freeze()  # what is there now is shared with every server: no collection shall touch it
    setup = box.greet(channel)
    box.write_files(setup["files"])
    broken = program.compile_error(setup["files"])
    if broken is not None:
        channel.send({"type": "not_loaded", "detail": broken})
        return
    channel.send({"type": "loaded", "out": ""})
    Shim(channel).run()


if __name__ == "__main__":
    try:
        main()
    except program.Start as start:
        begun = start.with_traceback(None)  # with the shim's frames go its sockets, before the program has any
        begun.__context__ = None
    begun.run()
