PARTS = """
    insert into parts (sku, name, price_cents) values
        ('T-1', 'Tube 28', 590), ('T-2', 'Tube 26', 550), ('C-7', 'Chain', 2400);
"""
FEED = """
    insert into feed values
        (1, null, 'TUBES', 0), (2, 'T-1', 'Tube 28', 590), (3, 'T-2', 'Tube 26"', 570), (4, 'B-3', 'Bell', 900);
"""


def test_a_first_import(sql):
    db = sql.database(PARTS, FEED)
    db.run()
    assert db.query("select sku, name, price_cents, withdrawn, revision from parts order by sku") == [
        ("B-3", "Bell", 900, False, 1),
        ("C-7", "Chain", 2400, True, 2),
        ("T-1", "Tube 28", 590, False, 1),
        ("T-2", 'Tube 26"', 570, False, 2),
    ]


def test_numbers_are_kept(sql):
    db = sql.database(PARTS, FEED)
    before = dict(db.query("select sku, part_id from parts"))
    db.run()
    after = dict(db.query("select sku, part_id from parts"))
    assert {sku: after.get(sku) for sku in before} == before
