"""The association's archive. It stands for a system that is not yours: leave this file as it is."""

import os


class ArchiveError(Exception):
    """The archive did not take the report."""


def keep(report):
    if os.environ.get("ARCHIVE") == "down":
        raise ArchiveError(f"no route to hives-archive.internal:7433, table frames_2019, report {report['id']}")
