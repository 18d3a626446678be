import time


def test_double():
    time.sleep(3600)
