from itertools import count

AGAIN = {"40001", "40P01"}
MOST_STEPS = 14
PER_BEACH = 4
DUTIES = "select guard_id, on_duty from guards order by guard_id"
REQUESTS = "select guard_id, granted from requests order by request_id"


def coast(sql, beaches):
    """Beaches of PER_BEACH guards: for each its minimum and how many are on duty. Guard 40 is the first of beach 10."""
    db = sql.database()
    db.fill("beaches", [(10 + n, f"Beach {n}", minimum) for n, (minimum, _) in enumerate(beaches)])
    db.fill(
        "guards",
        [
            ((10 + n) * PER_BEACH + place, 10 + n, f"Guard {place}", place < on_duty)
            for n, (_, on_duty) in enumerate(beaches)
            for place in range(PER_BEACH)
        ],
    )
    return db


def first_of(beach):
    return (10 + beach) * PER_BEACH


def finish(db, sessions):
    """Run sessions (by guard) to their ends as the app does, those that have to be repeated again."""
    while sessions:
        for guard, session in list(sessions.items()):
            session.go_on()
            if session.done:
                del sessions[guard]
                if session.fault is not None:
                    assert session.fault.sqlstate in AGAIN
                    sessions[guard] = db.session(user=guard)


def ask(db, *guards):
    finish(db, {guard: db.session(user=guard) for guard in guards})


def answers(db, *guards):
    """What the guards were told, in whatever order they asked."""
    return sorted(granted for guard, granted in db.query(REQUESTS) if guard in guards)


def on_duty(db, beach):
    return db.query(f"select count(*) from guards where beach_id = {10 + beach} and on_duty")[0][0]


def test_one_after_the_other(sql):
    db = coast(sql, [(2, 4), (0, 1), (3, 3), (4, 4)])
    for guard in (41, 40, 42, 44, 48, 999, 52):  # one of these numbers is nobody's
        ask(db, guard)
    assert db.query(REQUESTS) == [(41, True), (40, True), (42, False), (44, True), (48, False), (52, False)]
    home = {40, 41, 44}
    assert db.query(DUTIES) == [
        (guard, guard not in home and not 45 <= guard <= 47 and guard != 51) for guard in range(40, 56)
    ]


def test_at_home_already(sql):
    db = coast(sql, [(1, 3), (0, 1)])
    ask(db, 43)
    ask(db, 44)
    ask(db, 44)
    assert db.query(REQUESTS) == [(43, False), (44, True), (44, False)]
    assert (on_duty(db, 0), on_duty(db, 1)) == (3, 0)


def test_cut_off(sql):
    db = coast(sql, [(1, 3)] * MOST_STEPS)
    for beach in range(MOST_STEPS):
        guard = first_of(beach)
        session = db.session(user=guard)
        for _ in range(beach):
            session.step()
        over = session.done
        session.close()
        assert answers(db, guard) in ([], [True])
        assert on_duty(db, beach) == 3 - len(answers(db, guard))
        if over:
            return


def each_order(sql, minimum, there):
    """For each number of steps: the first guard's script so far, then all of the second's, then the rest."""
    db = coast(sql, [(minimum, there)] * MOST_STEPS)
    for beach in count():
        first, second = first_of(beach), first_of(beach) + 1
        one, two = db.session(user=first), db.session(user=second)
        for _ in range(beach):
            if not one.done:
                one.step()
        alone = one.done
        two.go_on()
        finish(db, {first: one, second: two})
        yield answers(db, first, second), on_duty(db, beach)
        if alone or beach == MOST_STEPS - 1:
            return


def test_two_of_which_one_may_go(sql):
    for said, left in each_order(sql, 1, 2):
        assert (said, left) == ([False, True], 1)


def test_two_who_may_both_go(sql):
    for said, left in each_order(sql, 1, 3):
        assert (said, left) == ([True, True], 1)


def test_step_by_step(sql):
    db = coast(sql, [(2, 4)])
    sessions = {guard: db.session(user=guard) for guard in range(40, 44)}
    for _ in range(MOST_STEPS):
        for session in sessions.values():
            if not session.done:
                session.step()
    finish(db, sessions)
    assert answers(db, *range(40, 44)) == [False, False, True, True]
    assert on_duty(db, 0) == 2


def test_all_at_once(sql):
    db = coast(sql, [(1, 4), (2, 3)])
    waiting = [*range(40, 44), *range(44, 47)]
    while waiting:
        sessions = [db.session(user=guard) for guard in waiting]
        faults = db.parallel(sessions)
        assert {fault.sqlstate for fault in faults if fault} <= AGAIN
        waiting = [guard for guard, fault in zip(waiting, faults, strict=True) if fault]
    assert answers(db, *range(40, 44)) == [False, True, True, True]
    assert answers(db, *range(44, 47)) == [False, False, True]
    assert (on_duty(db, 0), on_duty(db, 1)) == (1, 2)


def test_other_beaches_do_not_wait(sql):
    db = coast(sql, [(1, 3)] * (2 * MOST_STEPS))
    for steps in range(MOST_STEPS):
        here, there = first_of(2 * steps), first_of(2 * steps + 1)
        one, two = db.session(user=here), db.session(user=there)
        for _ in range(steps):
            if not one.done:
                one.step()
        over = one.done
        assert two.go_on()
        finish(db, {here: one, there: two})
        assert answers(db, here, there) == [True, True]
        if over:
            return
