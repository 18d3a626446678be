"""What `exercise.yaml` may say. Pure.

Every field's description is the phrase that an author reads when the value is wrong ("must be …, got …") and
what an editor shows beside the key, so the rule and its explanation stand in one place.
"""

from __future__ import annotations

import types
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.catalog import skills

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"
MAX_SECONDS = 120
MAX_MEMORY_MB = 2048

KEBAB = r"^[a-z0-9]+(-[a-z0-9]+)*$"
UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
ENTRY = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$"

Skill = Annotated[
    str,
    StringConstraints(pattern=KEBAB, max_length=40),
    Field(description="a kebab-case skill", examples=skills.names()),
]
Folder = Annotated[str, StringConstraints(pattern=KEBAB, max_length=60)]
CheckId = Annotated[str, StringConstraints(pattern=KEBAB, max_length=60), Field(description="the id of a check")]
LanguageName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$", max_length=20), Field(description="a language name, lower case")
]
Prose = Annotated[
    str, StringConstraints(pattern=r"\S", max_length=600), Field(description="text of at most 600 characters")
]


def _line(longest: int) -> Any:
    """Return the type of a text on one line of at most `longest` characters."""
    return StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$", max_length=longest)


class Group(StrEnum):
    """What a check is about."""

    CORE = "core"
    EDGE = "edge"
    CONCURRENCY = "concurrency"
    SECURITY = "security"
    PERFORMANCE = "performance"


class Service(StrEnum):
    """What can run beside a learner's server."""

    POSTGRES = "postgres"
    REDIS = "redis"
    UPSTREAM = "upstream"

    @property
    def label(self) -> str:
        """As a learner reads it."""
        return {"postgres": "PostgreSQL 17", "redis": "Redis 8", "upstream": "an HTTP service to call"}[self]


class _Part(BaseModel):
    """A mapping of the file: keys it does not know are errors, and a value is never converted to fit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class Language(_Part):
    """How a program in one language is started."""

    entry: Annotated[
        str,
        StringConstraints(pattern=ENTRY, max_length=120),
        Field(description="the file that is run, as a path inside starter/<language>/"),
    ]
    run: Annotated[str, _line(200)] | Literal[""] = Field("", description="a command that starts a server, on one line")
    mode: str = Field("", description="how the text is executed (kind sql: query, script or statements)")


class LimitsSpec(_Part):
    """What one submission may use."""

    seconds: int = Field(20, ge=1, le=MAX_SECONDS, description=f"1–{MAX_SECONDS}")
    memory_mb: int = Field(256, ge=32, le=MAX_MEMORY_MB, description=f"32–{MAX_MEMORY_MB}")
    cpus: float = Field(1.0, ge=0.25, le=2, allow_inf_nan=False, description="0.25–2")


class CheckSpec(_Part):
    """One pytest function of the suite, as learners know it."""

    id: Annotated[str, StringConstraints(pattern=KEBAB, max_length=60)] = Field(
        description="kebab-case, at most 60 characters"
    )
    test: str = Field(
        pattern=r"^test_[A-Za-z0-9_]+$", max_length=120, description="the name of a pytest function, test_…"
    )
    requirement: str = Field(pattern=r"^R[1-9][0-9]?$", description="R1–R99, as README.md numbers its requirements")
    group: Annotated[Group, Field(strict=False)] = Field(description=f"one of {', '.join(Group)}")
    visible: bool = Field(False, description="true or false")
    waits: bool = Field(False, description="true or false: whether it spends its time waiting, on servers of its own")
    title: Annotated[str, _line(160)] = Field(description="text of 1–160 characters on one line")
    hint: Prose | Literal[""] = Field("", description="text of at most 600 characters")


class WrongSpec(_Part):
    """A solution with one defect, and the checks that must notice."""

    dir: Folder = Field(description="the name of a folder in wrong/, in kebab-case")
    language: LanguageName = Field(description="one of the languages above")
    reason: Prose = Field(description="text of at most 600 characters that says what is wrong")
    must_fail: list[CheckId] = Field(min_length=1, description="the ids of one check or more")
    may_fail: list[CheckId] = Field(default_factory=list, description="a list of check ids")


class ExerciseSpec(_Part):
    """All of `exercise.yaml`."""

    schema_version: Literal[1] = Field(alias="schema", description="1")
    id: str = Field(pattern=UUID, description="a UUID in lower case, never used before")
    title: Annotated[str, _line(160)] = Field(description="text of 1–160 characters on one line")
    kind: str = Field(pattern=KEBAB, max_length=20, description="the name of a kind")
    skills: list[Skill] = Field(min_length=1, max_length=12, description="a list of 1–12 skills in kebab-case")
    difficulty: int = Field(ge=1, le=5, description="1–5")
    minutes: int = Field(ge=1, le=480, description="1–480")
    services: list[Annotated[Service, Field(strict=False, description=f"one of {', '.join(Service)}")]] = Field(
        default_factory=list, max_length=len(Service), description=f"a list of {', '.join(Service)}"
    )
    languages: dict[LanguageName, Language] = Field(
        min_length=1, description="a mapping of one language or more, each with its entry"
    )
    limits: LimitsSpec = Field(
        default_factory=lambda: LimitsSpec(seconds=20, memory_mb=256, cpus=1.0),
        description="a mapping of seconds, memory_mb and cpus",
    )
    checks: list[CheckSpec] = Field(min_length=1, max_length=100, description="a list of 1–100 checks")
    hints: list[Prose] = Field(default_factory=list, max_length=20, description="a list of at most 20 texts")
    wrong: list[WrongSpec] = Field(min_length=2, max_length=50, description="a list of at least two wrong solutions")

    @property
    def check_ids(self) -> list[str]:
        """The ids of all checks, in the author's order."""
        return [check.id for check in self.checks]


def json_schema(kinds: list[str]) -> dict[str, Any]:
    """Return the JSON Schema of `exercise.yaml` for editors, its kinds limited to `kinds`."""
    schema = ExerciseSpec.model_json_schema(by_alias=True)
    schema["$schema"] = SCHEMA_ID
    schema["title"] = "A Greenroom exercise"
    schema["properties"]["kind"] = {"enum": kinds, "description": f"one of {', '.join(kinds)}", "title": "Kind"}
    return schema


def expected(path: tuple[str | int, ...]) -> str:
    """Return the phrase for what belongs at `path`; for an unknown key, which keys there are."""
    found: Any = ExerciseSpec
    phrase = ""
    for step, after in zip(path, (*path[1:], None), strict=True):
        found = _bare(found)
        if isinstance(found, type) and issubclass(found, _Part):
            fields = {field.alias or name: field for name, field in found.model_fields.items()}
            if step not in fields:
                return f"one of {', '.join(fields)}"
            phrase, found = fields[str(step)].description or "", fields[str(step)].annotation
        elif after == "[key]":
            return _phrase(get_args(found)[0])
        elif get_origin(found) in {list, dict}:
            found = get_args(found)[-1]
            phrase = _phrase(found) or ("a mapping" if _is_part(found) else phrase)
        else:
            break
    return phrase


def _is_part(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, _Part)


def _bare(found: Any) -> Any:
    """Return `found` without Annotated and without the other members of a union."""
    while get_origin(found) is Annotated or isinstance(found, types.UnionType):
        found = get_args(found)[0]
    return found


def _phrase(found: Any) -> str:
    notes = get_args(found)[1:] if get_origin(found) is Annotated else ()
    return next((note.description for note in reversed(notes) if getattr(note, "description", None)), "")
