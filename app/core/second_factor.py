"""The second step of coming in: a code from the person's phone (TOTP, RFC 6238), or one of ten recovery codes.

Voluntary, unless the bureau requires it for a role. Secrets are sealed, recovery codes hashed; a code counts once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import UTC, datetime

import pyotp
import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import Role, User
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import grants, rights
from app.core.errors import Invalid
from app.core.fields import BigId, UtcDateTime
from app.core.places import authority_range
from app.core.rights import Actor, Grant
from app.core.sealing import seal, unseal

STEP = 30  # seconds for which a code stands
DRIFT = 1  # steps by which a phone's clock may be off
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # read aloud or copied from paper: no l, o, i, 0, 1
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
    codes = [
        "-".join("".join(secrets.choice(LETTERS) for _i in range(5)) for _j in range(2))
        for _k in range(RECOVERY_CODES)
    ]
    user.recovery_codes = [_hash(code) for code in codes]
    return codes


# --- using it -----------------------------------------------------------------------------------------


def accepts(user: User, typed: str) -> bool:
    """Whether this is the code of now, or a recovery code; either is used up by it. Wants the account's row locked."""
    return _accepts_code(user, typed) or _accepts_recovery(user, typed)


def _accepts_code(user: User, typed: str) -> bool:
    secret = unseal("totp", user.totp_secret or "")
    step = _step_of(secret, typed, user.totp_step) if secret is not None else None
    if step is None:
        return False
    user.totp_step = step
    return True


def _step_of(secret: str, typed: str, last: int | None) -> int | None:
    """The step that the code belongs to, later than the last one used; None for a wrong or used code."""
    code = typed.strip().replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return None
    now = int(datetime.now(UTC).timestamp()) // STEP
    totp = pyotp.TOTP(secret, interval=STEP)
    for step in range(now - DRIFT, now + DRIFT + 1):
        if secrets.compare_digest(totp.at(step * STEP), code) and (last is None or step > last):
            return step
    return None


def _accepts_recovery(user: User, typed: str) -> bool:
    code = _hash(typed.strip().lower())
    kept = list(user.recovery_codes or ())
    if code not in kept:
        return False
    user.recovery_codes = [one for one in kept if one != code]
    return True


def _hash(code: str) -> str:
    return hashlib.sha256(f"recovery {code}".encode()).hexdigest()


# --- required by the bureau ---------------------------------------------------------------------------


def is_required(session: Session, user: User) -> bool:
    """Whether a role that the person holds wants the second factor where it is held (a school's own copy as its
    template)."""
    held = grants.held_grants(session, user.id)
    rules = list(session.scalars(sa.select(SecondFactorRule))) if held else []
    return any(_concerns(session, given, rules) for given in held)


def _concerns(session: Session, given: Grant, rules: Collection[SecondFactorRule]) -> bool:
    asked = {given.role_id, given.role.template_id}
    ranges = [authority_range(rule.region_code) for rule in rules if rule.role_id in asked]
    codes = grants.authorities_of(session, given.school_id) or (given.region_code,)
    return any(low <= code <= high for low, high in ranges for code in codes if code)


def require(session: Session, by: Actor, region_code: str, roles: Collection[Role]) -> None:
    """Exactly these roles want the second factor in the region. Belongs inside `saving.work()`. Raises Denied."""
    rights.require(by, "second_factor:require", rights.Place(None, region_code))
    here = SecondFactorRule.region_code == region_code
    session.execute(
        sa.delete(SecondFactorRule).where(here, SecondFactorRule.role_id.not_in([r.id for r in roles]))
    )
    known = set(session.scalars(sa.select(SecondFactorRule.role_id).where(here)))
    for role in roles:
        if role.id not in known:
            session.add(
                SecondFactorRule(
                    region_code=region_code, role_id=role.id, set_by=by.id, set_at=datetime.now(UTC)
                )
            )
    session.flush()
