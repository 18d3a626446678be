"""What is packed comes out the same, and what means harm does not come in."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.authoring.transfer import from_zip, to_zip
from app.catalog.format import LEFT_BEHIND, FormatError, is_path, load, path_problems, read, replace, write
from tests import exercise_folders as folders
from tests.exercise_folders import FILES

PARTS = st.from_regex(r"[A-Za-z0-9_.][A-Za-z0-9_.+@-]{0,12}", fullmatch=True).filter(
    lambda part: part not in {".", "..", *LEFT_BEHIND}
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=300)
FOLDERS = st.dictionaries(PATHS, TEXTS, min_size=1, max_size=8).filter(lambda files: not list(path_problems(files)))


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes | str]) -> bytes:
    """A zip of these entries, whatever they are called."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        warnings.simplefilter("ignore")  # a name that is there twice
        for name, content in entries:
            made.writestr(name, content)
    return out.getvalue()


def special(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry that claims to be what `mode` says."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refused(content: bytes) -> list[str]:
    """What an importer is told."""
    with pytest.raises(FormatError) as error:
        from_zip(content)
    return [str(problem) for problem in error.value.problems]


@settings(deadline=None)
@given(files=FOLDERS, folder=PARTS)
def test_what_is_packed_comes_out_the_same(files: dict[str, str], folder: str) -> None:
    unpacked = from_zip(to_zip(files, folder=folder))
    assert (unpacked.files, unpacked.folder) == (files, folder)


@given(files=FOLDERS)
def test_the_same_files_make_the_same_archive(files: dict[str, str]) -> None:
    backwards = dict(sorted(files.items(), reverse=True))
    assert to_zip(files, folder="it") == to_zip(backwards, folder="it")


def test_a_folder_comes_out_of_an_archive_as_it_went_in(tmp_path: Path) -> None:
    files = {**FILES, "data/odd.txt": "\ufefftabs\tand\r\nline ends\rof every\nsort, no end", "data/empty": ""}
    write(files, tmp_path / "before")
    source = load(tmp_path / "before")
    unpacked = from_zip(to_zip(source.files, folder="double-it")).files
    write(unpacked, tmp_path / "after")
    before, after = (
        {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "before", tmp_path / "after")
    )
    assert before == after
    assert load(tmp_path / "after").digest == source.digest


def test_a_file_that_packs_beyond_measure_comes_back_too() -> None:
    files = {"data/zeros.txt": "0" * 250_000}
    assert from_zip(to_zip(files, folder="it")).files == files


@pytest.mark.parametrize("folder", ["", "double-it/", "Double it (2)/", "größe-main/"])
def test_a_folder_around_everything_is_taken_off(folder: str) -> None:
    unpacked = from_zip(archive(*((folder + name, text) for name, text in FILES.items())))
    assert (unpacked.files, unpacked.folder) == (FILES, folder.rstrip("/"))


def test_entries_of_folders_and_of_tools_are_passed_over() -> None:
    unpacked = from_zip(
        archive(
            ("it/", ""),
            ("it/data/", ""),
            ("it/data/a.txt", "a"),
            ("it/.DS_Store", b"\xff\x00"),
            ("it/tests/__pycache__/x.pyc", b"\xff\x00"),
            ("__MACOSX/it/._a.txt", b"\x00\x05"),
        )
    )
    assert unpacked.files == {"data/a.txt": "a"}


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up.txt",
        "a/../../up.txt",
        "a/./b.txt",
        "a//b.txt",
        "a\\b.txt",
        "..\\up.txt",
        "C:/windows.txt",
        "C:up.txt",
        "a b.txt",
        "caf\N{LATIN SMALL LETTER E WITH ACUTE}.txt",
        "-rf",
        "a/\x1b[2J.txt",
        "\N{RIGHT-TO-LEFT OVERRIDE}txt.exe",
    ],
)
def test_a_path_with_a_surprise_in_it_is_refused(name: str) -> None:
    said = refused(archive(("README.md", "# It"), (name, "x")))
    assert len(said) == 1
    assert said[0].endswith(": must be a relative path of letters, digits and . _ + @ -")
    assert said[0].isprintable()


@pytest.mark.parametrize("name", ["../exercise.yaml", "/exercise.yaml", "C:/exercise.yaml", "..\\x/exercise.yaml"])
def test_no_dangerous_folder_is_taken_off_instead(name: str) -> None:
    assert "must be a relative path" in refused(archive((name, "schema: 1")))[0]


def test_a_path_that_is_too_deep_or_too_long_is_refused() -> None:
    message = "must be at most 200 characters long and at most 8 folders deep"
    for name in ("/".join("abcdefghij"), "a" * 201):
        assert refused(archive(("README.md", ""), (name, "x"))) == [
            f"{name[:120]}{'…' if name[120:] else ''}: {message}"
        ]


def test_a_name_that_goes_on_behind_a_nul_is_refused() -> None:
    content = archive(("README.md", ""), ("a.txt#.exe", "x")).replace(b"a.txt#", b"a.txt\0")
    assert refused(content) == ["a.txt: has two names"]


def test_two_files_of_one_name_are_refused() -> None:
    assert refused(archive(("a.txt", "1"), ("b.txt", ""), ("a.txt", "2"))) == ["a.txt: is in the archive twice"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a.txt", "A.txt"), "A.txt: must not differ from a.txt in capitals alone"),
        (("data/a.txt", "DATA/b.txt"), "DATA/b.txt: must not differ from data in capitals alone"),
        (("data", "data/b.txt"), "data/b.txt: stands in data, which is a file"),
        (("data/b.txt", "Data"), "data/b.txt: stands in data, which is a file"),
    ],
)
def test_files_that_cannot_stand_beside_each_other_are_refused(names: tuple[str, str], said: str) -> None:
    assert said in refused(archive(("README.md", ""), *((name, "x") for name in names)))


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (stat.S_IFLNK | 0o777, "is a symbolic link; expected a plain file"),
        (stat.S_IFIFO | 0o644, "is not a plain file"),
        (stat.S_IFCHR | 0o644, "is not a plain file"),
        (stat.S_IFBLK | 0o644, "is not a plain file"),
        (stat.S_IFSOCK | 0o644, "is not a plain file"),
        (stat.S_IFDIR | 0o755, "is not a plain file"),
    ],
)
def test_what_is_not_a_plain_file_is_refused(mode: int, said: str) -> None:
    assert refused(archive(("README.md", ""), (special("data/x", mode), "/etc/passwd"))) == [f"data/x: {said}"]


def test_what_needs_a_password_is_refused() -> None:
    content = bytearray(archive(("README.md", "# It"), ("a.txt", "secret")))
    at = content.rindex(b"PK\x01\x02")  # the last entry of the directory
    content[at + 8] |= 1
    assert refused(bytes(content)) == ["a.txt: is encrypted; expected an archive without a password"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_other_ways_of_packing_are_refused(method: int) -> None:
    content = bytearray(archive(("README.md", "# It"), ("a.txt", "text")))
    at = content.rindex(b"PK\x01\x02")
    content[at + 10 : at + 12] = struct.pack("<H", method)
    assert refused(bytes(content))[0].startswith("a.txt: is packed in a way that is not read here")


@pytest.mark.parametrize("claimed", [0, 1, 2**31])
def test_a_size_that_is_only_claimed_is_not_believed(claimed: int) -> None:
    content = bytearray(archive(("README.md", "# It"), ("a.txt", "b" * 300_000)))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", claimed)
    said = refused(bytes(content))
    assert said in (["a.txt: is damaged"], ["a.txt: is too large: more than 256 KB"])


def test_a_file_that_is_too_large_is_refused_by_what_comes_out() -> None:
    assert refused(archive(("a.txt", "x" * (256 * 1024 + 1)), ("b.txt", "fine"))) == [
        "a.txt: is too large: more than 256 KB"
    ]


def test_a_bomb_is_refused() -> None:
    assert refused(archive(("a.txt", "0" * 200_000), ("b.txt", ""))) == [
        "a.txt: swells to more than 200 times its packed size"
    ]


def test_a_bomb_of_many_megabytes_is_not_unpacked_to_the_end() -> None:
    content = archive(*((f"{number}.txt", bytes(20_000_000)) for number in range(3)))
    assert len(content) < 70_000
    assert refused(content) == [f"{number}.txt: is too large: more than 256 KB" for number in range(3)]


def test_too_much_in_all_is_refused() -> None:
    large = [(f"{number}.txt", f"{number:07}" * 30_000) for number in range(12)]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as made:
        for name, text in large:
            made.writestr(name, text)
    assert refused(packed.getvalue()) == ["archive: holds more than 2 MB"]


@pytest.mark.parametrize("count", [501, 5000])
def test_too_many_files_are_refused(count: int) -> None:
    assert refused(archive(*((f"{number}", "") for number in range(count)))) == ["archive: holds more than 500 files"]


def test_too_many_folders_are_refused() -> None:
    folders_ = [(f"{number}/", "") for number in range(1100)]
    assert refused(archive(("a.txt", ""), *folders_)) == ["archive: holds more than 500 files"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"caf\xe9", "a.txt: is not UTF-8 text: unexpected end of data at byte 3"),
        ("text".encode("utf-16"), "a.txt: is not UTF-8 text: invalid start byte at byte 0"),
        (b"one\ntwo\0", "a.txt:2: holds a NUL character"),
        (archive(("inner.txt", "x")), "a.txt"),
    ],
    ids=["latin-1", "utf-16", "nul", "a zip in the zip"],
)
def test_what_is_not_text_is_refused(content: bytes, said: str) -> None:
    assert refused(archive(("README.md", ""), ("a.txt", content)))[0].startswith(said)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    said = refused(archive(("../a", ""), ("A b", ""), (special("link", stat.S_IFLNK), "/")))
    assert [line.partition(":")[0] for line in said] == ["../a", "A b", "link"]


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"not a zip", b"\x1f\x8b\x08\x00", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    assert refused(content) == ["archive: is not a zip archive, or is damaged"]


def test_an_archive_without_files_is_refused() -> None:
    assert refused(archive()) == refused(archive(("a/", ""))) == ["archive: holds no file"]


def test_a_cut_archive_is_refused() -> None:
    content = to_zip(FILES, folder="it")
    assert refused(content[: len(content) // 2]) == ["archive: is not a zip archive, or is damaged"]


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_whatever_is_changed_on_the_way_nothing_else_happens(data: st.DataObject) -> None:
    content = bytearray(to_zip({"README.md": "# It\n" * 20, "a/b.txt": "text"}, folder="it"))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    try:
        files: Mapping[str, str] = from_zip(bytes(content)).files
    except FormatError as error:
        assert error.problems
    else:
        assert all(is_path(name) for name in files)


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    folder = folders.write(tmp_path / "double-it")
    (folder / "data").mkdir()
    (folder / "data/old.sql").write_text("old")
    (folder / "tests/hidden/__pycache__").mkdir()
    (folder / "tests/hidden/__pycache__/x.pyc").write_bytes(b"\xff")
    files = {**folders.without("wrong/adds-two"), "README.md": "# New\r\n", "tests/visible/more/new.py": ""}
    replace(files, folder)
    assert read(folder) == (files, [])
    assert not (folder / "data").exists() and not (folder / "wrong/adds-two").exists()
    assert (folder / "tests/hidden/__pycache__/x.pyc").exists()
