"""Drafts where they lie: what was typed comes back as it was, to its person alone, unreadable to everybody else."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.core import drafts, saving
from app.core.drafts import KEEP, LONGEST, LONGEST_PATH, MOST, Draft, FormDraft, Typed
from app.core.errors import Invalid, Missing, Stale
from app.extensions import db
from tests import cast

LIN, ZHOU = cast.person("lin"), cast.person("zhou")
ADD, EDIT = "/students/add", "/students/edit/3"

NAMES = st.one_of(
    st.sampled_from(("name", "address", "version", "class_id__text")),
    st.builds("family_member-{}-{}".format, st.integers(0, 99), st.sampled_from(("id", "name", "gone"))),
    st.text(max_size=20),
)
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(("", "𠮷𬱖", "阿依古丽·买买提", "a\0b", "\r\n", "👩‍👧", "\u202e", '"\\', "140****0003")),
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=30).map(tuple)


def typed(text: str = "高晓松", window: str = "") -> Typed:
    return Typed((("name", text),), (("姓名", text),), window)


def keep(person: int, path: str, what: Typed, since: str | None = None) -> datetime | None:
    with saving.work() as work:
        return drafts.keep(work.session, person, path, "新增学生", what, since)


def found(session: Session, path: str = ADD, person: int = LIN) -> Draft:
    draft = drafts.find(session, person, path)
    assert draft is not None
    return draft


def text_in(draft: Draft) -> str:
    assert draft.typed is not None
    return draft.typed.pairs[0][1]


def age(session: Session, path: str, by: timedelta) -> None:
    """As if it had been kept so long ago."""
    mine = FormDraft.path == path
    session.execute(sa.update(FormDraft).where(mine).values(saved_at=datetime.now(UTC) - by))
    session.commit()


# --- there and back -----------------------------------------------------------------------------------


@given(pairs=PAIRS, shown=PAIRS.filter(bool), window=st.text(max_size=40))
@settings(max_examples=60)
def test_what_was_typed_comes_back_as_it_was(session: Session, pairs: Any, shown: Any, window: str) -> None:
    what = Typed(pairs, shown, window)
    keep(LIN, ADD, what)
    session.rollback()
    assert found(session).typed == what


def test_names_that_were_posted_twice_stay_twice_and_in_order(session: Session) -> None:
    pairs = (("a", "1"), ("b", "2"), ("a", "3"))
    keep(LIN, ADD, Typed(pairs, pairs))
    assert found(session).typed == Typed(pairs, pairs)


def test_a_form_has_one_draft_and_the_latest_stays(session: Session) -> None:
    for text in ("first", "second"):
        keep(LIN, ADD, typed(text))
    keep(LIN, EDIT, typed("another form"))
    assert text_in(found(session)) == "second"
    assert [draft.path for draft in drafts.of_person(session, LIN)] == [EDIT, ADD]


def test_what_is_as_it_was_needs_no_draft(session: Session) -> None:
    keep(LIN, ADD, typed())
    assert keep(LIN, ADD, Typed((("name", ""),), ())) is None
    assert drafts.find(session, LIN, ADD) is None


def test_a_draft_that_is_dropped_is_gone_and_no_other(session: Session) -> None:
    for path in (ADD, EDIT):
        keep(LIN, path, typed())
    with saving.work() as work:
        drafts.drop(work.session, LIN, ADD)
        drafts.drop(work.session, ZHOU, EDIT)
    assert [draft.path for draft in drafts.of_person(session, LIN)] == [EDIT]


def test_a_work_that_fails_keeps_and_drops_nothing(session: Session) -> None:
    keep(LIN, ADD, typed("before"))
    with pytest.raises(Invalid), saving.work() as work:
        drafts.drop(work.session, LIN, ADD)
        drafts.keep(work.session, LIN, EDIT, "", typed())
        work.complaints.append(("", "因故不能保存。"))
    assert [(one.path, text_in(one)) for one in drafts.of_person(session, LIN)] == [(ADD, "before")]


# --- whose they are -----------------------------------------------------------------------------------


def test_nobody_finds_anothers_draft(session: Session) -> None:
    keep(LIN, ADD, typed())
    id_ = found(session).id
    assert drafts.get(session, LIN, id_).path == ADD
    assert drafts.find(session, ZHOU, ADD) is None
    assert drafts.of_person(session, ZHOU) == []
    assert drafts.count(session, ZHOU) == 0
    for person, number in ((ZHOU, id_), (LIN, id_ + 1), (LIN, 2**63), (LIN, 0)):
        with pytest.raises(Missing):
            drafts.get(session, person, number)


def test_the_database_holds_nothing_that_can_be_read(session: Session) -> None:
    what = Typed((("name", "高晓松"),), (("姓名", "高晓松"),), "a window")
    keep(LIN, ADD, what)
    row = session.execute(sa.select(sa.inspect(FormDraft).columns)).one()
    for word in ("高晓松", "姓名", "name", "a window", "\\u9ad8"):
        assert not [value for value in row if word in str(value)], word
    keep(ZHOU, ADD, what)
    sealed = session.scalars(sa.select(FormDraft.sealed)).all()
    assert len(set(sealed)) == 2, "the same words look the same to nobody"


def test_under_another_key_a_draft_is_listed_but_cannot_be_read(
    session: Session, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(LIN, ADD, typed())
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key, as long as it should be")
    assert drafts.find(session, LIN, ADD) is None
    assert [draft.typed for draft in drafts.of_person(session, LIN)] == [None]
    keep(LIN, ADD, typed("again"), since="")
    assert text_in(found(session)) == "again"


# --- two windows --------------------------------------------------------------------------------------


def test_another_window_does_not_write_over_what_it_has_not_seen(session: Session) -> None:
    first = keep(LIN, ADD, typed("first", "one"), since="")
    with pytest.raises(Stale, match="另一个窗口"):
        keep(LIN, ADD, typed("second", "two"), since="")
    with pytest.raises(Stale):
        keep(LIN, ADD, Typed((), (), "two"), since="")
    keep(LIN, ADD, typed("first goes on", "one"), since="")
    with pytest.raises(Stale):
        keep(LIN, ADD, typed("second", "two"), since=drafts.mark(first))
    assert text_in(found(session)) == "first goes on"


def test_a_window_that_was_opened_with_the_draft_goes_on_with_it(session: Session) -> None:
    first = keep(LIN, ADD, typed("first", "one"), since="")
    keep(LIN, ADD, typed("elsewhere", "two"), since=drafts.mark(first))
    assert text_in(found(session)) == "elsewhere"
    with pytest.raises(Stale):
        keep(LIN, ADD, typed("first", "one"), since="")


def test_without_script_the_last_who_keeps_is_right(session: Session) -> None:
    keep(LIN, ADD, typed("first", "one"), since="")
    keep(LIN, ADD, typed("by hand"))
    assert text_in(found(session)) == "by hand"


def test_what_is_too_old_stands_in_nobodys_way(session: Session) -> None:
    keep(LIN, ADD, typed("old", "one"), since="")
    age(session, ADD, KEEP)
    keep(LIN, ADD, typed("new", "two"), since="")
    assert text_in(found(session)) == "new"


def test_two_windows_at_the_same_moment_make_one_draft(app: Flask, session: Session) -> None:
    together = threading.Barrier(4)
    outcomes: list[str] = []

    def write(window: str) -> None:
        with app.app_context():
            together.wait()
            try:
                keep(LIN, ADD, typed(window, window), since="")
                outcomes.append(window)
            except Stale:
                outcomes.append("stale")
            db.session.remove()

    threads = [threading.Thread(target=write, args=(f"window {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[:3] == ["stale"] * 3
    assert text_in(found(session)) == max(outcomes)
    assert drafts.count(session, LIN) == 1


# --- how much, how long -------------------------------------------------------------------------------


def test_the_longest_draft_is_kept_and_a_longer_one_refused(session: Session) -> None:
    shown = (("姓名", "高"),)
    around = len('[[["name", ""]], [["姓名", "高"]], ""]')
    keep(LIN, ADD, Typed((("name", "长" * (LONGEST - around)),), shown))
    assert len(text_in(found(session))) == LONGEST - around
    with pytest.raises(Invalid, match="内容太多"):
        keep(LIN, ADD, Typed((("name", "长" * (LONGEST - around + 1)),), shown))
    with pytest.raises(Invalid):
        keep(LIN, "/" * (LONGEST_PATH + 1), typed())
    assert drafts.count(session, LIN) == 1


def test_the_oldest_gives_way_when_there_are_too_many(session: Session) -> None:
    keep(ZHOU, ADD, typed())
    for number in range(MOST + 1):
        keep(LIN, f"/students/edit/{number}", typed())
    assert drafts.count(session, LIN) == len(drafts.of_person(session, LIN)) == MOST
    assert drafts.find(session, LIN, "/students/edit/0") is None
    assert drafts.find(session, LIN, "/students/edit/1") is not None
    keep(LIN, "/students/edit/1", typed("again"))
    assert drafts.count(session, LIN) == MOST
    assert drafts.count(session, ZHOU) == 1


def test_after_thirty_days_a_draft_is_not_there_and_the_night_takes_it_away(session: Session) -> None:
    for path in (ADD, EDIT):
        keep(LIN, path, typed())
    age(session, ADD, KEEP - timedelta(minutes=1))
    age(session, EDIT, KEEP + timedelta(minutes=1))
    assert [draft.path for draft in drafts.of_person(session, LIN)] == [ADD]
    assert drafts.count(session, LIN) == 1
    assert drafts.find(session, LIN, EDIT) is None
    assert drafts.throw_old_drafts_away() == 1
    assert session.scalars(sa.select(FormDraft.path)).all() == [ADD]
    assert drafts.throw_old_drafts_away() == 0


def test_every_worker_has_the_cleaning_in_its_calendar(app: Flask) -> None:
    names = {type(task).__name__ for task in app.extensions["queue"]._registry.periodic_tasks}
    assert "throw_old_drafts_away" in names


def test_the_end_is_thirty_days_after_the_last_word(session: Session) -> None:
    at = keep(LIN, ADD, typed())
    draft = found(session)
    assert (draft.saved_at, draft.ends_at, draft.title) == (at, at + timedelta(days=30), "新增学生")
