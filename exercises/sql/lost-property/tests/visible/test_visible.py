OPENED = {}  # the office is filled once for all checks of a run: none of them changes it

FINDS = """
    insert into finds
    select n,
           case when n % 3 = 0 then 1 else 2 + (n * 7919 % 59) end,
           'category ' || lpad((n * 29 % 300)::text, 3, '0'),
           case when n % 53 = 0 then 'held' when n % 7 = 0 then 'sold' else 'returned' end,
           timestamptz '2024-01-01 00:00+00' + (n * 7129 % 8000) * interval '9 minutes',
           (array['Umbrella', 'umbrella', 'Glove', 'Scarf', 'Book', 'Bag', 'Hat', 'Key'])[1 + n % 8] || ', '
               || (array['green', 'grey', 'blue', 'black', 'brown', 'red'])[1 + n * 31 % 6] || ', no. ' || n
    from generate_series(1, 8000) n
"""


def office(sql):
    """The office, with the submission's indexes on it."""
    if not OPENED:
        db = sql.database(FINDS)
        db.run()
        db.query("vacuum analyze finds")
        OPENED["db"] = db
    return OPENED["db"]


def shelf(station):
    return (
        f"select find_id, found_at, label from finds where station_id = {station} and state = 'held'"
        " order by found_at, find_id limit 20"
    )


def begins(text):
    return f"select find_id, station_id, label from finds where label like '{text}%'"


def test_the_shelf_is_read_in_order(sql):
    plan = office(sql).plan(shelf(1))
    assert plan.types & {"Seq Scan", "Bitmap Heap Scan", "Sort", "Incremental Sort"} == set()


def test_the_rows_are_right(sql):
    db = office(sql)
    assert db.query("select count(*) from finds") == [(8000,)]
    assert len(db.query(shelf(1))) == 20
    assert db.query(begins("Glove, blue, no. 25")) != []
