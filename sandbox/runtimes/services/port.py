"""A TCP port on loopback that can refuse for a while and stays ours: nobody else can bind it meanwhile."""

import asyncio
import socket

BACKLOG = 128
BREATH = 0.05  # seconds without accepting when descriptors have run out
SO_BINDTOIFINDEX = 62
NOWHERE = 9999  # an interface that there is not


def bound(number, interface):
    """Return a listening socket for what arrives on `interface`."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, interface)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of earlier times may linger
    sock.bind(("127.0.0.1", number))
    sock.setblocking(False)
    sock.listen(BACKLOG)
    return sock


class Port:
    """Listens, and hands every connection to `on_client`."""

    def __init__(self, number, on_client):
        self.on_client = on_client
        self.loopback = socket.if_nametoindex("lo")
        self.sock = bound(number, self.loopback)
        self.number = self.sock.getsockname()[1]
        # Nothing ever arrives here. But it listens, so that nobody can bind the port while the other one is closed.
        self.guard = bound(self.number, NOWHERE)
        self.waiting = False  # for connections, here and not in the backlog alone

    def open(self):
        """Accept connections. Raises OSError when somebody took the port."""
        if self.sock is None:
            self.sock = bound(self.number, self.loopback)
        if not self.waiting:
            self.waiting = True
            asyncio.get_running_loop().add_reader(self.sock, self.accept)

    def refuse(self):
        """Refuse connections, those that wait to be accepted included."""
        if self.sock is not None:
            if self.waiting:
                asyncio.get_running_loop().remove_reader(self.sock)
            self.waiting = False
            self.sock.close()
            self.sock = None

    def accept(self):
        """Take the next connection."""
        try:
            client = self.sock.accept()[0]
        except BlockingIOError:
            return
        except OSError:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.sock)
            self.waiting = False
            loop.call_later(BREATH, self.accept_again)
            return
        client.setblocking(False)
        self.on_client(client)

    def accept_again(self):
        """Go on after a breath, unless it refuses by now."""
        if self.sock is not None:
            self.open()
