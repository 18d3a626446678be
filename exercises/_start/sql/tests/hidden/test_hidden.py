NAMES = ("Ada", "Ben", "Cem", "Dora", "Eli", "Finn", "Gus", "Hana", "Ivo", "Jana")


def shop(sql, customers, orders):
    db = sql.database()
    db.fill("customers", customers)
    db.fill("orders", orders)
    return db


def agrees(sql, customers, orders):
    """Compare with a program that goes through the customers one by one."""
    ordered = {customer_id for _, customer_id in orders}
    expected = sorted((row for row in customers if row[0] not in ordered), key=lambda row: (row[1], row[0]))
    assert shop(sql, customers, orders).run().rows == expected


def test_customers_without_orders(sql):
    agrees(sql, [(1, "Ada"), (2, "Ben"), (3, "Cem")], [(1, 2), (2, 2)])


def test_orders_of_nobody(sql):
    agrees(sql, [(1, "Ada"), (2, "Ben")], [(1, None), (2, 2)])


def test_customers_of_one_name(sql):
    agrees(sql, [(1, "Dora"), (2, "Dora"), (3, "Dora"), (4, "Eli")], [(1, 2)])


def test_random_shops(sql, rng):
    # `rng` is drawn anew for every submission, so that nobody can guess the values.
    customers = [(number, rng.choice(NAMES)) for number in rng.sample(range(1, 900), 200)]
    regulars = [number for number, _ in customers[:120]]
    orders = [(number, rng.choice([*regulars, None])) for number in range(1, 300)]
    agrees(sql, customers, [*orders, (300, None)])
