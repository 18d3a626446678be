import datetime as dt

SEASON = """
    insert into passes values (1, 'Ada'), (2, 'Bob'), (3, 'Cleo'), (4, 'Dan');
    insert into scans values
        (10, 1, 'Glacier', '2024-03-29 12:00+01', true),
        (11, 1, 'Forest', '2024-03-31 09:00+02', true),
        (12, 1, 'Glacier', '2024-03-31 10:00+02', true),
        (13, 2, 'Glacier', '2024-03-31 11:00+02', true),
        (14, 3, 'Forest', '2024-03-31 11:30+02', false),
        (15, 4, 'Forest', '2024-04-02 11:30+02', true);
"""


def test_a_small_resort(sql):
    result = sql.database(SEASON).run()
    assert result.columns == ["pass_id", "holder", "rides", "first_lift", "last_before"]
    assert result.rows == [
        (1, "Ada", 2, "Forest", dt.datetime(2024, 3, 29, 11, tzinfo=dt.UTC)),
        (2, "Bob", 1, "Glacier", None),
    ]


def test_nobody_rode(sql):
    assert sql.database("insert into passes values (1, 'Ada')").run().rows == []
