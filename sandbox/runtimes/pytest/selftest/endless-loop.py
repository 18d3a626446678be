def test_double():
    while True:
        pass
