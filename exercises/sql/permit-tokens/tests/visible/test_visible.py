PERMITS = "insert into permits (plate, district) select 'GR ' || n, n % 9 from generate_series(1, 50) n"


def test_the_column_is_there(sql):
    db = sql.database(PERMITS)
    db.run()
    assert db.query("select count(*), count(token), count(distinct token) from permits") == [(50, 50, 50)]
    assert db.query("""
        select format_type(atttypid, atttypmod), attnotnull from pg_attribute
        where attrelid = 'permits'::regclass and attname = 'token'
    """) == [("uuid", True)]


def test_a_permit_issued_afterwards(sql):
    db = sql.database(PERMITS)
    db.run()
    assert db.query("insert into permits (plate, district) values ('GR 99', 4) returning token is not null") == [
        (True,)
    ]


def test_how_the_tool_sends_it(sql):
    db = sql.database(PERMITS)
    session = db.session()
    while not session.done:
        session.step()  # one statement
    assert session.fault is None
