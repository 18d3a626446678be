import datetime as dt

import psycopg
import pytest

DAY0 = dt.datetime(2022, 3, 1, 9, tzinfo=dt.UTC)
TOPICS = ["news", "sales", "recipes", "events"]


def at(day):
    return DAY0 + dt.timedelta(days=day)


def shop(sql, customers, orders=(), subscriptions=()):
    """A shop from customers (id, e-mail, day of creation), orders and subscriptions (customer, topic, day)."""
    db = sql.database()
    db.fill("customers", [(i, email, f"Name {i}", at(day)) for i, email, day in customers])
    db.fill("orders", orders)
    db.fill("subscriptions", [(i, topic, at(day).date()) for i, topic, day in subscriptions])
    return db


def ids(db):
    return [i for (i,) in db.query("select customer_id from customers order by 1")]


def orders_of(db):
    return db.query("select order_id, customer_id, total_cents from orders order by 1")


def topics_of(db):
    return db.query("select customer_id, topic, since from subscriptions order by 1, 2")


def moved(db):
    return db.query("select old_customer_id, customer_id from merged_customers order by 1")


def test_spelling(sql):
    spellings = ["jo.lind@mail.example", "JO.LIND@mail.example", "  jo.lind@mail.example", "Jo.Lind@Mail.Example  "]
    others = ["jolind@mail.example", "jo.lind@mail.example.org", "jo lind@mail.example"]
    db = shop(sql, [(i, email, i) for i, email in enumerate(spellings + others, 1)])
    db.run()
    assert db.query("select customer_id, email from customers order by 1") == [
        (1, spellings[0]),
        *enumerate(others, len(spellings) + 1),
    ]


def test_the_oldest_survives(sql):
    db = shop(
        sql,
        [
            (3, "A@mail.example", 40),
            (8, "a@mail.example", 20),
            (9, "a@Mail.example", 30),
            (5, "b@mail.example", 50),
            (2, "B@mail.example", 50),
            (7, "b@MAIL.example", 60),
        ],
    )
    db.run()
    assert db.query("select * from customers order by 1") == [
        (2, "B@mail.example", "Name 2", at(50)),
        (8, "a@mail.example", "Name 8", at(20)),
    ]


def test_no_order_is_lost(sql):
    customers = [(i, "lea@mail.example".replace("l", "lL"[i % 2]), i) for i in range(1, 6)]
    db = shop(sql, customers, [(100 + n, 1 + n % 5, 250 * n) for n in range(15)])
    db.run()
    assert orders_of(db) == [(100 + n, 1, 250 * n) for n in range(15)]


def test_subscriptions(sql):
    customers = [(1, "kim@mail.example", 1), (2, "KIM@mail.example", 2), (3, "Kim@mail.example", 3)]
    db = shop(
        sql,
        customers,
        subscriptions=[
            (1, "news", 30),
            (2, "news", 12),
            (3, "news", 25),
            (1, "sales", 5),
            (3, "sales", 9),
            (2, "events", 18),
            (3, "events", 16),
        ],
    )
    db.run()
    assert topics_of(db) == [(1, "events", at(16).date()), (1, "news", at(12).date()), (1, "sales", at(5).date())]


def test_old_ids_lead_to_the_survivor(sql):
    db = shop(
        sql,
        [
            (1, "ann@mail.example", 2),
            (6, "Ann@mail.example", 3),
            (4, "ANN@mail.example", 4),
            (5, "bo@mail.example", 1),
            (2, "cy@mail.example", 9),
            (3, "Cy@mail.example", 10),
        ],
    )
    db.run()
    assert moved(db) == [(3, 2), (4, 1), (6, 1)]


def test_no_second_account(sql):
    db = shop(sql, [(1, "Uma@mail.example", 1), (2, "uma@mail.example", 2), (3, "vic@mail.example", 3)])
    db.run()
    for i, email in enumerate(["uma@mail.example", " UMA@mail.example", "VIC@mail.example ", "vic@mail.example"], 50):
        with pytest.raises(psycopg.errors.UniqueViolation):
            db.fill("customers", [(i, email, "Again", at(100))])
    db.fill("customers", [(60, "wes@mail.example", "Wes", at(100))])
    assert len(ids(db)) == 3


def test_lookup_reads_an_index(sql):
    db = shop(sql, [(i, f"{'User' if i % 3 else 'user'}{i}@mail.example", i % 500) for i in range(1, 6001)])
    db.run()
    for number in (17, 2900, 5999, 7000):
        query = (
            f"select customer_id, name from customers"
            f" where lower(btrim(email)) = lower(btrim(' USER{number}@mail.example'))"
        )
        db.plan(query)  # the first one also pays for reading the catalogue
        assert db.plan(query).pages <= 12


def test_run_twice(sql):
    db = shop(
        sql,
        [(1, "ida@mail.example", 1), (2, "Ida@mail.example", 2), (3, "jan@mail.example", 3)],
        [(1, 2, 100), (2, 1, 200), (3, 3, 300)],
        [(1, "news", 9), (2, "news", 4), (2, "sales", 8)],
    )
    db.run()
    before = ids(db), orders_of(db), topics_of(db), moved(db)
    db.run()
    assert (ids(db), orders_of(db), topics_of(db), moved(db)) == before


def shape(db):
    columns = db.query("""
        select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0
          and not a.attisdropped and c.relname <> 'merged_customers'
        order by 1, a.attnum""")
    constraints = db.query("""
        select c.relname::text, k.contype::text, pg_get_constraintdef(k.oid)
        from pg_constraint k join pg_class c on c.oid = k.conrelid
        where c.relnamespace = 'public'::regnamespace and k.contype in ('p', 'f', 'c')
          and c.relname <> 'merged_customers'
        order by 1, 2, 3""")
    return columns, constraints


def test_the_rest_is_as_it_was(sql):
    db = shop(sql, [(1, "ole@mail.example", 1), (2, "Ole@mail.example", 2)], [(1, 2, 100)], [(2, "news", 3)])
    before = shape(db)
    db.run()
    assert shape(db) == before


def random_shop(rng):
    customers, orders, subscriptions = [], [], []
    numbers = rng.sample(range(1, 2000), 240)
    for number in numbers:
        local = rng.choice(["amy", "bob", "cleo", "dan"]) + str(rng.randrange(35))
        email = "".join(rng.choice([c, c.upper()]) for c in f"{local}@mail.example")
        customers.append((number, " " * rng.randrange(2) + email + " " * rng.randrange(2), rng.randrange(60)))
        subscriptions += [(number, topic, rng.randrange(90)) for topic in TOPICS if rng.random() < 0.4]
    for order_id in range(1, 500):
        orders.append((order_id, rng.choice(numbers), rng.randrange(9000)))
    return customers, orders, subscriptions


def merged(customers):
    """Return the survivor of every account."""
    oldest = {}
    for number, email, day in customers:
        person = email.strip(" ").lower()
        oldest[person] = min(oldest.get(person, (day, number)), (day, number))
    return {number: oldest[email.strip(" ").lower()][1] for number, email, _ in customers}


def test_random_shop(sql, rng):
    customers, orders, subscriptions = random_shop(rng)
    survivor = merged(customers)
    since = {}
    for number, topic, day in subscriptions:
        key = survivor[number], topic
        since[key] = min(since.get(key, day), day)
    db = shop(sql, customers, orders, subscriptions)
    db.run()
    assert db.query("select customer_id, email from customers order by 1") == sorted(
        (number, email) for number, email, _ in customers if survivor[number] == number
    )
    assert orders_of(db) == [(order_id, survivor[number], cents) for order_id, number, cents in orders]
    assert topics_of(db) == [(*key, at(day).date()) for key, day in sorted(since.items())]
