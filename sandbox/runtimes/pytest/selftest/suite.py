"""Judges tests of `double(n)`; no case but accepted may pass."""


def test_double(learner_tests):
    assert learner_tests.against("variants/correct_a.py").passed
    assert learner_tests.kills("variants/bug_triples.py")
