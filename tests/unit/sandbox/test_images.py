"""Images are named by their sources, and hold nothing else."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import images
from sandbox.bootstrap import debian_mirror
from sandbox.errors import ImageMissing


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the runtimes and the judge that a test may change."""
    root = tmp_path / "sandbox"
    shutil.copytree(images.SANDBOX, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


def tags(root: Path) -> dict[str, str]:
    return images.tags(images.read_sources(root / "runtimes", root / "judge"))


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {key for key in before if before[key] != after[key]}


def test_the_same_sources_give_the_same_tags_anywhere(tree: Path) -> None:
    assert tags(tree) == images.tags(images.read_sources())
    assert all(len(tag) == 12 and int(tag, 16) >= 0 for tag in tags(tree).values())


def test_a_changed_driver_renames_only_its_own_image(tree: Path) -> None:
    before = tags(tree)
    (tree / "runtimes/python/extra.py").write_text("new = True\n")
    assert changed(before, tags(tree)) == {"python"}


def test_a_shared_file_renames_every_image_that_holds_it(tree: Path) -> None:
    before = tags(tree)
    (tree / "runtimes/python/shim.py").open("a").write("\n")
    assert changed(before, tags(tree)) == {"python", "node"}


def test_a_changed_judge_source_renames_only_the_judge(tree: Path) -> None:
    before = tags(tree)
    (tree / "job.py").write_text((tree / "job.py").read_text() + "\n")
    assert changed(before, tags(tree)) == {"judge"}


def test_a_changed_base_renames_all_that_stand_on_it(tree: Path) -> None:
    before = tags(tree)
    (tree / "runtimes/base/Dockerfile").open("a").write("\n")
    assert changed(before, tags(tree)) == set(before)


def test_an_executable_bit_counts_as_a_change(tree: Path) -> None:
    before = tags(tree)
    (tree / "runtimes/postgres/postgres-box").chmod(0o644)
    assert changed(before, tags(tree)) == {"postgres", "services"}


def test_files_that_are_not_copied_do_not_rename_an_image(tree: Path) -> None:
    before = tags(tree)
    (tree / "runtimes/python/selftest").mkdir(exist_ok=True)
    (tree / "runtimes/python/selftest/accepted.py").write_text("pass\n")
    (tree / "runtimes/python/notes.md").write_text("not in the image\n")
    (tree / "docker_box.py").write_text("# not in the judge\n")
    assert changed(before, tags(tree)) == set()


def test_a_file_of_a_distribution_is_named_by_its_version_and_packed_whole(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tags(tree)
    with tarfile.open(fileobj=images._context(images.read_sources()["node"])) as archive:
        entry = archive.getmember("node")
        program = archive.extractfile(entry)
        assert entry.mode == 0o755
        assert program is not None
        assert program.read(4) == b"\x7fELF"
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99.0")
    assert changed(before, tags(tree)) == {"node"}


def test_a_new_folder_is_a_new_runtime(tree: Path) -> None:
    new = tree / "runtimes/cobol"
    new.mkdir()
    (new / "Dockerfile").write_text("FROM scratch\n")
    (new / "runtime.toml").write_text('title = "COBOL"\n[image]\nbase = "base"\n')
    assert "cobol" in tags(tree)


def test_every_image_comes_after_the_one_it_stands_on() -> None:
    sources = images.read_sources()
    names = list(sources)
    assert names[0] == "base"
    assert all(names.index(source.base) < names.index(key) for key, source in sources.items() if source.base)


def contexts() -> Iterator[tuple[str, list[tarfile.TarInfo]]]:
    for key, source in images.read_sources().items():
        with tarfile.open(fileobj=images._context(source)) as archive:
            yield key, archive.getmembers()


def test_a_build_context_holds_only_what_its_image_is_made_of() -> None:
    members = {key: {member.name for member in found} for key, found in contexts()}
    assert members["postgres"] == {"Dockerfile", "postgresql.conf", "make-template", "postgres-box"}
    assert {"Dockerfile", "sandbox/__init__.py", "sandbox/job.py", "sandbox/outcome.py"} <= members["judge"]
    assert all(name.endswith(".py") or name == "Dockerfile" for name in members["python"] | members["judge"])
    assert not any("docker_box" in name or "runtimes" in name for name in members["judge"])


def test_a_build_context_tells_nothing_of_this_machine() -> None:
    for _, members in contexts():
        assert all((member.uid, member.gid, member.uname, member.mtime) == (0, 0, "", 0) for member in members)


def test_an_unknown_runtime_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ImageMissing, match=r"'fortran'; there are base, .*python"):
        images.image_name("fortran")


DEB822 = "Types: deb\nURIs: https://mirror.test/debian\nSuites: bookworm\nComponents: main\n"


@pytest.mark.parametrize(
    ("name", "text", "mirror"),
    [
        ("sources.list", "deb http://mirror.test/debian bookworm main\n", "http://mirror.test/debian"),
        ("sources.list", "deb [signed-by=/k.gpg] http://mirror.test/debian/ sid main\n", "http://mirror.test/debian/"),
        ("sources.list.d/debian.sources", DEB822, "https://mirror.test/debian"),
        ("sources.list", "# deb http://mirror.test/debian bookworm main\n", None),
        ("sources.list", "deb http://mirror.test/debian-security bookworm-security main\n", None),
        ("sources.list", "deb http://mirror.test/ubuntu noble main\n", None),
        ("sources.list.d/notes.txt", "deb http://mirror.test/debian bookworm main\n", None),
    ],
)
def test_the_mirror_is_the_one_this_machine_uses(tmp_path: Path, name: str, text: str, mirror: str | None) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / name).write_text(text)
    assert debian_mirror(tmp_path) == mirror
