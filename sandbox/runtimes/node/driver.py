"""Kind calls for Node.js: starts the process that speaks with the judge, and a fresh one when that asks for it.

Node cannot become another program, so a restart is done from here. `driver.js` has the channel itself: what it is
asked and what it answers does not pass through this process.
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, "/opt/greenroom")
import box
import program

DRIVER = "/opt/greenroom/driver.js"
AGAIN = 86  # driver.js ends with this status to be started anew
ENVIRONMENT = dict(os.environ)


def start(channel, output, *ready):
    """Return a Node process that waits for its setup on standard input; once it is up it writes to `ready`."""
    return subprocess.Popen(
        [*program.NODE, DRIVER, str(channel.fd_in), str(channel.fd_out), *map(str, ready)],
        cwd="/work",
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        pass_fds={channel.fd_in, channel.fd_out, *ready},
    )


def tell(process, setup):
    """Give `process` its setup and return the status with which it ends."""
    try:
        process.stdin.write(json.dumps(setup).encode())
        process.stdin.close()
    except BrokenPipeError:
        pass
    return process.wait()


def main():
    """Serve until the process that speaks with the judge has ended for good."""
    channel = box.take_channel()
    captured = box.Captured()
    output = captured.open()
    up, ready = os.pipe()
    process = start(channel, output, ready)
    os.close(ready)
    if not os.read(up, 1):
        sys.exit("Node did not start")
    os.close(up)
    setup = box.greet(channel)
    box.write_files(setup["files"])
    told = {"entry": setup["entry"], "files": list(setup["files"]), "offset": 0}
    while tell(process, told) == AGAIN:
        box.kill_others()
        told = {"entry": setup["entry"], "files": [], "offset": captured.size()}
        process = start(channel, output)


if __name__ == "__main__":
    main()
