import pytest
from subject import fare


def test_a_grown_up():
    assert fare(30) == 500
