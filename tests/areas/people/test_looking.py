"""Looking on as another: who may, what is shown, that nothing is written, that it ends, and that both names are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User

from app.core import rights, scope, viewing
from app.core.audit import AuditEntry
from app.extensions import db
from tests import cast
from tests.accounts import follow, grant_to, text_of
from tests.client import Client

Login = Callable[..., Client]


def begin(client: Client, username: str) -> Any:
    return client.post(f"/people/look/{cast.person(username)}")


def widen_li(app: Flask) -> None:
    """李老师 with the leader's view of the school beside his own work."""
    grant_to(app, "li", "leader")


@pytest.mark.parametrize(
    ("by", "other", "status"),
    [
        ("li", "lin", 302),
        ("li", "zhou", 302),
        ("li", "li", 403),
        ("li", "wang", 404),
        ("li", "he", 404),
        ("he", "wang", 302),
        ("he", "chen", 302),
        ("he", "li", 403),  # 一中's senior part is the city's: he holds more than 何主任
        ("he", "gao", 404),
        ("lin", "zhou", 403),
        ("chen", "sun", 403),
        ("ops", "cheng", 403),
    ],
)
def test_only_persons_below(login: Login, by: str, other: str, status: int) -> None:
    assert begin(login(by), other).status_code == status


def test_what_is_shown_is_what_both_may_see(app: Flask, login: Login) -> None:
    """李老师 uses no pupil right: with 小周's eyes he sees none either. With the leader's view he sees 小周's class."""
    li = login("li")
    begin(li, "zhou")
    assert li.get("/students/list/").status_code == 403
    li.post("/people/look/end")
    widen_li(app)
    begin(li, "zhou")
    page = li.get("/students/list/").text
    assert "欧阳若曦" in page
    assert "周小雨" not in page, "of another class"
    assert li.get(f"/students/show/{cast.pupil('周小雨')}").status_code == 404
    assert li.get(f"/students/edit/{cast.pupil('欧阳若曦')}").status_code == 403, "小周 may, 李老师 may not"
    assert li.get("/people/list/").status_code == 403, "李老师 may, 小周 may not"


def test_nothing_is_written_meanwhile(app: Flask, login: Login) -> None:
    widen_li(app)
    li = login("li")
    begin(li, "lin")
    pupil = cast.pupil("欧阳若曦")
    for path in (f"/students/edit/{pupil}", "/reveal/student", "/account/edit", "/account/password"):
        answer = li.post(path, data={"version": 1, "address": "新街9号", "id": pupil, "reason": "核对"})
        assert answer.status_code == 403, path
        assert "不能保存" in text_of(answer)
    for method in ("post", "put", "delete"):
        url = "/api/v1/students/" + ("" if method == "post" else str(pupil))
        assert getattr(li, method)(url, json={}, headers={"If-Match": '"1"'}).status_code == 403
    assert li.post("/search/students", data={"q": "oyrx"}).status_code == 302, "searching is a look"
    assert li.post("/lists/find/students", data={"pasted": "欧阳若曦"}).status_code == 200, "and so is this"
    with app.app_context():
        looking = viewing.looking_as(
            db.session(), cast.actor(db.session(), "li"), cast.actor(db.session(), "lin")
        )
        assert looking.looks_as
        from app.areas.students.models import Student

        with scope.acting(db.session(), looking):
            db.session.get_one(Student, pupil).address = "新街9号"
            with pytest.raises(Exception, match="不能保存"):
                db.session.flush()
            db.session.rollback()
        db.session.remove()


def test_a_banner_says_so_and_ends_it(login: Login) -> None:
    li = login("li")
    page = follow(li, begin(li, "zhou"))
    assert "正在以小周的视角查看" in page.text
    assert "/people/look/end" in page.text
    ended = follow(li, li.post("/people/look/end"))
    assert "已结束以他人视角查看" in text_of(ended)
    assert "正在以小周" not in li.get("/").text


def test_it_ends_after_a_quarter_of_an_hour(login: Login) -> None:
    li = login("li")
    begin(li, "zhou")
    with li.session_transaction() as kept:
        person_id, until = kept["look_as"]
        kept["look_as"] = [person_id, until - viewing.LOOK_FOR.total_seconds() - 1]
    assert "以他人视角查看已结束" in text_of(li.get("/"))
    assert li.get("/people/list/").status_code == 200


def test_it_ends_when_the_other_comes_to_hold_more_or_is_suspended(app: Flask, login: Login) -> None:
    li = login("li")
    begin(li, "zhou")
    grant_to(app, "zhou", "bureau_viewer", extent=rights.Extent.of(None, cast.QINGLAN))
    assert "以他人视角查看已结束" in text_of(li.get("/"))
    begin(li, "lin")
    with app.app_context():
        db.session.execute(sa.update(User).where(User.username == "lin").values(active=False))
        db.session.commit()
        db.session.remove()
    assert "以他人视角查看已结束" in text_of(li.get("/"))


def test_both_names_stand_in_the_log(app: Flask, login: Login) -> None:
    widen_li(app)
    li = login("li")
    begin(li, "lin")
    li.get(f"/students/show/{cast.pupil('欧阳若曦')}")
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        entry = AuditEntry
        query = sa.select(entry.actor_name, entry.actor_id, entry.action, entry.subject)
        found = db.session.execute(
            query.where(entry.action.in_(("look_as", "show"))).order_by(entry.id)
        ).all()
        db.session.remove()
    assert [tuple(row) for row in found] == [
        ("李老师", cast.person("li"), "look_as", "林老师"),
        ("李老师（林老师的视角）", cast.person("li"), "show", "欧阳若曦"),
    ]
