def survey(crates):
    """The rows that R1 to R3 ask for, found crate by crate."""
    inside = {crate_id: outer for crate_id, _, outer, _ in crates}
    totals = dict.fromkeys(inside, 0)
    places = {}
    for crate_id, _, _, objects in crates:
        path, at = [], crate_id
        while at is not None and at in inside and at not in path:
            path.append(at)
            at = inside[at]
        if at is None:
            places[crate_id] = ("stored", len(path) - 1, path[::-1])
            for holder in path:
                totals[holder] += objects
        else:
            places[crate_id] = ("loop" if at in inside else "lost", None, None)
    return [
        (crate_id, *place, totals[crate_id] if place[0] == "stored" else None)
        for crate_id, place in sorted(places.items())
    ]


def store(sql, crates):
    db = sql.database()
    db.fill("crates", [(i, f"Crate {i}", outer, objects) for i, outer, objects in crates])
    return db, survey([(i, "", outer, objects) for i, outer, objects in crates])


def agrees(sql, crates):
    db, rows = store(sql, crates)
    assert db.run().rows == rows


def test_several_floors(sql):
    agrees(sql, [(50, None, 4), (7, 50, 9), (20, None, 0), (21, 20, 6), (6, 21, 6), (8, 50, 9), (90, None, 1)])


def test_crates_within_themselves(sql):
    agrees(sql, [(1, None, 3), (2, 2, 5), (3, 2, 7), (4, 1, 2)])


def test_long_loops(sql):
    ring = [(n, n % 9 + 1, n) for n in range(1, 10)]
    tail = [(20, 4, 2), (21, 20, 3), (22, 21, 4)]
    agrees(sql, [*ring, *tail, (30, None, 8), (31, 30, 8)])


def test_lost_crates(sql):
    agrees(sql, [(5, 400, 3), (6, 5, 2), (7, 6, 2), (8, 401, 1), (9, None, 6), (10, 9, 6)])


def test_equal_crates(sql):
    agrees(sql, [(1, None, 4), *((n, 1, 4) for n in range(2, 8)), *((n, n - 6, 4) for n in range(8, 14))])


def test_empty_crates(sql):
    agrees(sql, [(1, None, 0), (2, 1, 0), (3, 2, 0), (4, None, 2), (5, 4, 0)])
    agrees(sql, [])


def test_deep_chain(sql):
    agrees(sql, [(1000 - n, 1001 - n if n else None, n % 4) for n in range(301)])


def random_room(rng, count, deepest):
    numbers = rng.sample(range(1, 5 * count), count)
    crates, depths = [], {}
    for number in numbers:
        outer = rng.choice(list(depths)) if depths and rng.random() < 0.9 else None
        if outer is not None and depths[outer] >= deepest:
            outer = None
        depths[number] = 0 if outer is None else depths[outer] + 1
        crates.append((number, outer, rng.randrange(12)))
    return crates


def test_random_rooms(sql, rng):
    for _ in range(3):
        crates = random_room(rng, 250, 12)
        known = [number for number, _, _ in crates]
        for at in rng.sample(range(len(crates)), 9):
            number, _, objects = crates[at]
            crates[at] = (number, rng.choice([*rng.sample(known, 4), 9999]), objects)
        rng.shuffle(crates)
        agrees(sql, crates)


def test_rows_flow(sql, rng):
    crates = random_room(rng, 2500, 6)
    db, _ = store(sql, crates)
    assert db.plan().rows_flow <= 40 * len(crates)
