"""The Debian image under all others: from a registry if one answers, else from Debian packages."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, ImageNotFound

from sandbox.errors import ImageMissing

Report = Callable[[str], None]

RELEASE = "trixie"
REGISTRY_IMAGE = f"debian:{RELEASE}-slim"
OWN_IMAGE = f"greenroom/debian:{RELEASE}"
FIRST_ANSWER_SECONDS = 20  # a registry that has not said a word by then is not there
SILENCE_SECONDS = 60
BOOTSTRAPPED_LABEL = "greenroom.bootstrapped"  # on images made here, and on all that stand on them
HOST_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
DOCUMENTATION = ("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale")
CACHES = ("var/cache/apt", "var/lib/apt/lists")


def debian_image(client: docker.DockerClient, report: Report) -> str:
    """Return the name of a Debian image that the engine has, fetching or making it if need be.

    Raises ImageMissing if no registry answers and this machine cannot make one.
    """
    for name in (REGISTRY_IMAGE, OWN_IMAGE):
        try:
            client.images.get(name)
        except ImageNotFound:
            continue
        return name
    report(f"asking the registry for {REGISTRY_IMAGE}")
    if _pulled(client, REGISTRY_IMAGE, report):
        return REGISTRY_IMAGE
    report("no registry answers: making the image from Debian packages (about a minute)")
    _bootstrap(client, report)
    return OWN_IMAGE


def _pulled(client: docker.DockerClient, name: str, report: Report) -> bool:
    """Return whether the registry gave `name`; a registry that fails or says nothing is no error."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pull() -> None:
        try:
            repository, tag = name.split(":")
            for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
                lines.put(str(event.get("error") or event.get("status", "")))
        except DockerException as error:
            lines.put(str(error))
        lines.put(None)

    threading.Thread(target=pull, daemon=True, name="pull").start()
    patience = FIRST_ANSWER_SECONDS
    try:
        while (line := lines.get(timeout=patience)) is not None:
            report(f"{name}: {line[:100]}")
            patience = SILENCE_SECONDS
        client.images.get(name)
    except (queue.Empty, ImageNotFound):
        return False
    return True


def _bootstrap(client: docker.DockerClient, report: Report) -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ImageMissing(
            f"No registry gave {REGISTRY_IMAGE}, and making it needs root on Debian or Ubuntu: "
            f"connect the Docker engine to a registry, or load an image by that name with `docker load`."
        )
    if shutil.which("debootstrap") is None:
        report("installing debootstrap")
        _run(["apt-get", "update"], report)
        _run(["apt-get", "install", "-y", "--no-install-recommends", "debootstrap", "debian-archive-keyring"], report)
    with tempfile.TemporaryDirectory(prefix="greenroom-") as folder:
        root = Path(folder) / "root"
        mirror = debian_mirror(Path("/etc/apt"))
        _run(["debootstrap", "--variant=minbase", RELEASE, str(root), *([mirror] if mirror else [])], report)
        _lighten(root)
        report(f"importing {OWN_IMAGE}")
        _import(client, root)


def debian_mirror(apt: Path) -> str | None:
    """Return the Debian mirror that this machine's own apt uses, None if it names none (Ubuntu)."""
    for path in (apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))):
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        for line in path.read_text().splitlines():
            if line.startswith(("deb ", "URIs:")) and (found := re.search(r"https?://\S+/debian/?(?=\s|$)", line)):
                return found.group()
    return None


def _lighten(root: Path) -> None:
    """Drop caches and documentation, and trust what this machine trusts: its mirror may need that."""
    for name in (*DOCUMENTATION, *CACHES):
        for path in (root / name).glob("*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if HOST_CERTIFICATES.is_file():
        target = root / HOST_CERTIFICATES.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(HOST_CERTIFICATES, target)
    for name in ("etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)


def _import(client: docker.DockerClient, root: Path) -> None:
    with subprocess.Popen(["tar", "-C", str(root), "--one-file-system", "-c", "."], stdout=subprocess.PIPE) as tar:
        try:
            client.api.import_image_from_stream(
                tar.stdout, repository=OWN_IMAGE.split(":")[0], tag=RELEASE, changes=[f"LABEL {BOOTSTRAPPED_LABEL}=yes"]
            )
        except APIError as error:
            raise ImageMissing(f"The engine did not take the bootstrapped Debian: {error}") from error


def _run(command: list[str], report: Report) -> None:
    """Run `command`, reporting its lines; raises ImageMissing with the last of them if it fails."""
    last: list[str] = []
    for line in _lines(command):
        last = [*last[-9:], line]
        report(line[:100])
    if last and last[-1].startswith("exit status "):
        raise ImageMissing(f"`{' '.join(command)}` failed:\n" + "\n".join(last))


def _lines(command: list[str]) -> Iterator[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        yield from (line.rstrip() for line in process.stdout)
    if process.returncode:
        yield f"exit status {process.returncode}"
