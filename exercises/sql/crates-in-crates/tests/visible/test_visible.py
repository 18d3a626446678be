def test_columns_and_a_small_room(sql):
    db = sql.database("""
        insert into crates values
            (1, 'Vases', null, 2), (2, 'Blue vases', 1, 3), (3, 'Tiny vases', 2, 5), (4, 'Coins', null, 40);
    """)
    result = db.run()
    assert result.columns == ["crate_id", "state", "depth", "path", "total"]
    assert result.rows == [
        (1, "stored", 0, [1], 10),
        (2, "stored", 1, [1, 2], 8),
        (3, "stored", 2, [1, 2, 3], 5),
        (4, "stored", 0, [4], 40),
    ]


def test_crates_to_look_for(sql):
    db = sql.database("""
        insert into crates values
            (1, 'Masks', 2, 1), (2, 'Drums', 1, 1), (3, 'Flutes', 2, 1), (4, 'Shoes', 77, 1), (5, 'Hats', 4, 1);
    """)
    assert db.run().rows == [
        (1, "loop", None, None, None),
        (2, "loop", None, None, None),
        (3, "loop", None, None, None),
        (4, "lost", None, None, None),
        (5, "lost", None, None, None),
    ]
