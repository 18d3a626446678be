import datetime as dt
from decimal import Decimal


def test_columns_and_two_days(sql):
    db = sql.database("""
        insert into stations values (1, 'Lisbon, port', 'Europe/Lisbon');
        insert into readings values
            (1, '2024-01-10 23:30+00', 1.5), (1, '2024-01-11 00:00+00', 0.5), (1, '2024-01-11 00:30+00', 2.0);
    """)
    result = db.run()
    assert result.columns == ["station_id", "day", "mm", "readings", "expected", "complete"]
    assert result.rows == [
        (1, dt.date(2024, 1, 10), Decimal("2.0"), 2, 48, False),
        (1, dt.date(2024, 1, 11), Decimal("2.0"), 1, 48, False),
    ]


def test_a_day_of_another_zone(sql):
    db = sql.database("""
        insert into stations values (1, 'Kathmandu, airport', 'Asia/Kathmandu');
        insert into readings
        select 1, timestamptz '2024-01-09 18:45+05:45' + n * interval '30 minutes', 0.1 from generate_series(1, 48) n;
    """)
    # From 18:45 on the 9th to 18:45 on the 10th, by the clock there. The half hour that begins at 23:45 is the 9th's.
    assert [(row[1], row[3], row[5]) for row in db.run().rows] == [
        (dt.date(2024, 1, 9), 11, False),
        (dt.date(2024, 1, 10), 37, False),
    ]
