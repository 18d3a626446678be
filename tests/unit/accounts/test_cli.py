"""`flask accounts …`."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from flask import Flask

from app.accounts import services
from app.accounts.models import Role
from tests.conftest import Cast, MakeApp
from tests.factories import PASSWORD


def passwords(output: str) -> dict[str, str]:
    """Return what `demo` printed: passwords by e-mail."""
    return dict(re.findall(r"(\S+@example\.com)\s+(\S+)$", output, re.MULTILINE))


def test_create_makes_an_account_with_a_role(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(
        args=["accounts", "create", "Nina@Example.com", "--name", "Nina", "--role", "admin", "--password", PASSWORD]
    )
    assert answer.exit_code == 0, answer.output
    with app.app_context():
        assert services.find_by_email("nina@example.com").role == Role.ADMIN


def test_create_says_why_it_did_not(app: Flask, cast: Cast) -> None:
    runner = app.test_cli_runner()
    taken = runner.invoke(args=["accounts", "create", "lena@example.com", "--name", "L", "--password", PASSWORD])
    short = runner.invoke(args=["accounts", "create", "nina@example.com", "--name", "N", "--password", "short"])
    assert (taken.exit_code, short.exit_code) == (1, 1)
    assert "has an account already" in taken.output
    assert "10 to 200 characters" in short.output


def test_set_role_and_set_password_change_an_account(app: Flask, cast: Cast) -> None:
    runner = app.test_cli_runner()
    assert runner.invoke(args=["accounts", "set-role", "lena@example.com", "instructor"]).exit_code == 0
    reset = ["accounts", "set-password", "lena@example.com", "--password", "some other words"]
    assert runner.invoke(args=reset).exit_code == 0
    with app.app_context():
        person = services.sign_in("lena@example.com", "some other words")
        assert person is not None and person.role == Role.INSTRUCTOR
        assert services.session_owner(f"{cast.lena}.0") is None


def test_an_unknown_email_is_an_error_in_one_sentence(app: Flask) -> None:
    answer = app.test_cli_runner().invoke(args=["accounts", "set-role", "nobody@example.com", "admin"])
    assert answer.exit_code == 1
    assert answer.output == "Error: No account has that e-mail.\n"


@pytest.mark.own_site
def test_demo_prints_passwords_that_work_and_the_same_ones_later(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    first = passwords(runner.invoke(args=["accounts", "demo"]).output)
    assert set(first) == {"learner@example.com", "instructor@example.com"}
    assert passwords(runner.invoke(args=["accounts", "demo"]).output) == first
    with app.app_context():
        for email, password in first.items():
            assert services.sign_in(email, password) is not None
        assert services.find_by_email("instructor@example.com").role == Role.INSTRUCTOR
    kept = tmp_path / "demo-accounts.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_demo_passwords_differ_between_installations(make_app: MakeApp, tmp_path: Path) -> None:
    here = make_app(var_dir=tmp_path / "here").test_cli_runner().invoke(args=["accounts", "demo"])
    there = make_app(var_dir=tmp_path / "there").test_cli_runner().invoke(args=["accounts", "demo"])
    assert passwords(here.output).keys() == {"learner@example.com", "instructor@example.com"}
    assert not set(passwords(here.output).values()) & set(passwords(there.output).values())


def test_demo_says_so_where_a_password_was_changed_by_hand(app: Flask) -> None:
    runner = app.test_cli_runner()
    runner.invoke(args=["accounts", "demo"])
    runner.invoke(args=["accounts", "set-password", "learner@example.com", "--password", "some other words"])
    again = runner.invoke(args=["accounts", "demo"]).output
    assert "learner@example.com  (its password was changed" in again
    assert set(passwords(again)) == {"instructor@example.com"}


def test_demo_accounts_are_never_made_in_production(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app(production=True, secure_cookies=True, secret_key="x" * 40)
    answer = app.test_cli_runner().invoke(args=["accounts", "demo"])
    assert answer.exit_code == 1
    assert "not made in production mode" in answer.output
    assert not (tmp_path / "demo-accounts.json").exists()
