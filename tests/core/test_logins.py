"""Coming in, seen from inside: which passwords were used, when one must be changed, what counts as a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import Session

from app.core import logins, saving, second_factor
from app.core.logins import FormerName, LoginRules, PastPassword, SignIn
from tests import cast, clock
from tests.accounts import Phone, account, change, give_phone
from tests.clock import Clock

RULES = LoginRules(5, timedelta(minutes=30), timedelta(minutes=30), timedelta(days=90))
WRONG = "Not-the-password-1"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return clock.stop(monkeypatch, logins)


def user(session: Session, username: str) -> User:
    return session.get_one(User, cast.person(username))


# --- passwords used before ------------------------------------------------------------------------------


def used(session: Session, username: str, password: str) -> bool:
    return logins.was_used(session, user(session, username), password)


def set_passwords(session: Session, username: str, *passwords: str) -> None:
    for password in passwords:
        with saving.work():
            logins.set_password(user(session, username), password, must_change=False)


def test_the_last_five_passwords_and_that_of_now_were_used(session: Session) -> None:
    set_passwords(session, "lin", *(f"Qing-shan-{n}" for n in range(6)))
    assert [used(session, "lin", f"Qing-shan-{n}") for n in range(6)] == [True] * 6
    assert not used(session, "lin", cast.PASSWORD), "six passwords ago"
    assert not used(session, "lin", "Qing-shan-9")
    assert not used(session, "zhou", "Qing-shan-1"), "another person's"


def test_what_no_longer_counts_is_forgotten(session: Session) -> None:
    set_passwords(session, "lin", *(f"Qing-shan-{n}" for n in range(9)))
    kept = session.scalars(
        sa.select(PastPassword.password).where(PastPassword.person_id == cast.person("lin"))
    )
    hashes = kept.all()
    assert len(hashes) == logins.PASSWORDS_REMEMBERED
    assert not [text for text in hashes if "Qing" in text]


def test_a_new_accounts_first_password_has_no_past(session: Session) -> None:
    made = User(username="feng", first_name="冯老师", last_name="", email="feng@x.invalid", active=True)
    logins.set_password(made, "Qing-shan-1", must_change=True)
    session.add(made)
    session.flush()
    assert session.scalars(sa.select(PastPassword)).all() == []


# --- when it must be changed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days_old", "words", "must"),
    [
        (0, {}, False),
        (89, {}, False),
        (90, {}, True),
        (90, {"is_demo": True}, False),
        (0, {"must_change_password": True}, True),
        (0, {"must_change_password": True, "is_demo": True}, True),
        (None, {}, True),
    ],
)
def test_a_password_must_be_changed_after_opening_and_after_ninety_days(
    now: Clock, days_old: int | None, words: dict[str, Any], must: bool
) -> None:
    set_at = now.now - timedelta(days=days_old) if days_old is not None else None
    one = User(**{"password_set_at": set_at, "must_change_password": False, "is_demo": False, **words})
    assert logins.must_change_password(one, RULES, now.now) is must


# --- coming in ------------------------------------------------------------------------------------------


def sign_in(app: Flask, password: str = cast.PASSWORD, code: str | None = None) -> SignIn | None:
    from app.extensions import db

    with app.app_context():
        found = logins.sign_in(db.session(), "lin", password, RULES, code)
        key = logins.session_key(found.user) if found is not None else ""
        db.session.remove()
    assert found is None or key.startswith(f"{cast.person('lin')}:")
    return found


def finish(app: Flask, key: str, code: str) -> bool:
    from app.extensions import db

    with app.app_context():
        found = logins.finish_sign_in(db.session(), key, code, RULES)
        db.session.remove()
    return found is not None


@pytest.fixture
def phone(app: Flask) -> Phone:
    return give_phone(app, "lin")


@pytest.fixture
def key(app: Flask, phone: Phone) -> str:
    lin = account(app, "lin")
    return f"{lin.id}:{lin.epoch}"


def failures(app: Flask) -> int:
    return account(app, "lin").fail_login_count or 0


def test_without_a_second_step_a_code_is_neither_asked_for_nor_compared(app: Flask) -> None:
    for code in (None, "", "123456"):
        found = sign_in(app, code=code)
        assert found is not None
        assert not found.owes_code


def test_with_it_the_right_password_alone_is_half_a_login(app: Flask, phone: Phone) -> None:
    count = account(app, "lin").login_count
    found = sign_in(app)
    assert found is not None
    assert found.owes_code
    assert account(app, "lin").login_count == count


@pytest.mark.parametrize("password", [cast.PASSWORD, WRONG])
@pytest.mark.parametrize("code", ["", "wrong", "right"])
def test_sent_together_both_must_be_right_and_either_fault_counts(
    app: Flask, phone: Phone, password: str, code: str
) -> None:
    sent = {"": "", "wrong": phone.wrong_code(), "right": phone.code()}[code]
    is_in = password == cast.PASSWORD and code == "right"
    assert (sign_in(app, password, sent) is not None) is is_in
    assert failures(app) == (0 if is_in else 1)


def test_a_wrong_password_does_not_use_the_code_up(app: Flask, phone: Phone) -> None:
    code = phone.code()
    assert sign_in(app, WRONG, code) is None
    assert sign_in(app, cast.PASSWORD, code) is not None


def test_the_right_password_between_does_not_forget_wrong_codes(app: Flask, phone: Phone, key: str) -> None:
    """Or whoever knows the password could try codes without end."""
    for n in range(1, 5):
        assert sign_in(app) is not None
        assert not finish(app, key, phone.wrong_code())
        assert failures(app) == n
    assert not finish(app, key, phone.wrong_code())
    assert account(app, "lin").locked_until is not None
    assert sign_in(app) is None
    assert not finish(app, key, phone.code())


def test_the_right_code_forgets_the_failures_before(app: Flask, phone: Phone, key: str) -> None:
    finish(app, key, phone.wrong_code())
    assert finish(app, key, phone.code())
    assert failures(app) == 0


def test_the_first_step_counts_only_for_the_account_as_it_was(app: Flask, phone: Phone, key: str) -> None:
    for words in ({"epoch": User.epoch + 1}, {"epoch": User.epoch - 1, "active": False}):
        change(app, "lin", **words)
        assert not finish(app, key, phone.code())
    change(app, "lin", active=True)
    assert finish(app, key, phone.code())


@pytest.mark.parametrize("key", ["", ":", "x:0", "1", "999999:0", "9" * 40 + ":0", "-1:0"])
def test_a_session_key_that_is_none_is_nobodys(app: Flask, key: str) -> None:
    assert not finish(app, key, "123456")


def test_where_it_was_taken_off_meanwhile_one_starts_again(app: Flask, phone: Phone, key: str) -> None:
    from app.extensions import db

    with app.app_context(), saving.work() as work:
        second_factor.turn_off(work.session.get_one(User, cast.person("lin")))
    with app.app_context():
        db.session.remove()
    assert not finish(app, key, phone.code())
    assert sign_in(app) is not None


# --- account names --------------------------------------------------------------------------------------


def test_a_former_name_stays_its_persons(session: Session) -> None:
    lin, zhou = user(session, "lin"), user(session, "zhou")
    logins.rename(session, lin, "linxy")
    session.flush()
    assert not logins.is_name_free(session, "linxy")
    assert not logins.is_name_free(session, "lin")
    assert not logins.is_name_free(session, "lin", zhou.id)
    assert logins.is_name_free(session, "lin", lin.id)
    logins.rename(session, lin, "lin")
    session.flush()
    kept = session.execute(sa.select(FormerName.person_id, FormerName.name)).all()
    assert [tuple(row) for row in kept] == [(lin.id, "linxy")]
    assert logins.is_name_free(session, "free")


def test_the_stand_in_for_an_email_follows_the_name(session: Session) -> None:
    lin, zhou = user(session, "lin"), user(session, "zhou")
    lin.email = lin.username + logins.FAKE_ADDRESS
    for one, name in ((lin, "linxy"), (zhou, "zhouxy")):
        logins.rename(session, one, name)
    assert lin.email == "linxy@unset.invalid"
    assert zhou.email == "zhou@example.invalid"
