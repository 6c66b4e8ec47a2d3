"""Coming in: passwords and codes checked, failures counted, accounts locked, sessions ended.

Nothing here knows of cookies, tokens or pages; which passwords are good enough is decided in `areas.people`.
"""

from __future__ import annotations

import os
import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session
from werkzeug.security import check_password_hash, generate_password_hash

from app.core import audit, grants, rights, saving, second_factor, sessions
from app.core.fields import BigId, UtcDateTime
from app.core.rights import Actor, Entrant

ACCOUNT_NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")
PASSWORDS_REMEMBERED = 5  # a new one must differ from these
LONGEST_PASSWORD = 128  # characters; hashing more would be work for an attacker's asking
FAKE_ADDRESS = "@unset.invalid"  # Flask-AppBuilder wants an e-mail for everyone, and each only once


@dataclass(frozen=True, slots=True)
class LoginRules:
    """The settings that govern coming in (domain.md §8)."""

    lock_after: int  # failures
    lock_for: timedelta
    idle_after: timedelta
    password_life: timedelta

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> LoginRules:
        return cls(config["LOCK_AFTER"], config["LOCK_FOR"], config["IDLE_AFTER"], config["PASSWORD_LIFE"])


# --- accounts -----------------------------------------------------------------------------------------


def normal_name(typed: str) -> str:
    """Account names are lower case, so that no two look alike."""
    return unicodedata.normalize("NFKC", typed).strip().lower()


def find_account(session: Session, typed: str) -> User | None:
    name = normal_name(typed)
    if not ACCOUNT_NAME.fullmatch(name):
        return None
    return session.scalar(sa.select(User).where(User.username == name))


class FormerName(Model):
    """用过的账号名：本人可以改回，其他人不得使用，以免张冠李戴。"""

    __tablename__ = "former_name"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(64), unique=True)
    given_up_at: Mapped[datetime] = mapped_column(UtcDateTime)


def is_name_free(session: Session, name: str, person_id: int | None = None) -> bool:
    """Whether nobody has this account name, and nobody but this person ever had it."""
    has_it = sa.select(User.id).where(User.username == name)
    had_it = sa.select(FormerName.person_id).where(FormerName.name == name)
    return set(session.scalars(sa.union(has_it, had_it))) <= {person_id}


def rename(session: Session, user: User, name: str) -> None:
    """Another account name; the old one is kept for its person. Whether the new one is free was asked before."""
    session.execute(sa.delete(FormerName).where(FormerName.name == name))
    session.add(FormerName(person_id=user.id, name=user.username, given_up_at=datetime.now(UTC)))
    if user.email == user.username + FAKE_ADDRESS:
        user.email = name + FAKE_ADDRESS
    user.username = name


def place_words(session: Session, user: User) -> dict[str, Any]:
    """Whose an account is and where, as the audit keeps it."""
    codes = grants.authorities_of(session, user.school_id)
    place = {"school_id": user.school_id, "authority_code": codes[0] if codes else user.region_code}
    return place | {"subject": user.first_name}


def is_locked(user: User, now: datetime) -> bool:
    return user.locked_until is not None and now < user.locked_until


def password_ends(user: User, rules: LoginRules) -> datetime | None:
    """When the password expires; None where that was never set in motion."""
    return user.password_set_at + rules.password_life if user.password_set_at else None


def must_change_password(user: User, rules: LoginRules, now: datetime) -> bool:
    """After opening or reset, and once the password is too old. Demo accounts keep theirs."""
    if user.must_change_password:
        return True
    ends = password_ends(user, rules)
    return not user.is_demo and (ends is None or ends <= now)


# --- passwords ----------------------------------------------------------------------------------------


def hash_password(password: str) -> str:
    return generate_password_hash(password, _hash_method())


def hash_passwords(passwords: Iterable[str]) -> list[str]:
    """The same for many, on every processor: each takes its time, and that is what hashing is for."""
    method = _hash_method()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda password: generate_password_hash(password, method), passwords))


def _hash_method() -> str:
    return str(current_app.config.get("FAB_PASSWORD_HASH_METHOD", "scrypt"))


@cache
def _hash_of_nobody() -> str:
    return hash_password(secrets.token_hex())


def is_password_of(stored: str | None, typed: str) -> bool:
    """Takes as long whether there is an account or not. What cannot be a password (NUL, half characters) is none."""
    fits = 0 < len(typed) <= LONGEST_PASSWORD and typed.isprintable()
    return (
        check_password_hash(stored or _hash_of_nobody(), typed if fits else "")
        and fits
        and stored is not None
    )


class PastPassword(Model):
    """用过的密码（只存散列值）：新密码不得与最近几次相同。"""

    __tablename__ = "past_password"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    password: Mapped[str] = mapped_column(sa.String(256))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


def was_used(session: Session, user: User, password: str) -> bool:
    """Whether it is the password of now or one of the PASSWORDS_REMEMBERED before it. Slow: a hash for each."""
    query = sa.select(PastPassword.password).where(PastPassword.person_id == user.id)
    past = session.scalars(query.order_by(PastPassword.id.desc()).limit(PASSWORDS_REMEMBERED)).all()
    return any(check_password_hash(old, password) for old in (user.password, *past) if old)


def _remember(session: Session, user: User) -> None:
    """Keeps the hash that is about to go, and forgets those that no longer count."""
    session.add(PastPassword(person_id=user.id, password=user.password, set_at=datetime.now(UTC)))
    session.flush()
    kept = sa.select(PastPassword.id).where(PastPassword.person_id == user.id)
    old = session.scalars(kept.order_by(PastPassword.id.desc()).offset(PASSWORDS_REMEMBERED)).all()
    session.execute(sa.delete(PastPassword).where(PastPassword.id.in_(old)))


def set_password(user: User, password: str, *, must_change: bool) -> None:
    """A new password ends every session and token of the account, and its lock."""
    set_hash(user, hash_password(password), must_change=must_change)


def set_hash(user: User, hashed: str, *, must_change: bool) -> None:
    """The same, for a password that was hashed before."""
    session = object_session(user)
    if session is not None and user.id is not None and user.password:
        _remember(session, user)
    user.password = hashed
    user.password_set_at = datetime.now(UTC)
    user.must_change_password = must_change
    user.fail_login_count, user.locked_until = 0, None
    end_sessions(user)


# --- coming in ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignIn:
    """Whose password was right; `owes_code` where the second step is still to come."""

    user: User
    owes_code: bool


def sign_in(
    session: Session, typed_name: str, password: str, rules: LoginRules, code: str | None = None
) -> SignIn | None:
    """None for every reason alike: no such account, wrong password, locked, suspended.

    `code`: None where it is asked for in a step of its own (`finish_sign_in`), else what was sent along, "" for nothing.
    The slow hash is computed before the write lock is taken. What it found counts only while the account has not
    changed since: of many guesses sent at once, those after the one that locks are refused.
    """
    user = find_account(session, typed_name)
    user_id, stored = (user.id, user.password) if user is not None else (None, None)
    is_right = is_password_of(stored, password)
    with saving.work():
        found = locked_row(session, user_id)
        if (
            found is None
            or not found.is_active
            or is_locked(found, datetime.now(UTC))
            or found.password != stored
        ):
            _write_as_others_do(session)
            return None
        if is_right and code is None and second_factor.is_on(found):
            return SignIn(
                found, owes_code=True
            )  # failures stay counted, or codes could be guessed without end
        if not (is_right and _has_code(found, code or "")):
            count_failure(session, found, rules)
            return None
        _welcome(session, found)
    return SignIn(found, owes_code=False)


def _has_code(user: User, code: str) -> bool:
    return not second_factor.is_on(user) or second_factor.accepts(user, code)


def finish_sign_in(session: Session, key: str, code: str, rules: LoginRules) -> User | None:
    """The second step, for the session key of whoever took the first; None for every reason alike."""
    with saving.work():
        found = locked_row(session, _id_in(key))
        if (
            found is None
            or session_key(found) != key
            or not found.is_active
            or is_locked(found, datetime.now(UTC))
        ):
            return None
        if not second_factor.accepts(found, code):
            count_failure(session, found, rules)
            return None
        _welcome(session, found)
    return found


def locked_row(session: Session, user_id: int | None) -> User | None:
    """The account as it is now, kept from others until the work ends."""
    if user_id is None:
        return None
    return session.get(User, user_id, with_for_update=True, populate_existing=True)


def _write_as_others_do(session: Session) -> None:
    """A refusal without a count takes a write as well, or its speed would tell which accounts there are."""
    first = sa.select(sa.func.min(User.id)).scalar_subquery()
    session.execute(
        sa.update(User).where(User.id == first).values(fail_login_count=User.fail_login_count),
        execution_options={"synchronize_session": False},
    )


def count_failure(session: Session, user: User, rules: LoginRules) -> bool:
    """Counts one wrong password or code; the last of the series locks. Wants the account's row locked. True when
    locked."""
    user.fail_login_count = (user.fail_login_count or 0) + 1
    if user.fail_login_count < rules.lock_after:
        return False
    user.fail_login_count, user.locked_until = 0, datetime.now(UTC) + rules.lock_for
    until = {"until": user.locked_until.isoformat()}
    audit.note(
        session, rights.system("login"), "lock", "person", user.id, after=until, **place_words(session, user)
    )
    return True


def _welcome(session: Session, user: User) -> None:
    user.fail_login_count, user.locked_until = 0, None
    user.login_count = (user.login_count or 0) + 1
    user.last_login = datetime.now()  # Flask-AppBuilder's column is naive
    audit.note(session, actor_for(user), "login", "person", user.id, **place_words(session, user))


def actor_for(user: User) -> Actor:
    """The person as the audit names him, without grants: for what everybody may do to the own account."""
    return Actor(id=user.id, name=user.first_name, school_id=user.school_id, region_code=user.region_code)


# --- sessions -----------------------------------------------------------------------------------------


def session_key(user: User) -> str:
    """What a session remembers of its person; it fits only as long as the account's epoch stands."""
    return f"{user.id}:{user.epoch}"


User.get_id = session_key


def owner_of(session: Session, key: object, sid: str | None = None) -> Entrant | None:
    """The person of a session key, if the account is active and its epoch unchanged. Whether the session of the word
    `sid` goes on (None: a token, which has none) is for the caller to ask: `has_session`."""
    user_id = _id_in(str(key))
    found = rights.load_person(session, user_id, sid=sid) if user_id is not None else None
    if found is None or not found.user.is_active or session_key(found.user) != str(key):
        return None
    return found


def _id_in(key: str) -> int | None:
    user_id = key.partition(":")[0]
    return int(user_id) if user_id.isascii() and user_id.isdigit() and len(user_id) < 10 else None


def end_sessions(user: User) -> None:
    """Ends every session and token of the account."""
    user.epoch = (user.epoch or 0) + 1
    session = object_session(user)
    if session is not None and user.id is not None:
        sessions.end_all(session, user.id)
