"""Keeps the services of one submission: starts them, stands between them and the learner's server, obeys the judge.

`keeper.py SERVICE … FOLDER`: the servers' Unix sockets and the keeper's own stand in FOLDER, which the judge shares
and the learner's box does not. The judge sends one JSON object per line, {"op": …}, and gets {"value": …} or
{"error": …} for each.
"""

import asyncio
import json
import os
import secrets
import sys
import traceback

sys.path.insert(0, "/opt/greenroom")
import servers
from gate import Gate
from upstream import Upstream, rule_of

PORTS = {"postgres": 5432, "redis": 6379, "upstream": 8081}
MOST_CLIENTS = {"postgres": 60, "redis": 200}  # of 80 and 250 that the servers take
LINE_BYTES = 8 << 20
MOST_TRACEBACKS = 10  # nobody reads them during a job, and a full pipe would stop the keeper


class Keeper:
    """The services, and what the judge may ask of them."""

    def __init__(self, names, folder):
        self.secret = secrets.token_hex(24)
        self.servers, self.gates, self.upstream = {}, {}, None
        if "postgres" in names:
            self.servers["postgres"] = servers.Postgres(folder)
        if "redis" in names:
            self.servers["redis"] = servers.Redis(folder, self.secret)
        for server in self.servers.values():
            server.start()
        for name, server in self.servers.items():
            self.gates[name] = Gate(PORTS[name], server.socket, MOST_CLIENTS[name])
        if "upstream" in names:
            self.gates["upstream"] = self.upstream = Upstream(PORTS["upstream"])
        for gate in self.gates.values():
            gate.up()

    async def converse(self, reader, writer):
        """Answer the judge until it is gone."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(json.loads(line))).encode() + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass
        finally:
            writer.close()

    async def answer(self, message):
        """Return what one message of the judge's brings."""
        try:
            op = message["op"]
            if op in {"pause", "resume", "down", "up"}:
                return {"value": getattr(self.gates[message["service"]], op)()}
            return {"value": await getattr(self, "on_" + op)(**{k: v for k, v in message.items() if k != "op"})}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    async def on_hello(self):
        """Return the judge's password, once every server accepts connections."""
        for server in self.servers.values():
            await server.ready()
        return self.secret

    async def on_seal(self):
        """Ask for passwords from now on."""
        self.servers["postgres"].seal()

    async def on_delay(self, service, seconds):
        """Slow a service down."""
        self.gates[service].slow(seconds)

    async def on_restart(self, service):
        """Restart a server; its clients are cut, and refused until it is up."""
        gate = self.gates[service]
        was_open = gate.port.sock is not None
        gate.down()
        await self.servers[service].again()
        if was_open:
            gate.up()

    async def on_reset(self):
        """Make everything as it was at the beginning, but for what is stored."""
        for gate in self.gates.values():
            gate.reset()
        return self.fallen()

    async def on_fallen(self):
        """Return the names of the servers that ended by themselves."""
        return self.fallen()

    async def on_renew(self, service):
        """Make one service as it was at the beginning."""
        self.gates[service].reset()

    async def on_rule(self, **rule):
        """Add a rule of the upstream's."""
        self.upstream.on(rule_of(rule))

    async def on_seen(self):
        """Return what the upstream was asked."""
        return self.upstream.seen()

    def fallen(self):
        """Return the names of the servers that ended by themselves."""
        return [name for name, server in self.servers.items() if server.fallen]


class Complaints:
    """What went wrong here, for the log: the first few."""

    left = MOST_TRACEBACKS

    def __call__(self, _loop, context):
        """Write one of them."""
        self.left -= 1
        error = context.get("exception")
        if self.left >= 0 and not isinstance(error, OSError):
            sys.stderr.write(context["message"] + "\n")
            traceback.print_exception(error)


async def main(names, folder):
    """Serve for ever."""
    asyncio.get_running_loop().set_exception_handler(Complaints())
    keeper = Keeper(names, folder)
    # The judge waits for this name: what stands there must already listen.
    server = await asyncio.start_unix_server(keeper.converse, f"{folder}/keeper.new", limit=LINE_BYTES)
    os.chmod(f"{folder}/keeper.new", 0o777)  # noqa: S103 - the judge has another user
    os.rename(f"{folder}/keeper.new", f"{folder}/keeper")
    await server.serve_forever()


if __name__ == "__main__":
    place = sys.argv[-1]
    os.mkdir(place)
    os.chmod(place, 0o777)  # noqa: S103 - the judge has another user
    asyncio.run(main(sys.argv[1:-1], place))
