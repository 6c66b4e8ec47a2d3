"""Accounts: who finds whom, opening, suspending, unlocking, resetting. Everybody's own account is in `own`.

Accounts are no entities, so the read wall does not cover them: every look-up of somebody else goes through `find`
or `people`. Each act checks its right, is audited, and belongs inside `saving.work()`.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.areas.schools.models import SchoolStage
from app.core import audit, grants, logins, names, rights, second_factor
from app.core.errors import Complaints, Denied, Invalid, Missing, Stale
from app.core.fields import Field, Flag, Text, Unreadable, col
from app.core.logins import FAKE_ADDRESS
from app.core.rights import Actor, Extent, Place, Verdict
from app.core.wording import about, with_note

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}")


def _email_rule(text: str) -> str | None:
    if _EMAIL.fullmatch(text) and not text.endswith(FAKE_ADDRESS):
        return None
    return _("电子邮箱的格式不正确，应如name@example.cn。")


def _qq_rule(text: str) -> str | None:
    return None if re.fullmatch(r"[1-9]\d{4,11}", text) else _("QQ号应为5至12位数字。")


NAME: Text = Text(label="姓名", length=50, nullable=False, clean=names.clean)
PHONE: Text = col.phone("联系电话").column.info["field"]
QQ: Text = Text(label="QQ", length=20, rule=_qq_rule)
EMAIL: Text = Text(label="电子邮箱", length=100, rule=_email_rule)
ABOUT: Mapping[str, Field] = {
    "name": NAME,
    "phone": PHONE,
    "qq": QQ,
    "email": EMAIL,
    "shares_phone": Flag(label="在通讯录中公开联系电话", nullable=False),
    "shares_qq": Flag(label="在通讯录中公开QQ", nullable=False),
}
"""What is kept of a person, as it is typed and read."""
OWN = ("phone", "shares_phone", "qq", "shares_qq", "email")
"""What one changes oneself. The name is an administrator's: it signs the audit."""
NAMED = ("name", "phone")
"""What tells who somebody is; the name signs the audit. Administrators keep it."""
COLUMNS = {"name": "first_name", "phone": "phone"}


# --- where people are ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Home:
    """What a person belongs to: a school, or the bureau of a region."""

    school_id: int | None = None
    region_code: str | None = None

    def places(self, session: Session) -> tuple[Place, ...]:
        """One for each authority of the school (a 完全中学 may have two)."""
        if self.school_id is None:
            return (Place(None, self.region_code),)
        return grants.places_of(session, Extent(school_id=self.school_id))


def home_of(user: User) -> Home:
    return Home(user.school_id, user.region_code)


def may(session: Session, by: Actor, right: str, home: Home) -> Verdict:
    return rights.decide(by, right, home.places(session))


def require(session: Session, by: Actor, right: str, user: User) -> None:
    """Raises Denied with the sentence that names the right."""
    verdict = may(session, by, right, home_of(user))
    if not verdict:
        raise Denied(str(verdict))


def reached_at(user: User) -> dict[str, str]:
    """Phone, QQ, e-mail as people read them; the stand-in for an e-mail that was never given is none."""
    found = {name: getattr(user, name) or "" for name in ("phone", "qq", "email")}
    return found | {"email": "" if found["email"].endswith(FAKE_ADDRESS) else found["email"]}


# --- finding ------------------------------------------------------------------------------------------


def within(extents: tuple[Extent, ...]) -> sa.ColumnElement[bool]:
    """The accounts in these extents. A grant narrowed to grades or classes reaches no account."""
    return sa.or_(sa.false(), *(_in_extent(extent) for extent in extents if not extent.is_narrow))


def _in_extent(extent: Extent) -> sa.ColumnElement[bool]:
    if extent.everywhere:
        return sa.true()
    if extent.low:
        schools = sa.select(SchoolStage.school_id).where(
            SchoolStage.authority_code.between(extent.low, extent.high)
        )
        return sa.or_(User.region_code.between(extent.low, extent.high), User.school_id.in_(schools))
    return User.school_id == extent.school_id


def find(session: Session, by: Actor, user_id: int, *, lock: bool = False) -> User:
    """The account, if it lies in the reach of person:list or person:show. Raises Missing. `lock` for acts on it."""
    query = sa.select(User).where(User.id == user_id, within(by.reach("person:list", "person:show")))
    if lock:
        query = query.with_for_update(of=User).execution_options(populate_existing=True)
    found = session.scalar(query) if user_id < 2**31 else None
    if found is None:
        raise Missing()
    return found


def matches(typed: str) -> sa.ColumnElement[bool]:
    """The accounts meant by what was typed: the start of the account or of the name's pinyin or its initials; Chinese:
    a part of the name."""
    if not typed.isascii():
        return User.first_name.contains(typed, autoescape=True)
    account = logins.normal_name(typed)
    return sa.or_(User.username.startswith(account, autoescape=True), spelled(account))


def spelled(letters: str) -> sa.ColumnElement[bool]:
    """The accounts whose names begin with these initials, or with this pinyin, with blanks or without."""
    ways = dict.fromkeys([letters, *names.blanked(letters)])
    return sa.or_(
        User.name_initials.startswith(letters, autoescape=True),
        *(User.name_key.startswith(one, autoescape=True) for one in ways),
    )


# --- for pick lists: who may be named as class teacher ------------------------------------------------

NAMING = ("person:list", "person:show", "school_class:add", "school_class:edit")


def suggest(session: Session, by: Actor, typed: str, limit: int) -> list[tuple[int, str]]:
    query = sa.select(User.id, User.first_name, User.username).where(User.active, within(by.reach(*NAMING)))
    if typed:
        query = query.where(matches(typed))
    found = session.execute(query.order_by(User.id).limit(limit))
    return [(id_, with_note(name, username)) for id_, name, username in found]


def label(session: Session, by: Actor, user_id: int) -> str:
    extents = by.reach(*NAMING, "school_class:list", "school_class:show")
    query = sa.select(User.first_name).where(User.id == user_id, within(extents))
    return (session.scalar(query) if user_id < 2**31 else None) or _("（已不存在）")


# --- nobody acts on somebody who holds more -----------------------------------------------------------


def power_over(session: Session, by: Actor, user: User) -> Verdict:
    """Whether `by` may set this password: who sets it can log in with it, so it must not open more than he holds."""
    verdict = may(session, by, "person:edit", home_of(user))
    if not verdict:
        return verdict
    if by.id == user.id:
        return Verdict(False, _("这是您自己的账号。修改密码请到“个人设置”，停用账号请由其他管理员办理。"))
    if not grants.outranks_all(session, by, grants.held_grants(session, user.id)):
        return Verdict(False, _("%(name)s的权限超出了您的权限。请由上一级管理员办理。", name=user.first_name))
    return rights.YES


def require_power_over(session: Session, by: Actor, user: User) -> None:
    verdict = power_over(session, by, user)
    if not verdict:
        raise Denied(str(verdict))


# --- acts on others -----------------------------------------------------------------------------------


def open_account(
    session: Session,
    by: Actor,
    home: Home,
    typed: Mapping[str, str],
    password: str,
    *,
    hashed: str | None = None,
) -> User:
    """A new account that must change its one-time `password` at first login. `typed`: username, name, phone.

    `hashed`: of the password, where that was worked out before. Of many accounts the hashes would hold up everybody.
    Raises Denied without person:add, Invalid with every complaint otherwise.
    """
    rights.require(by, "person:add")
    complaints: list[tuple[str, str]] = []
    if not may(session, by, "person:add", home):
        complaints.append(("school_id", _("没有找到所选的学校，或它不在您的管理范围内。请重新选择。")))
    username = logins.normal_name(typed.get("username", ""))
    complaints += name_complaints(session, username)
    values = parse(typed, NAMED, complaints)
    complaints += double_complaints(session, values.get("name"), values.get("phone"))
    if complaints:
        raise Invalid(complaints)
    user = User(
        username=username,
        first_name=values["name"],
        last_name="",
        email=username + FAKE_ADDRESS,
        phone=values["phone"],
        active=True,
        school_id=home.school_id,
        region_code=home.region_code,
    )
    logins.set_hash(user, hashed or logins.hash_password(password), must_change=True)
    session.add(user)
    flush(session, [("username", taken(username))])
    audit.note(
        session,
        by,
        "open_account",
        "person",
        user.id,
        after={"username": username},
        **logins.place_words(session, user),
    )
    return user


def name_complaints(session: Session, username: str, person_id: int | None = None) -> Complaints:
    if not username:
        yield "username", _("必填项“%(label)s”为空。请填写后再保存。", label=_("账号"))
    elif not logins.ACCOUNT_NAME.fullmatch(username):
        yield "username", _("账号应以字母开头，由2到32个小写字母、数字、点、横线组成，如linxiaoyun。")
    elif not logins.is_name_free(session, username, person_id):
        yield "username", taken(username)


def taken(username: str) -> str:
    return _("账号“%(name)s”已有人使用。请换一个，如在后面加上数字。", name=username)


def double_complaints(
    session: Session, name: str | None, phone: str | None, besides: int | None = None
) -> Complaints:
    """One person, one account; whose the other one is, and where, stays unsaid."""
    if has_account(session, name, phone, besides):
        yield (
            "phone",
            _(
                "%(name)s（电话%(phone)s）已有账号，一人只开一个。在本单位的，请在“用户管理”中查找；"
                "在其他单位的，请由原单位先办理离任。",
                name=name,
                phone=phone,
            ),
        )


def has_account(session: Session, name: str | None, phone: str | None, besides: int | None = None) -> bool:
    """Whether this person has an account already, wherever: told by name and phone as `grants.is_same_person` does.
    An account whose person has left counts no more. Nothing else of other units is told."""
    if not name or not phone:
        return False
    query = sa.select(User.id).where(User.first_name == name, User.phone == phone, User.left_on.is_(None))
    return session.scalar(query.where(User.id != (besides or 0)).limit(1)) is not None


def flush(session: Session, clash: list[tuple[str, str]]) -> None:
    """Two people may choose the same at the same time: then the database decides, and says it in a sentence."""
    try:
        session.flush()
    except IntegrityError:
        raise Invalid(clash) from None


def parse(
    typed: Mapping[str, str], names: tuple[str, ...], complaints: list[tuple[str, str]]
) -> dict[str, Any]:
    """Typed text → values by ABOUT; what cannot be read joins the complaints."""
    values: dict[str, Any] = {}
    for name in names:
        field = ABOUT[name]
        try:
            values[name] = field.parse(typed.get(name))
        except Unreadable as reason:
            complaints.append((name, about(_(field.label), reason)))
            continue
        if values[name] is None and not field.nullable:
            complaints.append((name, _("必填项“%(label)s”为空。请填写后再保存。", label=_(field.label))))
    return values


def reset_password(session: Session, by: Actor, user: User, password: str) -> None:
    """A one-time password; ends the sessions and tokens of the account."""
    require_power_over(session, by, user)
    logins.set_password(user, password, must_change=True)
    audit.note(session, by, "reset_password", "person", user.id, **logins.place_words(session, user))


def version_of(user: User) -> int:
    """Stands for what an account's name and phone were when a page was made from them."""
    return zlib.crc32(f"{user.first_name}\0{user.phone or ''}".encode()) % 10**9


def named(user: User) -> dict[str, str]:
    """What the form of name and phone shows."""
    return {name: getattr(user, column) or "" for name, column in COLUMNS.items()}


def change_person(session: Session, by: Actor, user: User, typed: Mapping[str, str], version: int) -> None:
    """Another's name and phone; what is not in `typed` stays. Raises Denied, Stale, Invalid."""
    require_power_over(session, by, user)
    if version != version_of(user):
        raise Stale(_("%(name)s的姓名或电话刚被其他人修改过。请核对后再保存。", name=user.first_name))
    complaints: list[tuple[str, str]] = []
    now = {"name": user.first_name, "phone": user.phone}
    values = now | parse(typed, tuple(n for n in NAMED if n in typed), complaints)
    complaints += (
        double_complaints(session, values["name"], values["phone"], user.id) if values != now else ()
    )
    if complaints:
        raise Invalid(complaints)
    changed = [name for name in NAMED if values[name] != now[name]]
    for name in changed:
        setattr(user, COLUMNS[name], values[name])
    if changed:
        before, after = ({n: found[n] for n in changed} for found in (now, values))
        words = logins.place_words(session, user)
        audit.note(session, by, "edit", "person", user.id, before=before, after=after, **words)


def set_active(session: Session, by: Actor, user: User, active: bool) -> None:
    """Suspends or resumes an account. Its grants stay, its sessions end. Who had left comes back without grants.

    Raises Denied, Invalid where a school would be without its super-admin, or the person has another account by now.
    """
    require_power_over(session, by, user)
    if bool(user.active) == active:
        return
    if active:
        if complaints := list(double_complaints(session, user.first_name, user.phone, user.id)):
            raise Invalid(complaints)
    else:
        grants.require_heads(session, (), without=user)
    before = {"active": not active} | ({"left_on": user.left_on.isoformat()} if user.left_on else {})
    user.active, user.left_on = active, None
    logins.end_sessions(user)
    words = logins.place_words(session, user)
    audit.note(session, by, "edit", "person", user.id, before=before, after={"active": active}, **words)


def take_factor_off(session: Session, by: Actor, user: User) -> None:
    """For whoever lost phone and recovery codes: from now on the password alone lets in."""
    require_power_over(session, by, user)
    if not second_factor.is_on(user):
        raise Invalid(_("%(name)s没有开启两步登录，不需要解除。请刷新页面。", name=user.first_name))
    second_factor.turn_off(user)
    logins.end_sessions(user)
    audit.note(session, by, "factor_off", "person", user.id, **logins.place_words(session, user))


def unlock(session: Session, by: Actor, user: User) -> None:
    """Lifts the lock after failed logins before its time."""
    require(session, by, "person:edit", user)
    user.locked_until, user.fail_login_count = None, 0
    audit.note(session, by, "unlock", "person", user.id, **logins.place_words(session, user))
