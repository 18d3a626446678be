HELD = {}
SHELVES = (1, 2, 7, 33, 60, 61)
BEGINNINGS = (
    "Umbrella, green, no. 299",
    "umbrella, grey, no. 172",
    "Scarf, black, no. 153",
    "Hat, mauve",
    "Key, red, no. 268",
)
WEEKS = (
    (3, "2024-02-10 06:00+00", 8),
    (117, "2024-05-02 11:00+00", 5),
    (299, "2024-01-01 00:00+00", 8),
    (22, "2025-01-01", 6),
)

SHAPE = """
    select a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attcollation::regcollation::text,
           a.atthasdef
    from pg_attribute a where a.attrelid = 'finds'::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
ROWS = "select count(*), sum(hashtextextended(finds::text, 0)) from finds"
RELATIONS = """
    select relname::text from pg_class
    where relnamespace = 'public'::regnamespace and relkind not in ('i', 'I', 't') order by 1
"""
CONSTRAINTS = "select contype::text, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'finds'::regclass"
FILL = """
    insert into finds
    select n,
           case when n % 3 = 0 then 1 else 2 + (n * 7919 % 59) end,
           'category ' || lpad((n * 29 % 300)::text, 3, '0'),
           case when n % 53 = 0 then 'held' when n % 7 = 0 then 'sold' else 'returned' end,
           timestamptz '2024-01-01 00:00+00' + (n * 7129 % 30000) * interval '9 minutes',
           (array['Umbrella', 'umbrella', 'Glove', 'Scarf', 'Book', 'Bag', 'Hat', 'Key'])[1 + n % 8] || ', '
               || (array['green', 'grey', 'blue', 'black', 'brown', 'red'])[1 + n * 31 % 6] || ', no. ' || n
    from generate_series(1, 30000) n
"""


def office(sql):
    """The office with the submission's indexes, and what it looked like before."""
    if not HELD:
        db = sql.database(FILL)
        HELD["before"] = [db.query(text) for text in (ROWS, SHAPE, RELATIONS, CONSTRAINTS)]
        db.run()
        db.query("vacuum analyze finds")
        HELD["db"] = db
    return HELD["db"]


def warm(db, query):
    db.plan(query)  # the first one also pays for reading the catalogue
    return db.plan(query)


def shelf(station):
    return (
        f"select find_id, found_at, label from finds where station_id = {station} and state = 'held'"
        " order by found_at, find_id limit 20"
    )


def begins(text):
    return f"select find_id, station_id, label from finds where label like '{text}%'"


def weeks(category, begin, count):
    return (
        f"select find_id, station_id, found_at from finds where category = 'category {category:03}'"
        f" and found_at >= timestamptz '{begin}' and found_at < timestamptz '{begin}' + interval '{count} weeks'"
    )


QUERIES = [*map(shelf, SHELVES), *map(begins, BEGINNINGS), *(weeks(*each) for each in WEEKS)]


def test_shelf(sql):
    db = office(sql)
    for station in SHELVES:
        plan = warm(db, shelf(station))
        assert "Seq Scan" not in plan.types
        assert plan.pages <= 30
    assert db.plan(shelf(1)).types & {"Bitmap Heap Scan", "Sort", "Incremental Sort"} == set()


def test_beginning_of_a_label(sql):
    db = office(sql)
    for text in BEGINNINGS:
        plan = warm(db, begins(text))
        assert "Seq Scan" not in plan.types
        assert plan.pages <= 40
        labels = [label for _, _, label in db.query(begins(text))]
        assert all(label.startswith(text) for label in labels) and len(labels) <= 20


def test_weeks_of_a_category(sql):
    db = office(sql)
    for each in WEEKS:
        plan = warm(db, weeks(*each))
        assert "Seq Scan" not in plan.types
        assert plan.pages <= 50


def test_rows_flow(sql):
    db = office(sql)
    for query in QUERIES:
        assert db.plan(query).rows_flow <= 150


def test_number_of_indexes(sql):
    found = office(sql).query(
        "select indexrelid::regclass::text from pg_index where indrelid = 'finds'::regclass and not indisprimary"
    )
    assert len(found) <= 3


def test_size_of_indexes(sql):
    found = office(sql).query(
        "select coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint from pg_index"
        " where indrelid = 'finds'::regclass and not indisprimary"
    )
    assert found[0][0] <= 3 * 2**20


def test_the_rest_is_as_it_was(sql):
    db = office(sql)
    assert [db.query(text) for text in (ROWS, SHAPE, RELATIONS, CONSTRAINTS)] == HELD["before"]
    assert db.query("select count(*) from pg_db_role_setting") == [(0,)]
    assert db.query("select reloptions from pg_class where oid = 'finds'::regclass") == [(None,)]
