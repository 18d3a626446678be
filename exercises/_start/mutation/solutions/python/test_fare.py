import pytest
from subject import fare


@pytest.mark.parametrize(
    ("age", "price"),
    [(0, 0), (5, 0), (6, 250), (17, 250), (18, 500), (64, 500), (65, 300), (90, 300)],
)
def test_both_sides_of_every_border(age, price):
    assert fare(age) == price


def test_an_age_below_zero():
    with pytest.raises(ValueError):
        fare(-1)
