"""Advice: what the runs of a proof say about the tests."""

from __future__ import annotations

from collections.abc import Mapping

from app.authoring.advice import Advice, advise
from app.authoring.trials import Role, plan, result_of
from app.catalog.format import from_files
from app.submissions.verdict import Verdict
from sandbox.outcome import CheckOutcome, Ended, Outcome
from tests.exercise_folders import FILES

SOURCE = from_files(FILES)
ALL = {"twice", "big", "none"}
MEANT = {"wrong/adds-two": {"big", "none"}, "wrong/takes-none": {"none"}, "starter/python": ALL}


def advice(fails: Mapping[str, set[str]] = MEANT, **more: set[str]) -> Advice:
    """The advice when each program fails what `fails` says; cheats fail everything unless `more` says otherwise."""
    results = []
    for trial in plan(SOURCE, [1, 2, 3]):
        other: set[str] = ALL if trial.role is Role.CHEAT else set()
        failed = more.get(trial.role, fails.get(trial.name, other))
        checks = tuple(CheckOutcome(id=check.id, passed=check.id not in failed) for check in SOURCE.spec.checks)
        results.append(result_of(SOURCE, trial, Outcome(ended=Ended.COMPLETED, checks=checks)))
    return advise(SOURCE, results)


def test_what_is_as_meant_is_said_to_be() -> None:
    found = advice({**MEANT, "wrong/adds-two": {"big"}})
    assert found.sound
    assert len(found.cheats) == 5 and not any(cheat.accepted for cheat in found.cheats)


def test_a_check_that_nothing_fails_is_dead() -> None:
    found = advice({"wrong/adds-two": {"none"}, "wrong/takes-none": {"none"}, "starter/python": {"twice"}})
    assert (found.dead, found.only_starter) == (("big",), ())
    assert not found.sound


def test_a_check_that_only_the_starter_fails_needs_a_wrong_solution_of_its_own() -> None:
    found = advice({"wrong/adds-two": {"none"}, "wrong/takes-none": {"none"}, "starter/python": ALL})
    assert (found.dead, found.only_starter) == ((), ("big",))


def test_a_wrong_solution_that_survives_is_named_with_the_checks_that_miss_it() -> None:
    (miss,) = advice({**MEANT, "wrong/adds-two": {"none"}}).survivors
    assert (miss.name, miss.reason, miss.checks) == ("wrong/adds-two", "Adds two.", ("big",))


def test_a_wrong_solution_that_fails_beyond_is_named_with_the_checks_that_hit_it() -> None:
    found = advice({**MEANT, "wrong/takes-none": {"none", "twice", "big"}})
    assert [(miss.name, miss.checks) for miss in found.beyond] == [("wrong/takes-none", ("twice", "big"))]


def test_a_check_that_every_wrong_solution_fails_tells_none_apart() -> None:
    assert advice(MEANT).blunt == ("none",)
    assert advice({**MEANT, "wrong/adds-two": {"big"}}).blunt == ()


def test_wrong_solutions_that_fail_the_same_look_alike() -> None:
    (twins,) = advice({**MEANT, "wrong/adds-two": {"none"}}).twins
    assert (twins.names, twins.checks) == (("wrong/adds-two", "wrong/takes-none"), ("none",))


def test_each_check_is_listed_with_who_fails_it() -> None:
    caught = {catch.check_id: catch.failed_by for catch in advice(MEANT).catches}
    assert caught == {
        "twice": ("starter/python",),
        "big": ("starter/python", "wrong/adds-two"),
        "none": ("starter/python", "wrong/adds-two", "wrong/takes-none"),
    }


def test_cheats_are_listed_with_what_they_get_away_with() -> None:
    found = advice(cheat={"big"})
    assert {cheat.verdict for cheat in found.cheats} == {Verdict.WRONG_ANSWER}
    assert found.cheats[0].passed == ("twice", "none")
    accepted = advice(cheat=set())
    assert all(cheat.accepted for cheat in accepted.cheats) and not accepted.sound


def test_what_the_platform_spoilt_says_nothing() -> None:
    broke = Outcome(ended=Ended.BOX_BROKE)
    found = advise(SOURCE, [result_of(SOURCE, trial, broke) for trial in plan(SOURCE, [1])])
    assert (found.survivors, found.beyond, found.blunt, found.twins, found.cheats) == ((), (), (), (), ())
