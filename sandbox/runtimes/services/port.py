"""A TCP port on loopback that can refuse for a while and stays ours: nobody else can bind it meanwhile."""

import asyncio
import socket

BACKLOG = 128
BREATH = 0.05  # seconds without accepting when descriptors have run out


class Port:
    """Listens, and hands every connection to `on_client`."""

    def __init__(self, number, on_client):
        self.on_client = on_client
        self.listening = False
        # Without SO_REUSEADDR: with it on both sides, somebody else could bind the port while it refuses.
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", number))
        self.sock.setblocking(False)

    def open(self):
        """Accept connections."""
        if not self.listening:
            self.listening = True
            self.sock.listen(BACKLOG)
            asyncio.get_running_loop().add_reader(self.sock, self.accept)

    def refuse(self):
        """Refuse connections, those that wait to be accepted included."""
        if self.listening:
            self.listening = False
            asyncio.get_running_loop().remove_reader(self.sock)
            self.sock.shutdown(socket.SHUT_RD)  # of a listening socket: it stays bound and listens no more

    def accept(self):
        """Take the next connection."""
        try:
            client = self.sock.accept()[0]
        except BlockingIOError:
            return
        except OSError:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.sock)
            loop.call_later(BREATH, self.accept_again)
            return
        client.setblocking(False)
        self.on_client(client)

    def accept_again(self):
        """Go on after a breath, unless it refuses by now."""
        if self.listening:
            asyncio.get_running_loop().add_reader(self.sock, self.accept)
