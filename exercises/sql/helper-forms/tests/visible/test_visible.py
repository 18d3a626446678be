def test_columns_and_two_forms(sql):
    db = sql.database("""
        insert into forms values
            (1, '2024-02-01 10:00+00', '{"name": "Ines", "age": 34, "shifts": ["fri", "sat", "sat"],
                "contact": {"email": "ines@mail.example"}, "withdrawn": false,
                "languages": [{"code": "pt", "level": 5}, {"code": "de", "level": 2}, {"code": "en", "level": 3}]}'),
            (2, '2021-02-01 10:00+00', '{"name": "Olaf", "age": "61", "shifts": "fri", "contact": null}');
    """)
    result = db.run()
    assert result.columns == ["form_id", "name", "age", "shifts", "friday", "email", "speaks"]
    assert result.rows == [
        (1, "Ines", 34, 2, True, "ines@mail.example", ["en", "pt"]),
        (2, "Olaf", 61, 1, True, None, []),
    ]


def test_a_form_with_a_name_alone(sql):
    db = sql.database("""insert into forms values (7, '2024-02-01 10:00+00', '{"name": "Kaja"}')""")
    assert db.run().rows == [(7, "Kaja", None, 0, False, None, [])]
