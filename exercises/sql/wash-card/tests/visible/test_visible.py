from decimal import Decimal

CARDS = "insert into cards values (1, 'Ada', 5.00), (2, 'Bob', 0.00);"


def test_columns_and_one_card(sql):
    db = sql.database(f"""
        {CARDS}
        insert into entries values
            (10, 1, '2024-04-02 10:00+00', 'wash', -3.50),
            (11, 1, '2024-04-09 10:00+00', 'top-up', 20.00),
            (12, 1, '2024-04-09 10:05+00', 'wash', -3.50),
            (13, 1, '2024-04-09 11:00+00', 'dry', -1.20);
    """)
    result = db.run()
    assert result.columns == ["card_id", "entry_id", "kind", "amount", "balance", "washes"]
    assert result.rows == [
        (1, 10, "wash", Decimal("-3.50"), Decimal("1.50"), 1),
        (1, 11, "top-up", Decimal("20.00"), Decimal("21.50"), 1),
        (1, 12, "wash", Decimal("-3.50"), Decimal("18.00"), 2),
        (1, 13, "dry", Decimal("-1.20"), Decimal("16.80"), 2),
    ]


def test_two_cards(sql):
    db = sql.database(f"""
        {CARDS}
        insert into entries values
            (20, 2, '2024-04-02 09:00+00', 'top-up', 10.00),
            (21, 1, '2024-04-02 09:30+00', 'wash', -3.50),
            (22, 2, '2024-04-02 10:00+00', 'wash', -4.00);
    """)
    assert [(row[0], row[1], row[4], row[5]) for row in db.run().rows] == [
        (1, 21, Decimal("1.50"), 1),
        (2, 20, Decimal("10.00"), 0),
        (2, 22, Decimal("6.00"), 1),
    ]
