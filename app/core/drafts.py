"""What was typed into a form and not saved: kept for its person, sealed, until it is saved, thrown away, or 30 days old.

A draft belongs to a person and the address of a form. It is what was typed, not a record: nothing in it was checked, and
nobody else reads it. What of a form may be kept is decided in surfaces.drafts; here it is only kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask_appbuilder import Model
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import saving
from app.core.errors import Invalid, Missing, Stale
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


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What is kept of a form: `pairs` are posted names and values, in order; `shown` is what was changed, as (label, text),
    for reading where the form itself is gone; `window` the page that sent it, "" for one without script."""

    pairs: Pairs
    shown: Pairs
    window: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as its person finds it again. `typed` is None where it cannot be unsealed any more: the key has changed."""

    id: int
    path: str
    title: str
    saved_at: datetime
    typed: Typed | None

    @property
    def ends_at(self) -> datetime:
        return self.saved_at + KEEP


# --- keeping ------------------------------------------------------------------------------------------


def keep(
    session: Session, person_id: int, path: str, title: str, typed: Typed, since: str | None = None
) -> datetime | None:
    """Keeps what was typed in place of an earlier draft of this form. Belongs inside `saving.work()`.

    Where nothing is changed any more there is nothing to keep: the draft goes, and the answer is None. `since` is the
    `mark` of the draft that the sending page began with. Raises Stale where another window has kept something else
    meanwhile (None: not compared), Invalid for too much.
    """
    text = json.dumps([typed.pairs, typed.shown, typed.window], ensure_ascii=False)
    require_room(len(text), path)
    _one_at_a_time(session, person_id)
    found = session.scalar(_of(person_id).where(FormDraft.path == path))
    if found is not None and since is not None and not _goes_on(found, typed.window, since):
        raise Stale(
            _("这张表单在另一个窗口或设备上也在填写，草稿以那边为准，本页的内容没有暂存。请只在一处填写。")
        )
    if not typed.shown:
        drop(session, person_id, path)
        return None
    if found is None:
        _make_room(session, person_id)
        found = FormDraft(person_id=person_id, path=path)
        session.add(found)
    found.title, found.sealed = title[:LONGEST_TITLE], seal("draft", text)
    found.saved_at = datetime.now(UTC)
    session.flush()
    return found.saved_at


def require_room(characters: int, path: str) -> None:
    """Raises Invalid for more than a draft may hold."""
    if characters > LONGEST or len(path) > LONGEST_PATH:
        raise Invalid(_("填写的内容太多，不能暂存为草稿。请先保存，或减少内容。"))


def mark(saved_at: datetime | None) -> str:
    """By which a page says which draft it began with; "" for none."""
    return saved_at.isoformat() if saved_at is not None else ""


def _one_at_a_time(session: Session, person_id: int) -> None:
    """Two windows of one person that keep at the same moment: the second waits."""
    query = sa.select(User.id).where(User.id == person_id)
    session.execute(query.with_for_update(key_share=True))


def _goes_on(found: FormDraft, window: str, since: str) -> bool:
    if mark(found.saved_at) == since or found.saved_at <= datetime.now(UTC) - KEEP:
        return True
    typed = _unsealed(found)
    return typed is None or typed.window == window


def _make_room(session: Session, person_id: int) -> None:
    latest = sa.select(FormDraft.id).where(FormDraft.person_id == person_id)
    latest = latest.order_by(FormDraft.saved_at.desc(), FormDraft.id.desc())
    surplus = session.scalars(latest.offset(MOST - 1)).all()
    session.execute(sa.delete(FormDraft).where(FormDraft.id.in_(surplus)))


# --- finding ------------------------------------------------------------------------------------------


def _of(person_id: int) -> sa.Select[FormDraft]:
    return sa.select(FormDraft).where(FormDraft.person_id == person_id)


def _alive(person_id: int) -> sa.Select[FormDraft]:
    """Those that are not too old, whether the night has taken the others away or not."""
    return _of(person_id).where(FormDraft.saved_at > datetime.now(UTC) - KEEP)


def find(session: Session, person_id: int, path: str) -> Draft | None:
    """The draft of this form. One that cannot be unsealed any more counts as none."""
    found = session.scalar(_alive(person_id).where(FormDraft.path == path))
    draft = _opened(found) if found is not None else None
    return draft if draft is not None and draft.typed is not None else None


def get(session: Session, person_id: int, draft_id: int) -> Draft:
    """One of the person's drafts by its number. Raises Missing, also for another's."""
    found = session.scalar(_alive(person_id).where(FormDraft.id == draft_id)) if draft_id < 2**63 else None
    if found is None:
        raise Missing(_("没有找到这份草稿。它可能已保存、已放弃，或超过30天。"))
    return _opened(found)


def of_person(session: Session, person_id: int) -> list[Draft]:
    """The latest first."""
    query = _alive(person_id).order_by(FormDraft.saved_at.desc(), FormDraft.id.desc())
    return [_opened(found) for found in session.scalars(query)]


def count(session: Session, person_id: int) -> int:
    """How many `of_person` lists."""
    return session.scalar(sa.select(sa.func.count()).select_from(_alive(person_id).subquery())) or 0


def _opened(found: FormDraft) -> Draft:
    return Draft(found.id, found.path, found.title, found.saved_at, _unsealed(found))


def _unsealed(found: FormDraft) -> Typed | None:
    text = unseal("draft", found.sealed)
    if text is None:
        return None
    pairs, shown, window = json.loads(text)
    return Typed(tuple(map(tuple, pairs)), tuple(map(tuple, shown)), window)


# --- going --------------------------------------------------------------------------------------------


def drop(session: Session, person_id: int, path: str) -> None:
    """After the form was saved, or its person threw the draft away. Belongs inside `saving.work()`."""
    session.execute(sa.delete(FormDraft).where(FormDraft.person_id == person_id, FormDraft.path == path))


@by_the_clock(minute="40", hour="19")  # 03:40 in Asia/Shanghai
def throw_old_drafts_away() -> int:
    """Returns how many went."""
    with saving.work() as work:
        done = work.session.execute(sa.delete(FormDraft).where(FormDraft.saved_at < datetime.now(UTC) - KEEP))
    return int(getattr(done, "rowcount", 0))
