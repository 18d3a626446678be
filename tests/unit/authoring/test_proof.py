"""The gate: each rule fails for its own reason, and holds when all is as meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.authoring.proof import ProofCard, prove, prove_folder
from app.authoring.trials import Result, plan
from app.catalog import kinds
from app.catalog.format import from_files
from sandbox.fake_box import FakeBox, all_pass
from sandbox.job import MIB, Job
from sandbox.outcome import Ended, Outcome
from tests.exercise_folders import FILES, changed, write
from tests.factories import NOON
from tests.unit.authoring.proving import FAILS, judge


def card(script: Callable[[Job], Outcome] = judge, files: Mapping[str, str] = FILES) -> ProofCard:
    """The proof card when the sandbox answers by `script`."""
    return prove(from_files(files), FakeBox(script=script), name="calls/double-it", at=NOON, seeds=[1, 2, 3])


def broken(found: ProofCard) -> dict[str, list[str]]:
    """The rules that do not hold, with what was found."""
    return {
        rule.name: [f"{finding.where}: {finding.message}" for finding in rule.findings]
        for rule in found.rules
        if not rule.passed
    }


def with_failures(**programs: set[str]) -> Callable[[Job], Outcome]:
    """A judge for which some programs fail something else than they should."""
    names = {"reference": "solutions/python", "starter": "starter/python", "adds_two": "wrong/adds-two"}
    fails = {**FAILS, **{f"{names[name]}/app.py": failed for name, failed in programs.items()}}
    return lambda job: judge(job, fails)


def test_an_exercise_that_is_as_meant_is_proven() -> None:
    found = card()
    assert broken(found) == {} and found.passed
    said = found.as_json()
    assert (said["passed"], said["reference_p50_ms"], said["reference_max_memory_bytes"]) == (True, 1000, 20 * MIB)
    assert [rule["name"] for rule in said["rules"]] == [
        "format", "judged", "references", "room", "starter", "enough-wrong", "wrong", "dead-checks", "cheats", "silent",
    ]  # fmt: skip
    assert said["only_starter_fails"] == []


def test_everything_in_the_folder_is_run_and_references_with_every_seed() -> None:
    box = FakeBox(script=judge)
    source = from_files(FILES)
    prove(source, box, name="x", at=NOON, seeds=[7, 8, 9])
    assert len(box.jobs) == len(plan(source, [7, 8, 9])) == 3 + 1 + 5 + 2
    assert sorted(job.seed for job in box.jobs if job.files == source.solution("python")) == [7, 8, 9]
    assert all("tests/hidden/test_hidden.py" in job.suite and len(job.checks) == 3 for job in box.jobs)
    assert len({job.id for job in box.jobs}) == len(box.jobs)


def test_seeds_are_drawn_anew_each_time() -> None:
    cards = [prove(from_files(FILES), FakeBox(script=judge), name="x", at=NOON) for _ in range(2)]
    seeds = [{result.trial.seed for result in found.results} for found in cards]
    assert all(len(each) == 3 for each in seeds) and seeds[0] != seeds[1]


def test_a_reference_that_fails_with_one_seed_is_found() -> None:
    def unlucky(job: Job) -> Outcome:
        return with_failures(reference={"big"})(job) if job.seed == 2 else judge(job)

    assert broken(card(unlucky)) == {"references": ["solutions/python, seed 2: wrong answer, failed big"]}


def test_a_reference_that_needs_more_than_half_of_its_limits_is_found() -> None:
    def greedy(job: Job) -> Outcome:
        return replace(judge(job), wall_time=timedelta(seconds=5, milliseconds=100), max_memory_bytes=65 * MIB)

    found = broken(card(greedy))
    assert list(found) == ["room"] and len(found["room"]) == 6
    assert found["room"][0] == "solutions/python, seed 1: took 5.1 s, more than half of limits.seconds (10)"
    assert found["room"][1] == "solutions/python, seed 1: used 65 MB, more than half of limits.memory_mb (128)"


def test_a_starter_that_is_accepted_is_found() -> None:
    assert "starter" in broken(card(with_failures(starter=set())))


def test_a_wrong_solution_that_passes_what_it_must_fail_is_found() -> None:
    assert broken(card(with_failures(adds_two={"none"}))) == {"wrong": ["wrong/adds-two: must fail big but passed"]}


def test_a_wrong_solution_that_fails_beyond_what_it_may_is_found() -> None:
    assert broken(card(with_failures(adds_two={"big", "twice"}))) == {
        "wrong": ["wrong/adds-two: failed twice, which is in neither must_fail nor may_fail"]
    }


def test_a_wrong_solution_may_fail_what_it_may() -> None:
    assert broken(card(with_failures(adds_two={"big"}))) == {}


def test_checks_that_never_ran_count_as_failed() -> None:
    def hung(job: Job) -> Outcome:
        if job.files["app.py"] == FILES["wrong/takes-none/app.py"]:
            return Outcome(ended=Ended.OUT_OF_TIME, detail="no answer")
        return judge(job)

    assert broken(card(hung)) == {
        "wrong": [
            "wrong/takes-none: failed big, twice, which is in neither must_fail nor may_fail (time limit: no answer)"
        ]
    }


def test_a_dead_check_is_found_and_one_that_only_the_starter_fails_is_told() -> None:
    text = (
        FILES["exercise.yaml"]
        .replace("may_fail: [none]}", "may_fail: [twice]}")
        .replace("must_fail: [none]}", "must_fail: [twice]}")
    )
    files = {**FILES, "exercise.yaml": text}
    fails = {**FAILS, "wrong/adds-two/app.py": {"big"}, "wrong/takes-none/app.py": {"twice"}}
    alive = card(lambda job: judge(job, fails), files)
    assert alive.passed and alive.only_starter == ("none",)
    dead = card(lambda job: judge(job, {**fails, "starter/python/app.py": {"twice"}}), files)
    assert broken(dead) == {"dead-checks": ["check none: no wrong solution and no starter fails it"]}


def test_a_cheat_that_is_accepted_is_found() -> None:
    def gullible(job: Job) -> Outcome:
        return all_pass(job) if "return None" in job.files["app.py"] else judge(job)

    assert broken(card(gullible)) == {
        "cheats": ["cheat returns-none (python): is accepted, although it knows nothing of the exercise"]
    }


def test_an_exercise_without_hidden_checks_invites_hard_coding() -> None:
    text = FILES["exercise.yaml"].replace("group: edge,", "group: edge, visible: true,")
    text = text.replace("group: security,", "group: security, visible: true,")
    files = {**FILES, "exercise.yaml": text}
    files["tests/visible/test_more.py"] = files.pop("tests/hidden/test_hidden.py")
    assert list(broken(card(files=files))) == ["cheats"]


def test_a_judge_error_is_tried_again_and_never_blamed_on_the_exercise() -> None:
    seen: set[str] = set()

    def shaky(job: Job) -> Outcome:
        first = job.id not in seen and not job.id.endswith("-again")
        seen.add(job.id)
        return Outcome(ended=Ended.ENGINE_BROKE, reason="gone") if first else judge(job)

    assert card(shaky).passed

    def dead(job: Job) -> Outcome:
        same = job.files["app.py"] == FILES["wrong/adds-two/app.py"]
        return Outcome(ended=Ended.BOX_BROKE, reason="it broke") if same else judge(job)

    assert broken(card(dead)) == {"judged": ["wrong/adds-two: judge error: it broke"]}


def test_a_hidden_value_shown_to_a_learner_is_found() -> None:
    assert broken(card(files=changed("Give back", "Give 15308642 back", file="README.md"))) == {
        "silent": ["README.md: holds '15308642', a value of tests/hidden/test_hidden.py:6"]
    }


def test_a_hidden_check_that_talks_is_found() -> None:
    def talking(job: Job) -> Outcome:
        said = judge(job)
        checks = tuple(replace(check, message="why") if check.id == "big" else check for check in said.checks)
        return replace(said, checks=checks) if job.files["app.py"] == FILES["starter/python/app.py"] else said

    assert broken(card(talking)) == {"silent": ["starter/python: hidden check big says more than whether it passed"]}


def test_a_folder_that_is_not_well_formed_is_not_run(tmp_path: Path) -> None:
    box = FakeBox(script=judge)
    found = prove_folder(write(tmp_path / "calls/x", changed("seconds: 10", "seconds: 0")), box, at=NOON)
    assert (found.exercise, found.passed, found.digest, box.jobs) == ("calls/x", False, "", [])
    assert broken(found) == {"format": [f"{tmp_path}/calls/x/exercise.yaml:10: limits.seconds must be 1–120, got 0"]}


def test_each_run_is_told_as_it_ends() -> None:
    told: list[Result] = []
    found = prove(from_files(FILES), FakeBox(script=judge), name="x", at=NOON, on_result=told.append)
    assert len(told) == len(found.results)


@pytest.mark.parametrize("kind", ["calls", "http", "mutation", "sql"])
def test_every_kind_has_cheats_that_replace_the_entry(kind: str) -> None:
    found = kinds.find(kind)
    for language in found.runtimes:
        how = from_files(FILES).spec.languages["python"].model_copy(update={"entry": "entry.x"})
        cheats = found.cheats(how, language)
        assert len(cheats) >= 4 and all(set(cheat.files) == {"entry.x"} for cheat in cheats)
        assert any(not cheat.files["entry.x"] for cheat in cheats)
        if language == "python":
            for cheat in cheats:
                compile(cheat.files["entry.x"], cheat.name, "exec")
