"""The forms of assignments. Times are typed and shown as clocks show them where the person is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, DateTimeLocalField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from app.accounts.clock import moment_of, wall_time_of
from app.accounts.models import User
from app.assignments.models import Assignment
from app.assignments.rules import Schedule
from app.assignments.services import MAX_REASON, MAX_TITLE, Wanted
from app.catalog.models import Exercise
from app.errors import Invalid

FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]
YEARS = range(2000, 2101)
USUAL_POINTS = 10
WEEK = timedelta(days=7)


class TimeField(DateTimeLocalField):  # type: ignore[misc]  # WTForms ships no types
    """A moment, typed as local time; `data` is naive, `moment` is aware UTC. An empty one is None."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed. Raises ValueError with what was expected."""
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        for each in FORMATS:
            try:
                self.data = datetime.strptime(valuelist[0].strip(), each)
            except ValueError:
                continue
        if self.data is None or self.data.year not in YEARS:
            self.data = None
            raise ValueError("Enter day and time like 2026-11-22 14:30.")

    @property
    def moment(self) -> datetime | None:
        """The moment, in UTC; None where nothing was typed."""
        return moment_of(self.data) if self.data else None


class AssignmentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Everything of an assignment but its exercises."""

    title = StringField("Title", [InputRequired("Enter a title."), Length(max=MAX_TITLE)])
    opens_at = TimeField("Opens", [InputRequired("Enter when it opens.")], format=FORMATS)
    due_at = TimeField("Due", [InputRequired("Enter when it is due.")], format=FORMATS)
    closes_at = TimeField("Late solutions are taken until", format=FORMATS)
    late_percent = IntegerField(
        "Points for a late solution, in percent", [NumberRange(0, 100, "Choose 0 to 100 percent.")], default=50
    )
    hints_closed = BooleanField("Keep hints closed until it is due")
    solutions_closed = BooleanField("Keep solutions closed until it is due")

    @classmethod
    def of(cls, assignment: Assignment) -> AssignmentForm:
        """Return the form filled with `assignment`, and with what was sent over it."""
        closes_at = assignment.closes_at
        return cls(
            title=assignment.title,
            opens_at=wall_time_of(assignment.opens_at),
            due_at=wall_time_of(assignment.due_at),
            closes_at=wall_time_of(closes_at) if closes_at else None,
            late_percent=assignment.late_percent,
            hints_closed=assignment.hints_closed,
            solutions_closed=assignment.solutions_closed,
        )

    @classmethod
    def fresh(cls, at: datetime) -> AssignmentForm:
        """Return the form for a new assignment: from the next hour on, due in a week at the end of the day."""
        hour = wall_time_of(at).replace(minute=0) + timedelta(hours=1)
        return cls(opens_at=hour, due_at=(hour + WEEK).replace(hour=23, minute=59), solutions_closed=True)

    def wanted(self, exercises: tuple[tuple[int, int], ...]) -> Wanted:
        """Return what is asked for. Only after the form was validated."""
        opens_at, due_at = self.opens_at.moment, self.due_at.moment
        assert opens_at is not None and due_at is not None, "both are required"
        schedule = Schedule(
            opens_at=opens_at,
            due_at=due_at,
            closes_at=self.closes_at.moment,
            late_percent=self.late_percent.data,
        )
        return Wanted(
            title=self.title.data,
            schedule=schedule,
            hints_closed=self.hints_closed.data,
            solutions_closed=self.solutions_closed.data,
            exercises=exercises,
        )


class ExtensionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """More time for one learner."""

    learner = SelectField("Learner", coerce=int, validate_choice=False)
    due_at = TimeField("Due for them", [InputRequired("Enter when it is due for them.")], format=FORMATS)
    reason = TextAreaField(
        "Reason", [Length(max=MAX_REASON, message=f"Keep the reason below {MAX_REASON} characters.")]
    )

    @classmethod
    def of(cls, learners: Sequence[User], due_at: datetime) -> ExtensionForm:
        """Return the form with these learners to choose from, a week more than `due_at` proposed."""
        form = cls(due_at=wall_time_of(due_at) + WEEK)
        form.learner.choices = [SelectChoice(each.id, f"{each.name} ({each.email})") for each in learners]
        return form

    def until(self) -> datetime:
        """Return when it is due for the learner. Only after the form was validated."""
        moment: datetime | None = self.due_at.moment
        assert moment is not None, "it is required"
        return moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One exercise in the list to choose from; position and points as they were typed."""

    exercise: Exercise
    chosen: bool
    position: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The list to choose from: those chosen, then those that fit what was looked for."""

    chosen: tuple[Choice, ...]
    others: tuple[Choice, ...]
    query: str
    error: str = ""


def typed_exercises(sent: MultiDict[str, str]) -> tuple[tuple[int, int], ...]:
    """Return exercise id and points of those that are ticked, in the order typed. Raises Invalid."""
    found = []
    for number, raw in enumerate(sent.getlist("exercise")):
        position = _whole(sent.get(f"position-{raw}", ""), "The order is given in whole numbers.", number + 1)
        points = _whole(sent.get(f"points-{raw}", ""), "Points are whole numbers from 0 to 1000.", USUAL_POINTS)
        found.append((position, number, _whole(raw, "Choose exercises from the list.", 0), points))
    return tuple((exercise_id, points) for _, _, exercise_id, points in sorted(found))


def choices(offered: Sequence[Exercise], sent: Mapping[str, str], ticked: Sequence[str], error: str = "") -> Choices:
    """Return the list as it was sent; `sent` holds what was typed and `ticked` the ids of those chosen."""
    query = sent.get("q", "").strip()[:100]

    def choice(exercise: Exercise) -> Choice:
        return Choice(
            exercise=exercise,
            chosen=str(exercise.id) in ticked,
            position=sent.get(f"position-{exercise.id}", ""),
            points=sent.get(f"points-{exercise.id}", str(USUAL_POINTS)),
        )

    every = [choice(each) for each in offered]
    words = query.casefold().split()
    return Choices(
        chosen=tuple(sorted((each for each in every if each.chosen), key=_place)),
        others=tuple(each for each in every if not each.chosen and _fits(each.exercise, words)),
        query=query,
        error=error,
    )


def stored_exercises(assignment: Assignment) -> dict[str, str]:
    """Return what the form would have sent for the exercises of `assignment`."""
    sent = {}
    for number, each in enumerate(assignment.exercises, start=1):
        sent[f"position-{each.exercise_id}"] = str(number)
        sent[f"points-{each.exercise_id}"] = str(each.points)
    return sent


def _whole(raw: str, sentence: str, default: int) -> int:
    if not raw.strip():
        return default
    if not (raw.strip().isascii() and raw.strip().isdecimal() and len(raw.strip()) < 10):
        raise Invalid(sentence, "exercises")
    return int(raw)


def _place(choice: Choice) -> tuple[int, str]:
    position = choice.position.strip()
    return (int(position) if position.isascii() and position.isdecimal() else 10**9), choice.exercise.title


def _fits(exercise: Exercise, words: Sequence[str]) -> bool:
    text = " ".join((exercise.title, exercise.track, exercise.kind, *exercise.skills)).casefold()
    return all(word in text for word in words)
