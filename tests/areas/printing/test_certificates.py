"""Certificates of enrolment: what they say, who gives them out, and when they stop being valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.areas.printing import certificates
from app.areas.printing.certificates import STATES, State
from app.areas.printing.models import EnrolmentCertificate
from app.areas.students.models import Status, Student, today_here
from app.core import rights, saving, scope
from app.extensions import db
from tests import cast, pdfs
from tests.accounts import audit_of
from tests.cast import YIZHONG
from tests.client import Client

Login = Callable[..., Client]
ZIHAN, SIYUAN, PENDING = cast.pupil("王子涵"), cast.pupil("陈思远"), cast.pupil("刘浩然")
PATH = f"/print/student/{ZIHAN}/certificates"


def issue(client: Client, pupil: int = ZIHAN, days: str = "30") -> str:
    """The code that stands on a new certificate."""
    words = {"purpose": "办理医疗保险", "days": days}
    text = pdfs.text(client.post(f"/print/student/{pupil}/certificates/add", data=words))
    found = re.search(r"验证码：([0-9A-Z-]{19})", text)
    assert found, text
    return found[1]


def is_valid(client: Client, code: str) -> bool:
    answer = client.post("/verify/", data={"code": code})
    assert answer.status_code == 200
    assert ("有效。" in answer.text) != ("无效。" in answer.text)
    return "有效。" in answer.text


def alter(app: Flask, pupil: int, **words: Any) -> None:
    """As an approved change would."""
    by = rights.system("tests")
    with app.app_context(), scope.acting(db.session(), by), saving.work() as work:
        for name, value in words.items():
            setattr(work.session.get_one(Student, pupil), name, value)


def kept(app: Flask) -> list[EnrolmentCertificate]:
    with app.app_context():
        found = list(db.session.scalars(sa.select(EnrolmentCertificate)))
        db.session.expunge_all()
        return found


# --- giving out ---------------------------------------------------------------------------------------


def test_a_certificate_says_who_is_a_pupil_where(login: Login) -> None:
    answer = login("lin").post(PATH + "/add", data={"purpose": "办理医疗保险", "days": "90"})
    text = pdfs.text(answer)
    for words in (
        "在读证明",
        "王子涵",
        "性别女",
        "2014年3月5日",
        "2026级七年级（1）班",
        "办理医疗保险",
        f"{YIZHONG}（盖章）",
    ):
        assert words in text, words
    assert cast.id_number(ZIHAN) not in text
    assert "http://localhost/verify/" in text


def test_the_code_is_kept_nowhere(app: Flask, login: Login) -> None:
    code = issue(login("lin")).replace("-", "")
    (one,) = kept(app)
    assert code not in str(vars(one))
    assert (one.student_id, one.school_id, one.issued_by) == (ZIHAN, cast.school(YIZHONG), "林老师")
    assert one.valid_until == today_here() + timedelta(days=30)
    assert all(code not in str((line.reason, line.after)) for line in audit_of(app, "issue"))


def test_what_was_given_out_is_in_the_audit(app: Flask, login: Login) -> None:
    issue(login("lin"))
    (line,) = audit_of(app, "issue")
    assert (line.entity, line.student_id, line.actor_name) == ("certificate", ZIHAN, "林老师")
    assert "办理医疗保险" in (line.reason or "")
    (printed,) = audit_of(app, "export")
    assert (printed.reason, printed.student_id) == ("打印在读证明", ZIHAN)


@pytest.mark.parametrize("pupil", [SIYUAN, PENDING])
def test_who_is_not_enrolled_gets_none(app: Flask, login: Login, pupil: int) -> None:
    client = login("lin")
    answer = client.post(f"/print/student/{pupil}/certificates/add", data={"purpose": "参保", "days": "30"})
    assert answer.status_code == 422
    assert "不是“在校”" in answer.text
    assert "不是“在校”" in client.get(f"/print/student/{pupil}/certificates").text
    assert kept(app) == []


@pytest.mark.parametrize(
    ("who", "code"), [("lin", 200), ("zhao", 403), ("zhou", 403), ("chen", 403), ("li", 403), ("wang", 404)]
)
def test_only_who_holds_the_right_gives_them_out(login: Login, who: str, code: int) -> None:
    client = login(who)
    assert client.get(PATH).status_code == code
    assert client.post(PATH + "/add", data={"purpose": "参保", "days": "30"}).status_code == code


@pytest.mark.parametrize("who", ["zhao", "zhou", "chen"])
def test_who_may_not_give_one_out_reads_why_on_the_pupils_page(login: Login, who: str) -> None:
    page = login(who).get(f"/students/show/{ZIHAN}").text
    assert f'href="{PATH}"' not in page
    (why,) = re.findall(r"<strong>在读证明</strong>：<span[^>]*>([^<]+)</span>", page)
    assert "权限" in why


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"purpose": "参保"},
        {"purpose": "参保", "days": "31"},
        {"purpose": "参保", "days": "\0"},
        {"purpose": "参\0保", "days": "30"},
        {"purpose": "长" * 41, "days": "30"},
        {"purpose": "参保", "days": "30", "student_id": "2"},
    ],
)
def test_junk_is_refused_and_gives_nothing_out(app: Flask, login: Login, typed: dict[str, str]) -> None:
    assert login("lin").post(PATH + "/add", data=typed).status_code == 422
    assert kept(app) == []


# --- whether it is valid ------------------------------------------------------------------------------


def test_anybody_finds_a_new_certificate_valid_however_the_code_is_typed(
    login: Login, anonymous: Client
) -> None:
    code = issue(login("lin"))
    for typed in (code, code.lower(), code.replace("-", ""), f"  {code.replace('-', ' ')} "):
        assert is_valid(anonymous, typed), typed
    assert not is_valid(anonymous, code[:-1])
    assert not is_valid(anonymous, code + "0")


@pytest.mark.parametrize(
    "words",
    [
        {"status": Status.SUSPENDED},
        {"status": Status.TRANSFERRED_OUT},
        {"status": Status.GRADUATED},
        {"name": "王梓涵"},
        {"id_number": "LS20260009"},
    ],
    ids=lambda words: next(iter(words)),
)
def test_what_no_longer_holds_is_not_valid(
    app: Flask, login: Login, anonymous: Client, words: dict[str, Any]
) -> None:
    code = issue(login("lin"))
    alter(app, ZIHAN, **words)
    assert not is_valid(anonymous, code)


def test_it_ends_with_its_last_day(login: Login, anonymous: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    code, today = issue(login("lin")), today_here()
    monkeypatch.setattr(certificates, "today_here", lambda: today + timedelta(days=30))
    assert is_valid(anonymous, code)
    monkeypatch.setattr(certificates, "today_here", lambda: today + timedelta(days=31))
    assert not is_valid(anonymous, code)


def test_what_is_revoked_is_not_valid_and_the_others_are(app: Flask, login: Login, anonymous: Client) -> None:
    client = login("lin")
    first, second = issue(client), issue(client)
    id_ = min(one.id for one in kept(app))
    assert "不能恢复" in client.get(f"/print/certificate/{id_}/revoke").text
    assert client.post(f"/print/certificate/{id_}/revoke").status_code == 302
    assert client.post(f"/print/certificate/{id_}/revoke").status_code == 302
    assert not is_valid(anonymous, first)
    assert is_valid(anonymous, second)
    assert [line.actor_name for line in audit_of(app, "revoke")] == ["林老师"]
    page = client.get(PATH).text
    assert STATES[State.REVOKED] in page
    assert page.count("/revoke") == 1


def test_another_schools_clerk_revokes_nothing(app: Flask, login: Login) -> None:
    issue(login("lin"))
    (one,) = kept(app)
    assert login("wang").post(f"/print/certificate/{one.id}/revoke").status_code == 404
    assert login("zhao").post(f"/print/certificate/{one.id}/revoke").status_code == 403
    assert kept(app)[0].revoked_at is None


def test_the_state_follows_the_pupil(session: Session, acting: Callable[[str], Any]) -> None:
    with acting("system") as by:
        with saving.work() as work:
            student = work.session.get_one(Student, ZIHAN)
            made, _code = certificates.issue(work.session, by, student, "参保", 30)
        assert certificates.state_of(made, student) is State.VALID
        student.status = Status.TRANSFERRED_OUT
        assert certificates.state_of(made, student) is State.UNTRUE
        session.rollback()
