def test_two_accounts_become_one(sql):
    db = sql.database("""
        insert into customers values
            (1, 'mia@post.example', 'Mia', '2023-01-05 10:00+00'),
            (2, 'Mia@Post.example', 'Mia B.', '2023-06-01 10:00+00');
        insert into orders values (10, 1, 500), (11, 2, 700), (12, 2, 900);
    """)
    db.run()
    assert db.query("select customer_id, email, name from customers") == [(1, "mia@post.example", "Mia")]
    assert db.query("select * from orders order by order_id") == [(10, 1, 500), (11, 1, 700), (12, 1, 900)]


def test_strangers_are_left_alone(sql):
    db = sql.database("""
        insert into customers values
            (1, 'Ben@post.example', 'Ben', '2023-01-05 10:00+00'),
            (2, 'eva@post.example', 'Eva', '2023-06-01 10:00+00');
        insert into orders values (10, 1, 500), (11, 2, 700);
    """)
    db.run()
    assert db.query("select customer_id, email, name from customers order by 1") == [
        (1, "Ben@post.example", "Ben"),
        (2, "eva@post.example", "Eva"),
    ]
    assert db.query("select * from orders order by order_id") == [(10, 1, 500), (11, 2, 700)]
