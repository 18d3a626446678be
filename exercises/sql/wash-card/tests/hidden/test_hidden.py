import datetime as dt
from decimal import Decimal

NOON = dt.datetime(2023, 9, 4, 12, tzinfo=dt.UTC)
PRICES = {"wash": (-420, -260), "dry": (-190, -70), "top-up": (500, 3000), "refund": (70, 420)}


def after(seconds):
    return NOON + dt.timedelta(seconds=seconds)


def cents(number):
    return Decimal(number) / 100


def statement(cards, entries):
    """The rows that R1 to R4 ask for, added up one by one."""
    rows = []
    for card_id, _, opening in sorted(cards):
        balance, washes = opening, 0
        for entry_id, _, _, kind, amount in sorted((e for e in entries if e[1] == card_id), key=lambda e: (e[2], e[0])):
            balance, washes = balance + amount, washes + (kind == "wash")
            rows.append((card_id, entry_id, kind, amount, balance, washes))
    return rows


def launderette(sql, cards, entries):
    db = sql.database()
    db.fill("cards", cards)
    db.fill("entries", entries)
    return db


def agrees(sql, cards, entries):
    assert launderette(sql, cards, entries).run().rows == statement(cards, entries)


def test_entries_of_one_second(sql):
    cards = [(3, "Cleo", cents(150))]
    entries = [
        (31, 3, after(0), "top-up", cents(1000)),
        (34, 3, after(5), "wash", cents(-330)),
        (32, 3, after(5), "wash", cents(-350)),
        (33, 3, after(5), "dry", cents(-110)),
        (35, 3, after(9), "refund", cents(330)),
        (36, 3, after(9), "dry", cents(-90)),
    ]
    agrees(sql, cards, entries)


def test_entries_that_were_loaded_late(sql):
    entries = [(n, 1, after(-n * 60), "top-up" if n % 3 else "wash", cents(100 * n)) for n in range(1, 13)]
    agrees(sql, [(1, "Dora", cents(0))], entries)


def test_cards_at_the_same_time(sql):
    cards = [(n, f"Holder {n}", cents(100 * n)) for n in (9, 4, 7)]
    entries = [(n, (9, 4, 7)[n % 3], after(n // 3), "wash", cents(-10 - n)) for n in range(1, 31)]
    agrees(sql, cards, entries)


def test_exact_cents(sql):
    entries = [(n, 1, after(n), "refund", cents(n % 7 + 1)) for n in range(1, 400)]
    rows = launderette(sql, [(1, "Edda", cents(10))], entries).run().rows
    assert [row[4] for row in rows] == [row[4] for row in statement([(1, "Edda", cents(10))], entries)]
    assert all(isinstance(row[4], Decimal) for row in rows)


def test_cards_without_entries(sql):
    cards = [(1, "Finn", cents(100)), (2, "Gus", cents(200)), (3, "Hal", cents(300))]
    agrees(sql, cards, [(5, 2, after(0), "dry", cents(-80))])
    agrees(sql, cards, [])


def random_entries(rng, cards, count):
    entries = []
    for entry_id in rng.sample(range(1, 4 * count), count):
        kind = rng.choice(sorted(PRICES))
        at = after(rng.randrange(count // 2))
        entries.append((entry_id, rng.choice(cards)[0], at, kind, cents(rng.randrange(*PRICES[kind]))))
    return entries


def test_random_cards(sql, rng):
    cards = [(n, f"Holder {n}", cents(rng.randrange(2000))) for n in rng.sample(range(1, 500), 12)]
    agrees(sql, cards, random_entries(rng, cards[1:], 1500))


def test_rows_flow(sql, rng):
    cards = [(n, f"Holder {n}", cents(500)) for n in range(1, 9)]
    entries = random_entries(rng, cards, 2000)
    assert launderette(sql, cards, entries).plan().rows_flow <= 5 * len(entries)
