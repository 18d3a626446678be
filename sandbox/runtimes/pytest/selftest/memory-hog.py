def test_double():
    held = []
    while True:
        held.append(bytearray(b"x" * 1024 * 1024))
