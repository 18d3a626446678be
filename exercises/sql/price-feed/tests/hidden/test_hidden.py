import pytest

from sandbox.judge.faults import QueryFault

STATE = "select part_id, sku, name, price_cents, withdrawn, revision from parts order by part_id"
WRITTEN = "select part_id, xmin::text from parts order by part_id"


def shop(sql, parts, feed):
    """A shop from parts (sku, name, price, withdrawn) and the lines (sku, name, price) of a feed."""
    db = sql.database()
    for sku, name, price, withdrawn in parts:
        db.query(
            f"insert into parts (sku, name, price_cents, withdrawn) values ('{sku}', '{name}', {price}, {withdrawn})"
        )
    db.fill("feed", [(n, *line) for n, line in enumerate(feed, 1)])
    return db


def after(state, feed):
    """Return what R1 to R5 make of `state`, without the numbers of new parts."""
    last = {sku: (name, price) for sku, name, price in feed if sku is not None}
    rows = []
    for part_id, sku, name, price, withdrawn, revision in state:
        wanted = (*last.pop(sku), False) if sku in last else (name, price, True)
        if not any(line[0] for line in feed):
            wanted = (name, price, withdrawn)
        rows.append((part_id, sku, *wanted, revision + (wanted != (name, price, withdrawn))))
    return rows, sorted((sku, name, price, False, 1) for sku, (name, price) in last.items())


def imported(db, feed):
    """Run the script and compare what is there with R1 to R5."""
    before = db.query(STATE)
    db.run()
    old, new = after(before, feed)
    state = db.query(STATE)
    assert state[: len(old)] == old
    assert sorted(row[1:] for row in state[len(old) :]) == new


def imports(sql, parts, feed):
    db = shop(sql, parts, feed)
    imported(db, feed)
    return db


def finish(*sessions):
    while not all(session.done for session in sessions):
        for session in sessions:
            session.go_on()
    return [session.fault for session in sessions]


def test_last_line_counts(sql):
    feed = [
        ("X-1", "Pump", 1500),
        ("X-2", "Lock", 3000),
        ("X-1", "Pump, long", 1400),
        (None, "", 0),
        ("X-1", "Pump XL", 1900),
    ]
    imports(sql, [("X-2", "Lock", 2000, False)], [*feed, ("X-2", "Lock", 2000)])


def test_headings(sql):
    feed = [(None, "BRAKES", 0), ("V-1", "Pad", 700), (None, "BRAKES", 0)]
    imports(sql, [("V-1", "Pad", 700, False), ("V-2", "Cable", 300, False)], feed)


def test_unchanged_rows_are_not_written(sql):
    parts = [(f"U-{n}", f"Spoke {n}", 100 + n, n == 3) for n in range(1, 7)]
    feed = [(sku, name, price) for sku, name, price, withdrawn in parts if not withdrawn]
    feed[1] = (feed[1][0], "Spoke, black", feed[1][2])
    db = shop(sql, parts, feed)
    before = dict(db.query(WRITTEN))
    imported(db, feed)
    written = [part_id for part_id, xmin in db.query(WRITTEN) if before.get(part_id) != xmin]
    assert len(written) == 1


def test_parts_that_come_back(sql):
    parts = [("R-1", "Rack", 4000, True), ("R-2", "Basket", 3500, True), ("R-3", "Bag", 6000, False)]
    imports(sql, parts, [("R-1", "Rack", 4000), ("R-3", "Bag", 6100)])


def test_no_feed(sql):
    parts = [("N-1", "Helmet", 8000, False), ("N-2", "Vest", 2000, True)]
    imports(sql, parts, [])
    imports(sql, parts, [(None, "PRICE LIST", 0), (None, "END", 0)])


def test_all_or_nothing(sql):
    parts = [("A-1", "Fork", 9000, False), ("A-2", "Stem", 3000, False)]
    db = shop(sql, parts, [("A-1", "Fork", 9500), ("A-3", "Post", 2500), ("A-4", "Clamp", 0)])
    before = db.query(STATE)
    with pytest.raises(QueryFault) as refused:
        db.run()
    assert refused.value.sqlstate == "23514"
    assert db.query(STATE) == before


def test_run_again(sql):
    parts = [("G-1", "Grip", 900, False), ("G-2", "Tape", 1100, False), ("G-3", "Plug", 100, True)]
    feed = [("G-1", "Grip", 950), ("G-4", "Horn", 1900), ("G-3", "Plug", 100)]
    db = imports(sql, parts, feed)
    before = db.query(STATE), db.query(WRITTEN)
    db.run()
    assert (db.query(STATE), db.query(WRITTEN)) == before


def test_several_imports_at_once(sql):
    parts = [(f"M-{n}", f"Nut {n}", 50 + n, n % 5 == 0) for n in range(40)]
    feed = [(f"M-{n}", f"Nut {n}", 50 + n + n % 2) for n in range(20, 80)]
    db = shop(sql, parts, feed)
    old, new = after(db.query(STATE), feed)
    assert db.parallel(3) == [None] * 3
    state = db.query(STATE)
    assert (state[: len(old)], sorted(row[1:] for row in state[len(old) :])) == (old, new)


@pytest.mark.parametrize("committed", [False, True])
def test_imports_that_meet(sql, committed):
    feed = [("P-1", "Pedal", 2900), ("P-2", "Crank", 5900)]
    db = shop(sql, [("P-0", "Axle", 1000, False)], feed)
    with db.client() as counter:
        # Both imports have looked around before the part at the counter is there, or never comes to be.
        counter.query("insert into parts (sku, name, price_cents) values ('P-1', 'Pedal?', 1)")
        one, two = db.session(), db.session()
        one.go_on()
        two.go_on()
        if committed:
            counter.commit()
        else:
            counter.rollback()
        assert finish(one, two) == [None, None]
    rows = db.query("select sku, name, price_cents, withdrawn, revision from parts order by sku")
    assert rows == [
        ("P-0", "Axle", 1000, True, 2),
        ("P-1", "Pedal", 2900, False, 1 + committed),
        ("P-2", "Crank", 5900, False, 1),
    ]


def test_a_price_changed_at_the_counter(sql):
    feed = [("S-1", "Saddle", 4500), ("S-2", "Cover", 900)]
    db = shop(sql, [("S-1", "Saddle", 4000, False), ("S-2", "Cover", 900, False)], feed)
    with db.client() as counter:
        counter.query("update parts set price_cents = 4500, revision = revision + 1 where sku = 'S-1'")
        session = db.session()
        session.go_on()
        counter.commit()
        assert finish(session) == [None]
    assert [row[1:] for row in db.query(STATE)] == [("S-1", "Saddle", 4500, False, 2), ("S-2", "Cover", 900, False, 1)]


def test_random_feeds(sql, rng):
    skus = [f"Z-{n}" for n in range(120)]
    parts = [(sku, f"Part {sku}", rng.randrange(1, 5), rng.random() < 0.3) for sku in rng.sample(skus, 70)]
    feed = []
    for _ in range(150):
        sku = rng.choice(skus)
        feed.append((rng.choice([sku, sku, sku, None]), f"Part {sku}", rng.randrange(1, 5)))
    db = imports(sql, parts, feed)
    imported(db, feed)


def test_nothing_left_behind(sql):
    feed = [("L-1", "Lamp", 2500)]
    db = shop(sql, [], feed)
    db.run()
    assert db.query("select sku, name, price_cents from feed") == feed
    assert db.query("select relname::text from pg_class where relnamespace = 'public'::regnamespace"
                    " and relkind in ('r', 'v', 'm', 'p') order by 1") == [("feed",), ("parts",)]  # fmt: skip
    assert db.query(
        "select count(*) from pg_constraint where conrelid = 'parts'::regclass and contype in ('p','u','c')"
    ) == [(3,)]
