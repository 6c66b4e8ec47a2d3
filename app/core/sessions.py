"""The sessions of an account: one row for each login in a browser, so that a person can see and end them.

The cookie carries a random word, the database its hash: whoever reads the table cannot enter. How a session idles out is
the cookie's (surfaces.security); tokens have no session.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.fields import BigId, UtcDateTime

KEEP = timedelta(days=90)  # rows of sessions long over
LONGEST_DEVICE = 400  # characters; programs inside a messenger name themselves last


class LoginSession(Model):
    """登录会话：谁在哪台设备上、何时登录，何时最后活动，何时结束。"""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sid: Mapped[str] = mapped_column(sa.String(64), unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    address: Mapped[str] = mapped_column(sa.String(45), default="")
    device: Mapped[str] = mapped_column(sa.String(LONGEST_DEVICE), default="")
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


def hash_of(sid: str) -> str:
    return hashlib.sha256(sid.encode()).hexdigest()


def is_open(person_id: Any, hashed: Any) -> sa.ColumnElement[bool]:
    """Whether this session of this person goes on; `hashed` is the hash of the cookie's word."""
    return sa.exists().where(
        LoginSession.sid == hashed, LoginSession.person_id == person_id, LoginSession.ended_at.is_(None)
    )


def start(session: Session, person_id: int, sid: str, address: str, device: str) -> None:
    """Belongs inside `saving.work()`."""
    now = datetime.now(UTC)
    session.execute(
        sa.delete(LoginSession).where(LoginSession.person_id == person_id, LoginSession.seen_at < now - KEEP)
    )
    session.add(
        LoginSession(
            sid=hash_of(sid),
            person_id=person_id,
            started_at=now,
            seen_at=now,
            address=address[:45],
            device=device[:LONGEST_DEVICE],
        )
    )
    session.flush()


def touch(session: Session, sid: str) -> None:
    """Notes that the session is in use."""
    mine = LoginSession.sid == hash_of(sid)
    session.execute(sa.update(LoginSession).where(mine).values(seen_at=datetime.now(UTC)))


def end(session: Session, sid: str) -> None:
    _end(session, LoginSession.sid == hash_of(sid))


def end_all(session: Session, person_id: int) -> None:
    _end(session, LoginSession.person_id == person_id)


def end_one(session: Session, person_id: int, session_id: int) -> bool:
    """One of the person's sessions by its number; another's is left alone. Whether there was one to end."""
    return _end(session, LoginSession.person_id == person_id, LoginSession.id == session_id) > 0


def _end(session: Session, *which: sa.ColumnElement[bool]) -> int:
    query = sa.update(LoginSession).where(*which, LoginSession.ended_at.is_(None))
    done = session.execute(
        query.values(ended_at=datetime.now(UTC)), execution_options={"synchronize_session": False}
    )
    return int(getattr(done, "rowcount", 0))


def open_ones(session: Session, person_id: int, idle_after: timedelta) -> list[LoginSession]:
    """The sessions that have not ended and not idled out, the latest first."""
    seen_since = datetime.now(UTC) - idle_after
    query = sa.select(LoginSession).where(
        LoginSession.person_id == person_id,
        LoginSession.ended_at.is_(None),
        LoginSession.seen_at > seen_since,
    )
    return list(session.scalars(query.order_by(LoginSession.seen_at.desc(), LoginSession.id.desc())))
