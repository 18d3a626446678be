"""Judges a query that doubles every n; no case but accepted may pass."""


def test_double(sql):
    assert sql.database("insert into numbers values (21)").run().rows == [(42,)]
