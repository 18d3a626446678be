def test_a_good_machine_and_a_bad_one(learner_tests):
    # `against` runs the learner's tests on one variant.
    assert learner_tests.against("variants/correct_a.py").passed, "your tests fail on a machine that keeps the rules"
    # `kills`: a test fails on this one that passes on the good ones.
    assert learner_tests.kills("variants/bug_children_free.py"), "no test of yours notices that children pay nothing"
