"""What was typed into a form and not saved: kept for its person, sealed, until it is saved, thrown away, or 30 days old.

A draft belongs to a person and the address of a form. It is what was typed, not a record: nothing in it was checked, and
nobody else reads it. Passwords and form tokens are never kept (surfaces.drafts leaves them out).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import saving
from app.core.errors import Invalid
from app.core.fields import BigId, UtcDateTime
from app.core.jobs import by_the_clock
from app.core.sealing import seal, unseal

KEEP = timedelta(days=30)
MOST = 50  # of one person; the oldest gives way
LONGEST = 200_000  # characters of one draft
LONGEST_PATH, LONGEST_TITLE = 200, 120


class FormDraft(Model):
    """表单草稿：谁在哪个表单里填写了什么，尚未保存；内容加密存放。"""

    __tablename__ = "form_draft"
    __table_args__ = (sa.UniqueConstraint("person_id", "path"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("ab_user.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(sa.String(LONGEST_PATH))
    title: Mapped[str] = mapped_column(sa.String(LONGEST_TITLE), default="")
    sealed: Mapped[str] = mapped_column(sa.Text)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as its person finds it again; `typed` are the posted names and values, in order."""

    path: str
    title: str
    saved_at: datetime
    typed: tuple[tuple[str, str], ...]


def keep(
    session: Session, person_id: int, path: str, title: str, typed: Iterable[tuple[str, str]]
) -> datetime:
    """Keeps what was typed in place of an earlier draft of this form. Belongs inside `saving.work()`. Raises Invalid."""
    text = json.dumps([list(pair) for pair in typed], ensure_ascii=False)
    if len(text) > LONGEST or len(path) > LONGEST_PATH:
        raise Invalid(_("填写的内容太多，不能暂存为草稿。请先保存，或减少内容。"))
    found = session.scalar(_one(person_id, path).with_for_update())
    if found is None:
        _make_room(session, person_id)
        found = FormDraft(person_id=person_id, path=path)
        session.add(found)
    found.title, found.sealed = title[:LONGEST_TITLE], seal("draft", text)
    found.saved_at = datetime.now(UTC)
    session.flush()
    return found.saved_at


def _one(person_id: int, path: str) -> sa.Select[Any]:
    return sa.select(FormDraft).where(FormDraft.person_id == person_id, FormDraft.path == path)


def _make_room(session: Session, person_id: int) -> None:
    latest = (
        sa.select(FormDraft.id).where(FormDraft.person_id == person_id).order_by(FormDraft.saved_at.desc())
    )
    surplus = session.scalars(latest.offset(MOST - 1)).all()
    session.execute(sa.delete(FormDraft).where(FormDraft.id.in_(surplus)))


def find(session: Session, person_id: int, path: str) -> Draft | None:
    """The draft of this form. One that cannot be unsealed any more (the key changed) counts as none."""
    found = session.scalar(_one(person_id, path))
    return _opened(found) if found is not None else None


def _opened(found: FormDraft) -> Draft | None:
    text = unseal("draft", found.sealed)
    if text is None:
        return None
    return Draft(
        found.path, found.title, found.saved_at, tuple((name, value) for name, value in json.loads(text))
    )


def drop(session: Session, person_id: int, path: str) -> None:
    """After the form was saved, or its person threw the draft away. Belongs inside `saving.work()`."""
    session.execute(sa.delete(FormDraft).where(FormDraft.person_id == person_id, FormDraft.path == path))


def of_person(session: Session, person_id: int) -> list[FormDraft]:
    """The latest first; the contents stay sealed."""
    query = sa.select(FormDraft).where(
        FormDraft.person_id == person_id, FormDraft.saved_at > datetime.now(UTC) - KEEP
    )
    return list(session.scalars(query.order_by(FormDraft.saved_at.desc(), FormDraft.id.desc())))


@by_the_clock(minute="40", hour="19")  # 03:40 in Asia/Shanghai
def throw_old_drafts_away() -> int:
    """Returns how many went."""
    with saving.work() as work:
        done = work.session.execute(sa.delete(FormDraft).where(FormDraft.saved_at < datetime.now(UTC) - KEEP))
    return int(getattr(done, "rowcount", 0))
