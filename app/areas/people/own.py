"""The own account: settings, password, second step of login, sessions. What administrators do to others is in
`accounts`.

Each function but `change_settings` opens its own `saving.work()`: a wrong password or code is counted whatever else
happens. What concerns all sessions ends them; the page renews its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import current_app
from flask_appbuilder.security.sqla.models import User
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.areas.people import accounts, passwords
from app.areas.people.accounts import OWN
from app.core import audit, logins, saving, second_factor, sessions
from app.core.errors import Complaints, Denied, Invalid, Missing
from app.core.logins import FAKE_ADDRESS, LoginRules

# --- settings -----------------------------------------------------------------------------------------


def languages() -> dict[str, str]:
    """Locale → its own name, of the languages that there are."""
    return {key: words["name"] for key, words in current_app.config["LANGUAGES"].items()}


def settings_of(user: User) -> dict[str, str]:
    """What the form of personal settings shows."""
    found = {"username": user.username, **accounts.reached_at(user)}
    found |= {name: str(int(getattr(user, name))) for name in ("shares_phone", "shares_qq")}
    return found | {"language": user.language or str(get_locale())}


def change_settings(session: Session, user: User, typed: Mapping[str, str]) -> None:
    """Account name, how to be reached, what the address book shows, language. Belongs inside `saving.work()`, with the
    account's row locked. Raises Invalid."""
    values = _read_settings(session, user, typed)
    _write(session, user, values)


def require_known(language: str) -> None:
    """Raises Invalid for a language that there is not."""
    if language not in languages():
        raise Invalid([("language", _("没有这种语言。请从下拉列表中选择。"))])


def change_language(session: Session, user: User, language: str) -> None:
    """The language alone, as the switch on every page does. Belongs inside `saving.work()`, with the account's row locked."""
    _write(session, user, {"language": language})


def _write(session: Session, user: User, values: Mapping[str, Any]) -> None:
    old = {name: getattr(user, name) for name in values}
    changed = [name for name in values if values[name] != old[name]]
    if not changed:
        return
    by, words = logins.actor_for(user), logins.place_words(session, user)
    if "username" in changed:
        logins.rename(session, user, values["username"])
        accounts.flush(session, [("username", accounts.taken(values["username"]))])
    for name in changed:
        setattr(user, name, values[name])
    accounts.flush(session, [("email", _("这个电子邮箱已被另一个账号使用。请换一个。"))])
    before, after = ({name: found[name] for name in changed} for found in (old, values))
    audit.note(session, by, "edit", "person", user.id, before=before, after=after, **words)


def _read_settings(session: Session, user: User, typed: Mapping[str, str]) -> dict[str, Any]:
    complaints: list[tuple[str, str]] = []
    username = logins.normal_name(typed.get("username", ""))
    complaints += accounts.name_complaints(session, username, user.id)
    values = accounts.parse(typed, OWN, complaints)
    if (phone := values.get("phone")) != user.phone:
        complaints += accounts.double_complaints(session, user.first_name, phone, user.id)
    if language := typed.get("language"):
        if language not in languages():
            complaints.append(("language", _("没有这种语言。请从下拉列表中选择。")))
        values["language"] = language
    if complaints:
        raise Invalid(complaints)
    values["email"] = values["email"] or username + FAKE_ADDRESS
    return {"username": username, **values}


# --- password -----------------------------------------------------------------------------------------


def change_password(
    session: Session, user: User, old: str, new: str, again: str, login_rules: LoginRules
) -> None:
    """For whoever knows the old one; ends every session and token. Raises Invalid, or Denied when a wrong old password
    was the last of too many."""

    def change(found: User) -> None:
        logins.set_password(found, new, must_change=False)
        _note(session, found, "change_password")

    _as_oneself(
        session,
        user,
        old,
        login_rules,
        change,
        complaints=lambda: _password_complaints(session, user, new, again),
    )


def _password_complaints(session: Session, user: User, new: str, again: str) -> Complaints:
    faults = list(passwords.complaints(new, user.username, user.first_name))
    if not faults and logins.was_used(session, user, new):
        faults = [
            _("新密码不能与原密码或最近%(n)s次用过的密码相同。请换一个。", n=logins.PASSWORDS_REMEMBERED)
        ]
    yield from (("new_password", sentence) for sentence in faults)
    if new != again:
        yield "again", _("两次填写的新密码不一致。请重新填写。")


def _as_oneself(
    session: Session,
    user: User,
    password: str,
    login_rules: LoginRules,
    act: Callable[[User], None],
    *,
    code: str | None = None,
    complaints: Callable[[], Iterable[tuple[str, str]]] = tuple,
) -> None:
    """Runs `act` on the account's locked row for whoever knows its password, and its code where one is given; counts
    like a failed login otherwise. What is slow (the hash, `complaints`) comes before the lock.

    Raises Invalid, or Denied when that count locked the account.
    """
    user_id, stored = user.id, user.password
    is_right = logins.is_password_of(stored, password)
    faults = list(complaints()) if is_right else []
    is_locked = False
    with saving.work():
        found = _own_row(session, user_id)
        wrong = _what_is_wrong(found, is_right and found.password == stored, code)
        if wrong:
            is_locked = _count_wrong(session, found, login_rules)
        elif not faults:
            act(found)
    if is_locked:
        raise Denied(
            _("密码或验证码连续输错次数过多，账号已锁定，并已退出登录。请稍后重新登录，或联系管理员解锁。")
        )
    if wrong or faults:
        raise Invalid(wrong or faults)


def _what_is_wrong(found: User, is_right: bool, code: str | None) -> list[tuple[str, str]]:
    if not is_right:
        return [("old_password", _("密码不正确。请重新填写；忘记的，请联系管理员重置。"))]
    if code is not None and not second_factor.accepts(found, code):
        return [("code", _("验证码不正确，或已经用过。请输入程序当前显示的6位数字，或一个未用过的恢复码。"))]
    return []


def _count_wrong(session: Session, user: User, login_rules: LoginRules) -> bool:
    is_locked = logins.count_failure(session, user, login_rules)
    if is_locked:
        logins.end_sessions(user)
    return is_locked


def _own_row(session: Session, user_id: int) -> User:
    found = logins.locked_row(session, user_id)
    assert found is not None  # the request was let in with it
    return found


def _note(session: Session, user: User, action: str) -> None:
    by, words = logins.actor_for(user), logins.place_words(session, user)
    audit.note(session, by, action, "person", user.id, **words)


# --- the second step of login -------------------------------------------------------------------------


def turn_factor_on(session: Session, user: User, secret: str, typed: str) -> list[str]:
    """The recovery codes, to be shown once; ends every session and token. Raises Invalid."""
    with saving.work():
        found = _own_row(session, user.id)
        if second_factor.is_on(found):
            raise Invalid(_("两步登录已经开启。要换手机的，请先关闭，再重新开启。"))
        codes = second_factor.turn_on(found, secret, typed)
        logins.end_sessions(found)
        _note(session, found, "factor_on")
    return codes


def turn_factor_off(session: Session, user: User, password: str, code: str, login_rules: LoginRules) -> None:
    """For whoever has password and code; ends every session and token. Raises Invalid, Denied."""

    def turn_off(found: User) -> None:
        second_factor.turn_off(found)
        logins.end_sessions(found)
        _note(session, found, "factor_off")

    _as_oneself(session, user, password, login_rules, turn_off, code=code)


def new_recovery_codes(
    session: Session, user: User, password: str, code: str, login_rules: LoginRules
) -> list[str]:
    """Ten in place of those before, to be shown once. Raises Invalid, Denied."""
    codes: list[str] = []

    def renew(found: User) -> None:
        codes.extend(second_factor.new_recovery_codes(found))
        _note(session, found, "factor_codes")

    _as_oneself(session, user, password, login_rules, renew, code=code)
    return codes


# --- sessions -----------------------------------------------------------------------------------------


def end_session(session: Session, user: User, session_id: int) -> None:
    """One of the own sessions. Raises Missing."""
    with saving.work():
        if not sessions.end_one(session, user.id, session_id):
            raise Missing(_("这次登录已经结束。请刷新页面。"))
        _note(session, user, "end_sessions")


def end_other_sessions(session: Session, user: User) -> None:
    """Every session and token, also a copy of this one's cookie: the page goes on with a new one."""
    with saving.work():
        found = _own_row(session, user.id)
        logins.end_sessions(found)
        _note(session, found, "end_sessions")
