def test_double():
    while True:
        print("x" * 4096)
