BAY = """
    insert into beaches values (1, 'Small bay', 1), (2, 'Long beach', 2);
    insert into guards values
        (10, 1, 'Ada', true), (11, 1, 'Bob', true),
        (20, 2, 'Cleo', true), (21, 2, 'Dan', true), (22, 2, 'Eve', false);
"""
DUTY = "select guard_id, on_duty from guards order by guard_id"


def test_one_goes_home(sql):
    db = sql.database(BAY)
    session = db.session(user=10)
    assert session.go_on()
    assert session.fault is None
    assert db.query(DUTY) == [(10, False), (11, True), (20, True), (21, True), (22, False)]
    assert db.query("select guard_id, granted from requests") == [(10, True)]


def test_one_is_needed(sql):
    db = sql.database(BAY)
    db.session(user=20).go_on()
    assert db.query(DUTY) == [(10, True), (11, True), (20, True), (21, True), (22, False)]
    assert db.query("select guard_id, granted from requests") == [(20, False)]


def test_the_second_asks_while_the_first_is_at_it(sql):
    db = sql.database(BAY)
    first, second = db.session(user=10), db.session(user=11)
    first.step()
    second.go_on()  # as far as it gets; it may have to wait for the first
    first.go_on()
    second.go_on()
    assert db.query("select count(*) from guards where beach_id = 1 and on_duty") == [(1,)]
