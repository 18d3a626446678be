"""What may be done to the files of a working copy."""

from __future__ import annotations

import pytest

from app.authoring.folder import FolderError, added, checked, removed, renamed, title_of, tree, uploaded, with_id
from app.catalog.format import from_files
from tests.exercise_folders import FILES

ID = "3f0c6f3a-5d51-4a3c-8f0e-6a0f4f1f2b11"
OTHER = "0b1c2d3e-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../up", "a//b", "a/", "a b", "a\\b", "naïve.py", "x" * 201, "a\nb"]
)
def test_no_file_gets_a_path_that_could_surprise(path: str) -> None:
    with pytest.raises(FolderError, match="cannot be a path"):
        added(FILES, path)
    with pytest.raises(FolderError, match="cannot be a path"):
        checked({path: ""})
    with pytest.raises(FolderError, match="cannot be a path"):
        renamed(FILES, "README.md", path)


def test_a_file_is_never_replaced_by_a_new_one() -> None:
    with pytest.raises(FolderError, match="is there already"):
        added(FILES, "README.md")
    with pytest.raises(FolderError, match="is there already"):
        renamed(FILES, "exercise.yaml", "README.md")


def test_nothing_is_inside_a_file() -> None:
    with pytest.raises(FolderError, match=r"README\.md is a file"):
        added(FILES, "README.md/more.md")
    with pytest.raises(FolderError, match=r"README\.md is a file"):
        renamed(FILES, "solutions/notes.md", "README.md/notes.md")


@pytest.mark.parametrize(
    ("text", "said"), [("\0", "NUL"), ("\ud800", "not valid Unicode"), ("x" * 300_000, "is too large: 292 KB")]
)
def test_text_that_no_exercise_may_hold_is_refused(text: str, said: str) -> None:
    with pytest.raises(FolderError, match=said):
        checked({"README.md": text})


def test_there_is_an_end_to_what_it_holds() -> None:
    with pytest.raises(FolderError, match="at most 500 files and 2 MB"):
        checked({f"data/{number}": "" for number in range(501)})
    with pytest.raises(FolderError, match="at most 500 files and 2 MB"):
        checked({f"data/{number}": "x" * 250_000 for number in range(9)})


def test_line_ends_become_one_sort() -> None:
    assert checked({"a": "1\r\n2\r\n"}) == {"a": "1\n2\n"}


def test_a_folder_is_renamed_and_removed_with_what_is_in_it() -> None:
    files = renamed(FILES, "wrong/adds-two", "wrong/adds-three")
    assert files["wrong/adds-three/app.py"] == FILES["wrong/adds-two/app.py"]
    assert "wrong/adds-two/app.py" not in files and "wrong/takes-none/app.py" in files
    assert len(files) == len(FILES)
    assert [name for name in removed(files, "wrong") if name.startswith("wrong")] == []
    assert renamed(FILES, "wrong", "wrong") == FILES


def test_what_is_not_there_is_neither_renamed_nor_removed() -> None:
    for path in ("", "nothing", "wron"):
        with pytest.raises(FolderError, match="There is no file or folder"):
            renamed(FILES, path, "other")
        with pytest.raises(FolderError, match="There is no file or folder"):
            removed(FILES, path)


def test_uploads_go_into_a_folder_and_replace_what_is_there() -> None:
    files = uploaded(FILES, "data/", {"a.csv": b"\xef\xbb\xbfid\r\n1\r\n", "b.csv": b""})
    assert (files["data/a.csv"], files["data/b.csv"]) == ("id\n1\n", "")
    assert uploaded(FILES, "", {"README.md": b"# New"})["README.md"] == "# New"
    with pytest.raises(FolderError, match="not UTF-8 text"):
        uploaded(FILES, "", {"logo.png": b"\x89PNG"})
    with pytest.raises(FolderError, match="one file or more"):
        uploaded(FILES, "", {})


def test_the_tree_shows_files_before_folders() -> None:
    names = [(entry.name, [inside.path for inside in entry.entries]) for entry in tree(FILES)]
    assert names[:2] == [("README.md", []), ("exercise.yaml", [])]
    assert names[2:4] == [("solutions", ["solutions/notes.md", "solutions/python"]), ("starter", ["starter/python"])]


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("title: Double it", "Double it"),
        ('title: "Say: no"   # as the list shows it', "Say: no"),
        ("title: C# or not  # which?", "C# or not"),
        ("title: ''", "?"),
        ("title:", "?"),
        ("kind: calls", "?"),
    ],
)
def test_the_title_is_found_in_what_is_not_well_formed(line: str, title: str) -> None:
    assert title_of({"exercise.yaml": f"{line}\nchecks: [\n"}, "?") == title


def test_a_new_id_changes_nothing_else() -> None:
    files = {**FILES, "exercise.yaml": FILES["exercise.yaml"].replace(ID, f"{ID}  # not {ID}")}
    forked = with_id(files, ID, OTHER)
    assert f"id: {OTHER}  # not {ID}" in forked["exercise.yaml"]
    assert from_files(forked).spec.id == OTHER
    assert {name: text for name, text in forked.items() if name != "exercise.yaml"} == {
        name: text for name, text in FILES.items() if name != "exercise.yaml"
    }
