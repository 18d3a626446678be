import datetime as dt

MONTHS = [dt.date(2024, month, 1) for month in range(1, 13)]


def test_columns(sql):
    db = sql.database("insert into plans values (2, 'Team'), (1, 'Solo')")
    result = db.run()
    assert result.columns == ["month", "plan_id", "plan", "payments", "net_cents"]
    assert [row[:3] for row in result.rows] == [
        (month, plan_id, name) for month in MONTHS for plan_id, name in [(1, "Solo"), (2, "Team")]
    ]


def test_a_small_shop(sql):
    db = sql.database("""
        insert into plans values (1, 'Solo');
        insert into invoices values
            (100, 1, 1200, '2024-02-10 12:00+02', '2024-02-11 12:00+02'),
            (101, 1, 1200, '2024-02-10 12:00+02', '2024-02-15 12:00+02'),
            (102, 1, 1500, '2024-05-20 12:00+03', '2024-06-03 12:00+03'),
            (103, 1, 9900, '2024-06-10 12:00+03', null);
        insert into refunds values (1, 101, 200);
    """)
    rows = db.run().rows
    assert [(row[0].month, row[3], row[4]) for row in rows if row[3]] == [(2, 2, 2200), (6, 1, 1500)]
    assert len(rows) == 12
