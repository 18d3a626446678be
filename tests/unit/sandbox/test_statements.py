"""Where one statement of a script ends and the next begins."""

from __future__ import annotations

import pytest

from sandbox.judge.statements import split

SCRIPTS = {
    "one": ("select 1", ["select 1"]),
    "two": ("select 1;\n select 2 ;", ["select 1", "select 2"]),
    "nothing": (" ; -- nothing\n ;; /* here */ ", []),
    "a semicolon in a string": ("select 'a;b'; select 2", ["select 'a;b'", "select 2"]),
    "a doubled quote": ("select 'it''s; fine'; select 2", ["select 'it''s; fine'", "select 2"]),
    "a backslash in a plain string": (r"select 'a\'; select 2", [r"select 'a\'", "select 2"]),
    "a backslash in a string with escapes": (r"select E'a\';b'; select 2", [r"select E'a\';b'", "select 2"]),
    "a name in quotes": ('select ";" from "a""b;"; select 2', ['select ";" from "a""b;"', "select 2"]),
    "a comment to the end of the line": ("select 1 -- one; two\n; select 2", ["select 1 -- one; two", "select 2"]),
    "comments within each other": ("select 1 /* ; /* ; */ ; */; select 2", ["select 1 /* ; /* ; */ ; */", "select 2"]),
    "dollars": ("select $$ ; $a$ ; $$; select 2", ["select $$ ; $a$ ; $$", "select 2"]),
    "dollars with a tag": ("select $a$ ; $$ ; $a$; select 2", ["select $a$ ; $$ ; $a$", "select 2"]),
    "dollars in a name": ("select a$b$; select c$b$", ["select a$b$", "select c$b$"]),
    "a quote within a comment": ("-- it's\nselect 1; select 2", ["-- it's\nselect 1", "select 2"]),
    "a word that ends with e": ("select type'x;'; select 2", ["select type'x;'", "select 2"]),
    "an open comment": ("select 1; select 2 /* ;", ["select 1", "select 2 /* ;"]),
    "open dollars": ("select 1; select $$ ; 2", ["select 1", "select $$ ; 2"]),
}


@pytest.mark.parametrize(("text", "statements"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_is_told_apart_where_postgresql_would(text: str, statements: list[str]) -> None:
    assert split(text) == statements


def test_a_script_of_many_statements_takes_no_longer_than_its_length() -> None:
    assert len(split("select 'x'; " * 20_000)) == 20_000
    assert split("/*" * 50_000) == ["/*" * 50_000]
