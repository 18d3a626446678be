"""The servers themselves: started, ended and started again. They listen on Unix sockets in one folder."""

import asyncio
import os
import pathlib
import shutil
import signal
import socket
import subprocess

HERE = pathlib.Path("/opt/greenroom")
CLUSTER = pathlib.Path("/opt/pgcluster")
PG_DATA = pathlib.Path("/work/pg")
LOOK = 0.004  # seconds between looks at a server that starts or ends
START_SECONDS = 20.0
STOP_SECONDS = 5.0


class Server:
    """A process that must run until it is told to end."""

    process = None

    def start(self):
        """Start it; returns at once."""
        raise NotImplementedError

    def is_ready(self):
        """Return whether it accepts connections."""
        raise NotImplementedError

    @property
    def fallen(self):
        """Whether it ended though nobody told it to."""
        return self.process is not None and self.process.poll() is not None

    async def ready(self):
        """Return once it accepts connections. Raises RuntimeError when it does not come up."""
        for _ in range(int(START_SECONDS / LOOK)):
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with status {self.process.returncode}")
            if self.is_ready():
                return
            await asyncio.sleep(LOOK)
        raise RuntimeError(f"it was not up within {START_SECONDS:g} s")

    async def restart(self, how):
        """End it by signal `how`, start it again, and return once it accepts connections."""
        ended, self.process = self.process, None  # while it has none, it has not fallen
        ended.send_signal(how)
        for _ in range(int(STOP_SECONDS / LOOK)):
            if ended.poll() is not None:
                break
            await asyncio.sleep(LOOK)
        else:
            ended.kill()
            ended.wait()
        self.start()
        await self.ready()


class Postgres(Server):
    """PostgreSQL; what it has stored outlives a restart."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = f"{folder}/.s.PGSQL.5432"

    def start(self):
        """Start it, the first time from a copy of the cluster."""
        self.process = subprocess.Popen([str(HERE / "start-postgres"), self.folder], stdin=subprocess.DEVNULL)

    def is_ready(self):
        """Return whether the last line of its pid file, which says how it is, says that it is up."""
        try:
            lines = (PG_DATA / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    async def again(self):
        """Restart it as an administrator does."""
        await self.restart(signal.SIGINT)

    def seal(self):
        """Let nobody in without a password any more, the learner's role apart."""
        new = PG_DATA / "pg_hba.new"
        shutil.copyfile(CLUSTER / "pg_hba.conf", new)
        new.rename(PG_DATA / "pg_hba.conf")
        self.process.send_signal(signal.SIGHUP)


class Redis(Server):
    """Redis; a restart empties it."""

    def __init__(self, folder, secret):
        self.folder, self.secret = folder, secret
        self.socket = f"{folder}/redis"

    def start(self):
        """Start it; its settings come over a pipe, as one of them is secret."""
        command = ["/bin/sh", "-c", "echo 500 > /proc/self/oom_score_adj; exec redis-server -"]
        # What it logs, scripts can write too: nobody reads that, and a full pipe would stop it.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, **quiet)
        own = f"unixsocket {self.socket}\nuser judge on >{self.secret} ~* &* +@all\n"
        self.process.stdin.write((HERE / "redis.conf").read_bytes() + own.encode())
        self.process.stdin.close()

    def is_ready(self):
        """Return whether its socket answers."""
        with socket.socket(socket.AF_UNIX) as probe:
            return os.path.exists(self.socket) and probe.connect_ex(self.socket) == 0

    async def again(self):
        """End it at once and start it again."""
        await self.restart(signal.SIGKILL)
