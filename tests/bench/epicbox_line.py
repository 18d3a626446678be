"""Answers one JSON line per job with what epicbox made of it; run by the Python that has epicbox."""

import json
import sys

import epicbox

LIMITS = {"cputime": 20, "realtime": 60, "memory": 256, "processes": 64}


def main() -> None:
    """Serve until standard input ends."""
    images = set()
    for line in sys.stdin:
        job = json.loads(line)
        if job["image"] not in images:
            images.add(job["image"])
            epicbox.configure([epicbox.Profile(job["image"], job["image"], user="65534")])
        files = [{"name": name, "content": text.encode()} for name, text in job["files"].items()]
        try:
            done = epicbox.run(job["image"], job["command"], files=files, limits=LIMITS)
            said = {"exit_code": done["exit_code"], "stdout": done["stdout"].decode(), "error": done["stderr"].decode()}
        except epicbox.exceptions.EpicBoxError as error:
            said = {"error": repr(error)}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
