def test_columns_and_order(sql):
    db = sql.database("insert into customers values (1, 'Zoe'), (2, 'Ann'), (3, 'Max')")  # data/schema.sql, then this
    result = db.run()  # what the learner wrote
    assert result.columns == ["customer_id", "name"]
    assert result.rows == [(2, "Ann"), (3, "Max"), (1, "Zoe")]
