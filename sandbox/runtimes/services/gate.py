"""What stands between the learner's server and a service: a TCP port before its Unix socket.

Here a service is paused, slowed down or cut off, while it goes on serving the judge.
"""

import asyncio
from collections import deque

from port import Port

HELD_BYTES = 1 << 20  # of one connection, that wait to be passed on


class Gate:
    """All connections to one service."""

    def __init__(self, number, path, most):
        self.path, self.most = path, most  # as many connections at a time: what the server takes beyond is the judge's
        self.paused, self.delay = False, 0.0
        self.ends = set()
        self.tasks = set()
        self.port = Port(number, self.on_client)

    def on_client(self, sock):
        """Connect a client to the service."""
        if len(self.ends) + 2 * len(self.tasks) >= 2 * self.most:
            sock.close()
            return
        task = asyncio.get_running_loop().create_task(self.join(sock))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def join(self, sock):
        """Make both ends of a connection."""
        loop = asyncio.get_running_loop()
        client, service = End(self, delayed=True), End(self, delayed=False)
        client.other, service.other = service, client
        try:
            await loop.connect_accepted_socket(lambda: client, sock)
            await loop.create_unix_connection(lambda: service, self.path)
        except OSError:
            client.abort()
            sock.close()

    def pause(self):
        """Let no byte through from now on, in either direction."""
        self.paused = True
        for end in self.ends:
            end.look()

    def resume(self):
        """Let through what waits, and what comes."""
        self.paused = False
        for end in list(self.ends):
            end.pass_on()

    def down(self):
        """Cut every connection and refuse new ones."""
        self.port.refuse()
        for task in list(self.tasks):
            task.cancel()
        for end in list(self.ends):
            end.abort()

    def up(self):
        """Accept connections again."""
        self.port.open()

    def slow(self, seconds):
        """Hold every message to the service for so long."""
        self.delay = seconds

    def reset(self):
        """Be as at the beginning; connections stay."""
        self.delay = 0.0
        self.resume()
        self.up()


class End(asyncio.Protocol):
    """One end of a connection; what it reads leaves through `other`."""

    def __init__(self, gate, *, delayed):
        self.gate, self.delayed = gate, delayed
        self.other = self.transport = self.timer = None
        self.held, self.held_bytes = deque(), 0  # (when it may leave, data)
        self.full = False  # whether what we write is not taken
        self.ended = False  # whether nothing more comes

    def connection_made(self, transport):
        """Begin; nothing is read until the other end is there."""
        self.transport = transport
        self.gate.ends.add(self)
        self.look()
        self.other.pass_on()

    def connection_lost(self, _error):
        """Close the other end too."""
        self.gate.ends.discard(self)
        if self.timer is not None:
            self.timer.cancel()
        if self.other.transport is not None:
            self.other.transport.close()

    def data_received(self, data):
        """Pass `data` on, when its time has come."""
        due = asyncio.get_running_loop().time() + (self.gate.delay if self.delayed else 0.0)
        if self.held:
            due = max(due, self.held[-1][0])  # never before what came earlier
        self.held.append((due, data))
        self.held_bytes += len(data)
        self.pass_on()

    def eof_received(self):
        """Close once everything has been passed on."""
        self.ended = True
        self.pass_on()
        return True

    def pause_writing(self):
        """Let the other end read no more: what we write is not taken."""
        self.full = True
        self.other.look()

    def resume_writing(self):
        """Let the other end read on."""
        self.full = False
        self.other.look()

    def pass_on(self):
        """Write what may leave now, and come back for the rest."""
        if self.gate.paused or self.other.transport is None:
            return
        loop = asyncio.get_running_loop()
        while self.held and self.held[0][0] <= loop.time():
            data = self.held.popleft()[1]
            self.held_bytes -= len(data)
            self.other.transport.write(data)
        if self.held and self.timer is None:
            self.timer = loop.call_at(self.held[0][0], self.on_time)
        if self.ended and not self.held:
            self.other.transport.close()
        self.look()

    def on_time(self):
        """Go on with what was held."""
        self.timer = None
        self.pass_on()

    def look(self):
        """Read only while what is read can go on."""
        if self.transport is None or self.transport.is_closing():
            return
        stuck = self.gate.paused or self.other.transport is None or self.other.full or self.held_bytes > HELD_BYTES
        if stuck:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def abort(self):
        """Close at once, with all that waits."""
        if self.transport is not None:
            self.transport.abort()
