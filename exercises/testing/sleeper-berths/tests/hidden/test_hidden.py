import pytest


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_right_servers_pass(learner_tests, name):
    assert learner_tests.against(f"variants/correct_{name}.py").passed


def test_finds_holds_for_ever(learner_tests):
    assert learner_tests.kills("variants/bug_holds_for_ever.py")


def test_finds_a_second_late(learner_tests):
    assert learner_tests.kills("variants/bug_a_second_late.py")


def test_finds_books_what_ran_out(learner_tests):
    assert learner_tests.kills("variants/bug_books_what_ran_out.py")


def test_finds_one_train(learner_tests):
    assert learner_tests.kills("variants/bug_one_train.py")


def test_finds_forgets_bookings(learner_tests):
    assert learner_tests.kills("variants/bug_forgets_bookings.py")


def test_finds_refusal_takes_over(learner_tests):
    assert learner_tests.kills("variants/bug_refusal_takes_over.py")


def test_finds_keeps_what_is_given_back(learner_tests):
    assert learner_tests.kills("variants/bug_keeps_what_is_given_back.py")


def test_finds_sorted_as_text(learner_tests):
    assert learner_tests.kills("variants/bug_sorted_as_text.py")


def test_finds_books_once_only(learner_tests):
    assert learner_tests.kills("variants/bug_books_once_only.py")


def test_finds_gives_back_bookings(learner_tests):
    assert learner_tests.kills("variants/bug_gives_back_bookings.py")


def test_finds_berth_nought(learner_tests):
    assert learner_tests.kills("variants/bug_berth_nought.py")
