from typing import NamedTuple

STRONG = {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"}
SEEN = []
STRAY = 60  # rows that the judge's own clients touch meanwhile, by the same counters
COLUMNS = """
    select attname::text, format_type(atttypid, atttypmod), attnotnull, attidentity::text
    from pg_attribute where attrelid = 'permits'::regclass and attnum > 0 and not attisdropped order by attnum
"""
DEFAULT = """
    select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
    where d.adrelid = 'permits'::regclass and a.attname = 'token'
"""
CONSTRAINTS = """
    select conname::text, contype::text, pg_get_constraintdef(oid), convalidated
    from pg_constraint where conrelid = 'permits'::regclass order by 1
"""
INDEXES = """
    select indexrelid::regclass::text, indisunique, indisvalid and indisready and indislive
    from pg_index where indrelid = 'permits'::regclass order by 1
"""
RELATIONS = """
    select relname::text from pg_class
    where relnamespace = 'public'::regnamespace and relkind not in ('i', 't', 'S') order by 1
"""
TOKENS = "select count(*) - count(token), count(*) - count(distinct token) from permits"
OLD_ROWS = "select permit_id, plate, district, issued_at from permits order by permit_id"


class Transaction(NamedTuple):
    """What one transaction of the script did."""

    modes: set[str]  # locks on permits for which writers wait
    timeouts: list[float]  # lock_timeout in milliseconds, of the statements that asked for one
    read: int
    changed: int


def city(sql, permits):
    db = sql.database()
    db.query(f"insert into permits (plate, district) select 'AB ' || n, n % 7 from generate_series(1, {permits}) n")
    db.query("select pg_stat_force_next_flush()")  # these rows are the judge's, and counted before the script begins
    return db


def looks_right(db):
    assert db.query(COLUMNS) == [
        ("permit_id", "integer", True, "a"),
        ("plate", "text", True, ""),
        ("district", "integer", True, ""),
        ("issued_at", "timestamp with time zone", True, ""),
        ("token", "uuid", True, ""),
    ]
    assert db.query(DEFAULT) == [("gen_random_uuid()",)]
    assert db.query(CONSTRAINTS) == [
        ("permits_pkey", "p", "PRIMARY KEY (permit_id)", True),
        ("permits_token_key", "u", "UNIQUE (token)", True),
    ]
    assert db.query(INDEXES) == [("permits_pkey", True, True), ("permits_token_key", True, True)]
    assert db.query(RELATIONS) == [("permits",)]
    assert db.query(TOKENS) == [(0, 0)]


def strong_locks(session):
    return {lock.mode for lock in session.holds if lock.table == "permits" and lock.mode in STRONG}


def issue(meter):
    meter.query("insert into permits (plate, district) values ('METER', 1)")
    meter.commit()


def deploy(db, *, meters=False):
    """Run the script as the tool does; return its transactions."""
    session, transactions = db.session(), []
    modes, timeouts, before = set(), [], session.touched("permits")
    with db.client() as other:
        while not session.done:
            if meters and not modes:
                issue(other)
            timeout = session.setting("lock_timeout") or "0"
            asked = set()
            if session.idle:  # in a transaction the locks are still there when the statement has ended
                other.query("lock table permits in row exclusive mode")
            ended = session.step()
            lock = None if ended else session.waits
            if lock is not None and lock.table == "permits" and lock.mode in STRONG:
                asked.add(lock.mode)
            other.rollback()
            while not ended:
                ended = session.step()
            if not session.idle:
                asked |= strong_locks(session) - modes
            if asked:
                modes |= asked
                timeouts.append(float(timeout))
            if session.idle:
                after = session.touched("permits")
                change = after.read - before.read, after.changed - before.changed
                transactions.append(Transaction(modes, timeouts, *change))
                modes, timeouts, before = set(), [], after
    assert session.fault is None
    return transactions


def test_result(sql):
    db = city(sql, 700)
    before, table = db.query(OLD_ROWS), db.query("select 'permits'::regclass::oid")
    db.run()
    looks_right(db)
    assert db.query(OLD_ROWS) == before
    assert db.query("select 'permits'::regclass::oid") == table
    assert db.query("select count(*) from pg_db_role_setting") == [(0,)]


def test_meters_go_on(sql):
    db = city(sql, 120)
    deploy(db, meters=True)
    with db.client() as meter:
        issue(meter)
    looks_right(db)


def busy_city(sql):
    if not SEEN:
        SEEN.append(deploy(city(sql, 3900)))
    return SEEN[0]


def test_strong_locks_are_short(sql):
    for transaction in busy_city(sql):
        if transaction.modes:
            assert transaction.read + transaction.changed <= 100 + STRAY


def test_strong_locks_are_not_waited_for_long(sql):
    for transaction in busy_city(sql):
        for timeout in transaction.timeouts:
            assert 0 < timeout <= 5000


def test_portions(sql):
    assert max(transaction.changed for transaction in busy_city(sql)) <= 1000 + STRAY


def test_cut_off_between_statements(sql, rng):
    db = city(sql, 40)
    steps, came_to_its_end = rng.choice([0, 1]), False
    while not came_to_its_end:
        steps += 3
        session = db.session()
        for _ in range(steps):
            if not session.done:
                assert session.step()
        came_to_its_end = session.done
        session.close()
        assert session.fault is None
    looks_right(db)


def test_cut_off_within_a_statement(sql):
    db = city(sql, 40)
    session = db.session()
    with db.client() as meter:
        while not session.done:
            if session.idle:  # else it may have to wait, for as long as the script's transaction lasts
                meter.query("insert into permits (plate, district) values ('METER', 2)")
            waiting = not session.step()
            if waiting and (lock := session.waits) is not None and not lock.table:
                session.close()  # it was waiting for an older transaction
                break
            meter.commit()
            while waiting:
                waiting = not session.step()
        meter.commit()
    db.run()
    looks_right(db)


def test_run_again_after_success(sql):
    db = city(sql, 40)
    db.run()
    tokens = db.query("select permit_id, token from permits order by 1")
    db.run()
    looks_right(db)
    assert db.query("select permit_id, token from permits order by 1") == tokens
