"""The second step of coming in: a code from the person's phone (TOTP, RFC 6238), or one of ten recovery codes.

Voluntary, unless the bureau requires it for a role. Secrets are sealed, recovery codes hashed; a code counts once.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime

import pyotp
import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import audit, grants, rights
from app.core.errors import Invalid
from app.core.fields import BigId, UtcDateTime
from app.core.places import authority_range
from app.core.rights import Actor, Grant
from app.core.sealing import fingerprint, seal, unseal

STEP = 30  # seconds for which a code stands
DRIFT = 1  # steps by which a phone's clock may be off
DIGITS = 6
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # read aloud or copied from paper: no l, o, i, 0, 1
LONGEST_TYPED = 40  # characters of a code, blanks and hyphens included
ISSUER = "学籍台"


class SecondFactorRule(Model):
    """两步登录规定：主管部门规定本区域内担任某角色的人员必须两步登录。"""

    __tablename__ = "second_factor_rule"
    __table_args__ = (sa.UniqueConstraint("region_code", "role_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    region_code: Mapped[str] = mapped_column(sa.String(6))
    role_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_role.id", ondelete="CASCADE"))
    set_by: Mapped[int | None] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="RESTRICT"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)


# --- setting up and taking off ------------------------------------------------------------------------


def new_secret() -> str:
    return pyotp.random_base32()


def address_of(user: User, secret: str) -> str:
    """What the phone's program reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)


def is_on(user: User) -> bool:
    return user.totp_since is not None


def turn_on(user: User, secret: str, typed: str) -> list[str]:
    """Takes the secret once the phone has shown a right code for it. Gives the recovery codes: they are shown once.

    Wants the account's row locked. Raises Invalid.
    """
    step = _step_of(secret, typed, None)
    if step is None:
        raise Invalid([("code", _("验证码不正确。请确认手机时间准确，输入程序当前显示的6位数字。"))])
    user.totp_secret, user.totp_since, user.totp_step = seal("totp", secret), datetime.now(UTC), step
    return new_recovery_codes(user)


def turn_off(user: User) -> None:
    user.totp_secret = user.totp_since = user.totp_step = user.recovery_codes = None


def new_recovery_codes(user: User) -> list[str]:
    """Ten codes in place of those before."""
    codes = [f"{_letters(5)}-{_letters(5)}" for _one in range(RECOVERY_CODES)]
    user.recovery_codes = [_mark(_tidy(code)) for code in codes]
    return codes


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _one in range(count))


def codes_left(user: User) -> int:
    return len(user.recovery_codes or ())


# --- using it -----------------------------------------------------------------------------------------


def accepts(user: User, typed: str) -> bool:
    """Whether this is the code of now, or a recovery code; either is used up by it. Wants the account's row locked."""
    return is_on(user) and (_accepts_code(user, typed) or _accepts_recovery(user, typed))


def _accepts_code(user: User, typed: str) -> bool:
    secret = unseal("totp", user.totp_secret or "")
    step = _step_of(secret, typed, user.totp_step) if secret is not None else None
    if step is None:
        return False
    user.totp_step = step
    return True


def _step_of(secret: str, typed: str, last: int | None) -> int | None:
    """The step that the code belongs to, later than the last one used; None for a wrong or used code."""
    code = _tidy(typed)
    if not re.fullmatch(rf"[0-9]{{{DIGITS}}}", code):
        return None
    now = int(datetime.now(UTC).timestamp()) // STEP
    totp = pyotp.TOTP(secret, interval=STEP)
    for step in range(now - DRIFT, now + DRIFT + 1):
        if secrets.compare_digest(totp.at(step * STEP), code) and (last is None or step > last):
            return step
    return None


def _accepts_recovery(user: User, typed: str) -> bool:
    mark = _mark(_tidy(typed))
    kept = list(user.recovery_codes or ())
    if mark not in kept:
        return False
    user.recovery_codes = [one for one in kept if one != mark]
    return True


def _tidy(typed: str) -> str:
    """Half width, small, without blanks and hyphens: as people and their keyboards differ."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed[:LONGEST_TYPED])).lower()


def _mark(code: str) -> str:
    return fingerprint("recovery", code)


# --- required by the bureau ---------------------------------------------------------------------------


def is_due(session: Session, user: User) -> bool:
    """Whether the person must set it up before anything else."""
    return not is_on(user) and is_required(session, user)


def is_required(session: Session, user: User) -> bool:
    """Whether a role that the person holds wants the second factor where it is held; a copy as what it was copied
    from."""
    roots = grants.made_from(sa.select(SecondFactorRule.role_id))
    query = (
        sa.select(SecondFactorRule.region_code, Grant)
        .join(roots, roots.c.root == SecondFactorRule.role_id)
        .join(Grant, Grant.role_id == roots.c.id)
        .where(Grant.person_id == user.id, Grant.usable, grants.held())
    )
    return any(_lies_in(session, given, region) for region, given in session.execute(query))


def _lies_in(session: Session, given: Grant, region_code: str) -> bool:
    codes = grants.authorities_of(session, given.school_id) or (given.region_code,)
    return any(_covers(region_code, code) for code in codes if code)


def rules_over(session: Session, region_code: str) -> list[SecondFactorRule]:
    """The region's own rules, and those of the regions it belongs to."""
    found = session.scalars(sa.select(SecondFactorRule).order_by(SecondFactorRule.id))
    return [rule for rule in found if _covers(rule.region_code, region_code)]


def _covers(region_code: str, other: str) -> bool:
    low, high = authority_range(region_code)
    return low <= other <= high


def require(session: Session, by: Actor, region_code: str, roles: Collection[Role]) -> None:
    """Exactly these roles want the second factor in the region. Belongs inside `saving.work()`. Raises Denied."""
    rights.require(by, "second_factor:require", rights.Place(None, region_code))
    query = sa.select(SecondFactorRule, Role.name).join(Role, Role.id == SecondFactorRule.role_id)
    known = {
        rule.role_id: (rule, name)
        for rule, name in session.execute(query.where(SecondFactorRule.region_code == region_code))
    }
    wanted = {role.id: role for role in roles}
    for role_id in known.keys() - wanted.keys():
        session.delete(known[role_id][0])
    for role_id in wanted.keys() - known.keys():
        session.add(
            SecondFactorRule(region_code=region_code, role_id=role_id, set_by=by.id, set_at=datetime.now(UTC))
        )
    session.flush()
    before, after = sorted(name for _rule, name in known.values()), sorted(r.name for r in wanted.values())
    if before != after:
        audit.note(
            session,
            by,
            "edit",
            "second_factor_rule",
            before={"roles": before},
            after={"roles": after},
            authority_code=region_code,
        )
