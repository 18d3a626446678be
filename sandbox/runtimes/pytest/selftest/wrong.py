from subject import double


def test_double():
    assert double(0) == 0
