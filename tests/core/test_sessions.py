"""The sessions of an account: opened, seen, idled out, ended; and that their table lets nobody in."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core import sessions
from app.core.sessions import LoginSession
from tests import cast, clock
from tests.clock import Clock

LIN, ZHOU = cast.person("lin"), cast.person("zhou")
IDLE = timedelta(minutes=30)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return clock.stop(monkeypatch, sessions)


def start(session: Session, *sids: str, person: int = LIN) -> None:
    for sid in sids:
        sessions.start(session, person, sid, "10.0.0.1", f"browser of {sid}")


def open_devices(session: Session, person: int = LIN) -> list[str]:
    return [one.device.removeprefix("browser of ") for one in sessions.open_ones(session, person, IDLE)]


def is_open(session: Session, sid: str, person: int = LIN) -> bool:
    return bool(session.scalar(sa.select(sessions.is_open(person, sessions.hash_of(sid)))))


def test_open_ones_come_the_latest_first(session: Session, now: Clock) -> None:
    start(session, "desk")
    now.move(minutes=1)
    start(session, "phone")
    start(session, "other", person=ZHOU)
    assert open_devices(session) == ["phone", "desk"]
    now.move(minutes=1)
    sessions.touch(session, "desk")
    assert open_devices(session) == ["desk", "phone"]


def test_what_was_not_used_for_half_an_hour_is_no_longer_listed(session: Session, now: Clock) -> None:
    start(session, "desk", "phone")
    now.move(minutes=29)
    sessions.touch(session, "desk")
    now.move(minutes=2)
    assert open_devices(session) == ["desk"]


def test_a_session_is_its_persons_alone(session: Session, now: Clock) -> None:
    start(session, "desk")
    assert is_open(session, "desk")
    assert not is_open(session, "desk", ZHOU)
    assert not is_open(session, "guessed")


def test_an_ended_session_stays_ended(session: Session, now: Clock) -> None:
    start(session, "desk", "phone")
    sessions.end(session, "desk")
    sessions.touch(session, "desk")
    assert open_devices(session) == ["phone"]
    assert not is_open(session, "desk")


def test_ending_one_by_its_number_reaches_no_other_person(session: Session, now: Clock) -> None:
    start(session, "desk")
    [desk] = sessions.open_ones(session, LIN, IDLE)
    assert not sessions.end_one(session, ZHOU, desk.id)
    assert is_open(session, "desk")
    assert sessions.end_one(session, LIN, desk.id)
    assert not sessions.end_one(session, LIN, desk.id), "there is none left to end"
    assert not is_open(session, "desk")


def test_ending_all_ends_the_persons_own(session: Session, now: Clock) -> None:
    start(session, "desk", "phone")
    start(session, "other", person=ZHOU)
    sessions.end_all(session, LIN)
    assert open_devices(session) == []
    assert open_devices(session, ZHOU) == ["other"]


def test_the_table_does_not_hold_the_cookies_word(session: Session, now: Clock) -> None:
    start(session, "a word")
    kept = session.execute(sa.select(LoginSession.sid, LoginSession.device, LoginSession.address)).one()
    assert kept.sid not in ("a word", "")
    assert not is_open(session, kept.sid)


def test_long_ago_is_forgotten_at_the_next_login_of_the_person(session: Session, now: Clock) -> None:
    start(session, "old")
    start(session, "other", person=ZHOU)
    now.move(days=91)
    start(session, "new")
    kept = session.execute(sa.select(LoginSession.person_id, LoginSession.device).order_by(LoginSession.id))
    assert [tuple(row) for row in kept] == [(ZHOU, "browser of other"), (LIN, "browser of new")]


def test_what_a_browser_says_of_itself_is_cut_to_what_fits(session: Session, now: Clock) -> None:
    sessions.start(session, LIN, "desk", "x" * 300, "y" * 3_000)
    [desk] = sessions.open_ones(session, LIN, IDLE)
    assert (len(desk.address), len(desk.device)) == (45, sessions.LONGEST_DEVICE)
