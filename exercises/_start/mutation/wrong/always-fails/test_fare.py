from subject import fare


def test_everything():
    assert fare(6) == "a bug"
