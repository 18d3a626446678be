import pytest


@pytest.mark.parametrize("name", ["a", "b"])
def test_good_machines_pass(learner_tests, name):
    # A parametrised function is one check: it passes when all its cases pass.
    assert learner_tests.against(f"variants/correct_{name}.py").passed


def test_finds_the_sixth_birthday(learner_tests):
    assert learner_tests.kills("variants/bug_six_is_free.py")


def test_finds_the_grown_up(learner_tests):
    assert learner_tests.kills("variants/bug_eighteen_is_young.py")


def test_finds_the_pensioner(learner_tests):
    assert learner_tests.kills("variants/bug_no_pensioners.py")


def test_finds_the_unborn(learner_tests):
    assert learner_tests.kills("variants/bug_takes_the_unborn.py")
