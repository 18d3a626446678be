"""The sandbox's images: named by a digest of their sources, built only when that changes.

An image is a folder with a Dockerfile: each of `runtimes/`, and `judge/`. The digest covers the files
that are copied into it and the name of the image below it, so a change rebuilds what stands on it
and nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import io
import tarfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound

from sandbox.bootstrap import BOOTSTRAPPED_LABEL, debian_image
from sandbox.errors import EngineUnavailable, ImageMissing

Report = Callable[[str], None]

SANDBOX = Path(__file__).resolve().parent
RUNTIMES = SANDBOX / "runtimes"
LOCK = SANDBOX.parent / "var" / "images.lock"

DIGEST_LABEL = "greenroom.digest"
BUILD_SECONDS = 1200  # the longest silence of the engine during one build step
PRUNE_AFTER = timedelta(hours=1)

JUDGE_SOURCES = ("__init__.py", "errors.py", "job.py", "outcome.py", "wire.py", "judge/**/*.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one image is made of: `files` maps paths in the build context to files here."""

    name: str  # greenroom/python
    base: str | None  # name of the source it stands on
    files: Mapping[str, Path]
    wheels: Mapping[str, Wheel] = field(default_factory=dict)  # paths in the build context → files of distributions


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """One file of a distribution that is installed here; too large to be read whenever a digest is asked for."""

    distribution: str
    path: str

    @property
    def version(self) -> str:
        """The version that is installed, which stands for the file's content."""
        return importlib.metadata.version(self.distribution)

    def read(self) -> bytes:
        """Return the file's content."""
        return Path(str(importlib.metadata.distribution(self.distribution).locate_file(self.path))).read_bytes()


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold `lock` so that two commands started together do not build the same image twice."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _matching(folder: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in folder.glob(pattern) if path.is_file() and "__pycache__" not in path.parts)


def read_sources(runtimes: Path = RUNTIMES, judge: Path = SANDBOX / "judge") -> dict[str, Source]:
    """Return every image by its short name (`base`, `python`, …, `judge`), each after its base."""
    found: dict[str, Source] = {}
    for folder in sorted(path.parent for path in runtimes.glob("*/Dockerfile")):
        image = tomllib.loads((folder / "runtime.toml").read_text()).get("image", {})
        files = {"Dockerfile": folder / "Dockerfile"}
        for path in _matching(folder, tuple(image.get("sources", ()))):
            files[path.relative_to(folder).as_posix()] = path
        files |= {PurePosixPath(name).name: runtimes / name for name in image.get("shared", ())}
        wheels = {name: Wheel(**wheel) for name, wheel in image.get("wheels", {}).items()}
        name, base = f"greenroom/{folder.name}", image.get("base")
        found[folder.name] = Source(name=name, base=base, files=files, wheels=wheels)
    files = {"Dockerfile": judge / "Dockerfile"}
    for path in _matching(judge.parent, JUDGE_SOURCES):
        files[f"sandbox/{path.relative_to(judge.parent).as_posix()}"] = path
    found["judge"] = Source(name="greenroom/judge", base="base", files=files)
    return dict(sorted(found.items(), key=lambda item: (_depth(found, item[0]), item[0])))


def _depth(sources: Mapping[str, Source], key: str) -> int:
    base = sources[key].base
    return 0 if base is None else 1 + _depth(sources, base)


def tags(sources: Mapping[str, Source]) -> dict[str, str]:
    """Return the tag of each image: the first 12 hex digits of the digest of its sources."""
    found: dict[str, str] = {}
    for key, source in sources.items():
        digest = hashlib.sha256(f"{source.name} on {found.get(source.base or '', '')}".encode())
        for name, path in sorted(source.files.items()):
            content = path.read_bytes()
            digest.update(f"\0{name}\0{path.stat().st_mode & 0o100:o}\0{len(content)}\0".encode() + content)
        for name, wheel in sorted(source.wheels.items()):
            digest.update(f"\0{name}\0{wheel.distribution} {wheel.version} {wheel.path}".encode())
        found[key] = digest.hexdigest()[:12]
    return found


@cache
def _wanted() -> Mapping[str, str]:
    """Return name:tag of each image as the sources were when this process first asked."""
    sources = read_sources()
    return {key: f"{sources[key].name}:{tag}" for key, tag in tags(sources).items()}


@cache
def image_name(runtime: str) -> str:
    """Return the name:tag to run for `runtime` (or `judge`), asking the engine once per process.

    Raises ImageMissing if there is no such runtime or its image is not built from the present sources.
    """
    if runtime not in _wanted():
        raise ImageMissing(f"No runtime is called {runtime!r}; there are {', '.join(_wanted())}.")
    wanted = _wanted()[runtime]
    if not _exists(docker.from_env(), wanted):
        raise ImageMissing(f"The image {wanted} is not built: run `python -m sandbox prepare`.")
    return wanted


def _exists(client: docker.DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    except DockerException as error:
        raise EngineUnavailable(f"The Docker engine did not say whether it has {name}: {error}") from error
    return True


def ensure_images(report: Report) -> None:
    """Build every image that is missing, side by side, and remove the versions they replace.

    A few milliseconds when all are there; a few minutes on a machine that has none.
    Raises ImageMissing with the end of the build's output.
    """
    client = docker.from_env(timeout=BUILD_SECONDS)
    sources = read_sources()
    if not _missing(client, sources):
        return
    with _alone(LOCK):
        missing = _missing(client, sources)  # again: another command may have built them meanwhile
        wanted = tags(sources)
        builds: dict[str, Future[None]] = {}

        def build(key: str) -> None:
            base = sources[key].base
            if base in builds:
                builds[base].result()
            below = f"{sources[base].name}:{wanted[base]}" if base else debian_image(client, report)
            _build(client, sources[key], wanted[key], below, report)

        with ThreadPoolExecutor(max_workers=2) as pool:
            for key in missing:  # each after its base, so whoever waits for that does not keep it from being built
                builds[key] = pool.submit(build, key)
        for done in builds.values():
            done.result()
        _prune(client, sources, wanted)
    image_name.cache_clear()
    _wanted.cache_clear()


def _missing(client: docker.DockerClient, sources: Mapping[str, Source]) -> list[str]:
    return [key for key, tag in tags(sources).items() if not _exists(client, f"{sources[key].name}:{tag}")]


def _context(source: Source) -> io.BytesIO:
    """Return the build context: only what the image is made of, with nothing of this machine in it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, path in sorted(source.files.items()):
            _pack(archive, name, path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))
        for name, wheel in sorted(source.wheels.items()):
            _pack(archive, name, wheel.read(), executable=True)
    packed.seek(0)
    return packed


def _pack(archive: tarfile.TarFile, name: str, content: bytes, *, executable: bool) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o755 if executable else 0o644
    archive.addfile(entry, io.BytesIO(content))


def _build(client: docker.DockerClient, source: Source, tag: str, base: str, report: Report) -> None:
    name = f"{source.name}:{tag}"
    started = time.monotonic()
    labels = client.images.get(base).labels
    events = client.api.build(
        fileobj=_context(source),
        custom_context=True,
        tag=name,
        buildargs={"BASE_IMAGE": base},
        labels={DIGEST_LABEL: tag},
        # Where packages came from this machine's own mirror, its own network reaches them; a bridge may not.
        network_mode="host" if labels.get(BOOTSTRAPPED_LABEL) else None,
        use_config_proxy=True,
        rm=True,
        forcerm=True,
        decode=True,
    )
    try:
        _follow(name, events, report)
    except (APIError, OSError) as error:
        raise ImageMissing(f"Building {name} failed: {error}") from error
    report(f"{name} built in {time.monotonic() - started:.1f} s")


def _follow(name: str, events: Iterator[Mapping[str, Any]], report: Report) -> None:
    """Report each step of a build; raise ImageMissing with its last lines if it fails."""
    lines: list[str] = []
    for event in events:
        text = str(event.get("stream", "")).strip()
        lines += text.splitlines()
        if text.startswith(("Step ", "Setting up ", "Get:")):
            report(f"{name}: {text.splitlines()[0][:100]}")
        if "error" in event:
            raise ImageMissing(f"Building {name} failed: {event['error']}\n" + "\n".join(lines[-15:]))


def _prune(client: docker.DockerClient, sources: Mapping[str, Source], wanted: Mapping[str, str]) -> None:
    """Remove our images of earlier sources, newest layers first.

    Those of the last hour stay, for a worker that still runs on them, as do those with containers.
    """
    for key in reversed(list(sources)):
        current = f"{sources[key].name}:{wanted[key]}"
        for image in client.images.list(sources[key].name):
            age = datetime.now(UTC) - datetime.fromisoformat(image.attrs["Created"])
            for name in image.tags if age > PRUNE_AFTER else ():
                if name.startswith(f"{sources[key].name}:") and name != current:
                    with suppress(APIError):
                        client.images.remove(name)
