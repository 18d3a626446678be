import pytest
from subject import fare


@pytest.mark.parametrize(("age", "price"), [(3, 0), (10, 250), (40, 500), (80, 300)])
def test_each_group(age, price):
    assert fare(age) == price


def test_an_age_below_zero():
    with pytest.raises(ValueError):
        fare(-5)
