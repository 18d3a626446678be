def test_the_tests_pass_on_a_right_server(learner_tests):
    assert learner_tests.against("variants/correct_a.py").passed, "your tests fail on a server that keeps R1 to R7"


def test_the_tests_find_a_server_that_gives_a_berth_twice(learner_tests):
    # A test has to fail on this server that passes on the right one.
    assert learner_tests.kills("variants/bug_gives_it_twice.py"), "your tests pass on a server that refuses nobody"
