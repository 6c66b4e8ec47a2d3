"""Giving and taking default roles on the pages, and the rules of `rights.grant` and `rights.withdraw` behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.people import granting
from app.core import grants, rights, scope
from app.core.audit import AuditEntry
from app.core.errors import Denied, Invalid
from app.core.rights import Extent, Grant
from app.extensions import db
from tests import cast
from tests.accounts import follow, grant_to, role_id, text_of
from tests.client import Client

Login = Callable[..., Client]


def give(client: Client, username: str, **words: Any) -> Any:
    return client.post(f"/grants/add/{cast.person(username)}", data={"purpose": "use", **words})


def grants_of(app: Flask, username: str) -> list[Grant]:
    """Open grants, oldest first."""
    with app.app_context():
        query = sa.select(Grant).where(Grant.person_id == cast.person(username), Grant.withdrawn_at.is_(None))
        found = list(db.session.scalars(query.order_by(Grant.id)))
        db.session.expunge_all()
        db.session.remove()
        return found


def audited(app: Flask, action: str) -> list[tuple[Any, ...]]:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        entry = AuditEntry
        query = sa.select(entry.actor_name, entry.row_id, entry.school_id, entry.authority_code).where(
            entry.action == action, entry.actor_name != "seed"
        )
        found = [tuple(row) for row in db.session.execute(query.order_by(entry.id))]
        db.session.remove()
        return found


# --- on the pages ---------------------------------------------------------------------------------------


def test_a_role_for_one_class_shows_that_class_only(app: Flask, login: Login) -> None:
    class_id = cast.class_of(cast.YIZHONG, 7, 10)
    answer = give(
        login("li"), "zhao", role_id=role_id(app, "class_teacher"), class_ids=class_id, until="2099-08-31"
    )
    assert answer.status_code == 302
    made = grants_of(app, "zhao")[-1]
    assert (made.school_id, made.grade_ids, made.class_ids) == (cast.school(cast.YIZHONG), None, [class_id])
    assert (made.usable, made.passable, made.giver_id) == (True, False, cast.person("li"))
    assert granting.last_day(made.until) == date(2099, 8, 31)
    assert audited(app, "grant") == [("李老师", made.id, cast.school(cast.YIZHONG), cast.QINGLAN)]


def test_a_grant_counts_at_the_next_request_and_so_does_its_withdrawal(app: Flask, login: Login) -> None:
    zhou, li = login("zhou"), login("li")
    assert zhou.get(f"/students/show/{cast.pupil('周小雨')}").status_code == 404
    give(li, "zhou", role_id=role_id(app, "class_teacher"), class_ids=cast.class_of(cast.YIZHONG, 7, 10))
    assert zhou.get(f"/students/show/{cast.pupil('周小雨')}").status_code == 200
    li.post(f"/grants/withdraw/{grants_of(app, 'zhou')[-1].id}")
    assert zhou.get(f"/students/show/{cast.pupil('周小雨')}").status_code == 404
    assert zhou.get(f"/students/show/{cast.pupil('欧阳若曦')}").status_code == 200


FIRST, OTHER = cast.class_of(cast.YIZHONG, 7, 1), cast.class_of(cast.CHENGGUAN, 7, 1)


@pytest.mark.parametrize(
    ("role", "words", "says"),
    [
        ("", {}, "“角色”为空"),
        ("clerk", {"until": "2020-01-01"}, "截止日期已过"),
        ("clerk", {"until": "31/8/2099"}, "日期格式"),
        ("clerk", {"class_ids": OTHER}, "没有找到所选的年级或班级"),
        ("clerk", {"class_ids": 999}, "没有找到所选的年级或班级"),
        ("clerk", {"class_ids": "all"}, "没有找到所选的年级或班级"),
        ("clerk", {"grade_ids": cast.grade(cast.CHENGGUAN, 7)}, "没有找到所选的年级或班级"),
        ("clerk", {"grade_ids": [cast.grade(cast.YIZHONG, 8), OTHER + 999]}, "没有找到所选的年级或班级"),
        ("clerk", {"school_id": 2}, "没有“school_id”这一项"),
        ("clerk", {"passable": 1}, "没有“passable”这一项"),
        ("clerk", {"purpose": "rule"}, "没有这种用途"),
        ("clerk", {"purpose": []}, "请至少选择一项用途"),
        ("clerk", {"starts_on": "2020-01-01"}, "开始日期已过"),
        ("clerk", {"starts_on": "2099-09-01", "until": "2099-08-31"}, "截止日期早于开始日期"),
        ("class_teacher", {}, "只管所带的班级"),
        ("bureau_viewer", {}, "没有找到所选的角色"),
        ("bureau_admin", {}, "没有找到所选的角色"),
        ("school_all", {}, "没有找到所选的角色"),
        ("operator", {}, "没有找到所选的角色"),
    ],
)
def test_what_cannot_be_granted_is_said(
    app: Flask, login: Login, role: str, words: dict[str, Any], says: str
) -> None:
    before = len(grants_of(app, "zhao"))
    chosen = {"role_id": role_id(app, role)} if role else {}
    answer = give(login("li"), "zhao", **chosen, **words)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert len(grants_of(app, "zhao")) == before


def test_nobody_grants_to_himself(app: Flask, login: Login) -> None:
    answer = give(login("li"), "li", role_id=role_id(app, "clerk"))
    assert answer.status_code == 422
    assert "不能给自己授权" in text_of(answer)


def test_nobody_grants_past_the_own_end(app: Flask, login: Login) -> None:
    with app.app_context():
        ends = datetime.now(UTC) + timedelta(days=30)
        query = sa.update(Grant).where(Grant.person_id == cast.person("li"), Grant.passable)
        db.session.execute(query.values(until=ends))
        db.session.commit()
        db.session.remove()
    li, clerk = login("li"), role_id(app, "clerk")
    for until in ("", (ends + timedelta(days=5)).date().isoformat()):
        answer = give(li, "zhou", role_id=clerk, until=until)
        assert answer.status_code == 422
        assert "截止日期晚于您自己" in text_of(answer)
    assert (
        give(li, "zhou", role_id=clerk, until=(ends - timedelta(days=5)).date().isoformat()).status_code
        == 302
    )


def test_a_sub_admin_passes_on_and_everything_goes_with_his_grant(app: Flask, login: Login) -> None:
    li = login("li")
    make_sub_admin(app, "zhao")
    bundle = grants_of(app, "zhao")[-1]
    zhao = login("zhao")
    assert give(zhao, "zhou", role_id=role_id(app, "clerk")).status_code == 302

    page = li.get(f"/grants/withdraw/{bundle.id}")
    assert "小周的“学籍管理员”，青岚县第一中学全校" in text_of(page)
    assert "共2项" in text_of(follow(li, li.post(f"/grants/withdraw/{bundle.id}")))
    assert [g.role_id for g in grants_of(app, "zhou")] == [role_id(app, "class_teacher")]
    assert [row[0] for row in audited(app, "withdraw")] == ["李老师", "李老师"]
    assert give(zhao, "zhou", role_id=role_id(app, "clerk")).status_code == 422


def make_sub_admin(app: Flask, username: str) -> None:
    """Somebody who administers people and passes everything on, beside the super-admin."""
    grant_to(app, username, "super_admin")
    grant_to(app, username, "school_all", usable=False, passable=True)


def test_rights_do_not_travel_back_to_where_they_came_from(app: Flask, login: Login) -> None:
    """李老师 uses no pupil right; not through a colleague whom he made an admin either."""
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        li, zhao = (cast.actor(db.session(), name) for name in ("li", "zhao"))
        taker = db.session.get_one(User, zhao.id)
        whole = Extent.of(cast.school(cast.YIZHONG), None)
        grants.grant(
            db.session(), li, taker, role(db.session(), "school_all"), whole, usable=False, passable=True
        )
        db.session.commit()
        db.session.remove()
    grant_to(app, "zhao", "super_admin")
    answer = give(login("zhao"), "li", role_id=role_id(app, "clerk"))
    assert answer.status_code == 422
    assert "由对方转授而来" in text_of(answer)


def test_a_colleague_cannot_take_what_is_more_than_he_holds(app: Flask, login: Login) -> None:
    grant_to(app, "zhao", "super_admin")
    zhao, bundle = login("zhao"), next(g for g in grants_of(app, "li") if g.passable)
    for answer in (zhao.get(f"/grants/withdraw/{bundle.id}"), zhao.post(f"/grants/withdraw/{bundle.id}")):
        assert answer.status_code == 403
    assert f"/grants/withdraw/{bundle.id}" not in zhao.get(f"/people/show/{cast.person('li')}").text


def test_grants_of_strangers_and_withdrawn_ones_are_not_there(app: Flask, login: Login) -> None:
    li = login("li")
    for username in ("wang", "he", "sun"):
        assert li.post(f"/grants/withdraw/{grants_of(app, username)[0].id}").status_code == 404
    mine = grants_of(app, "zhou")[0].id
    assert li.post(f"/grants/withdraw/{mine}").status_code == 302
    assert li.get(f"/grants/withdraw/{mine}").status_code == 404
    assert li.post(f"/grants/withdraw/{mine}").status_code == 404


def test_the_page_of_a_person_says_role_extent_purpose_end_and_giver(login: Login) -> None:
    shown = text_of(login("he").get(f"/people/show/{cast.person('li')}"))
    assert "学校总管理员 青岚县第一中学全校 使用" in shown
    assert "学校全部可转授权限 青岚县第一中学全校 只用于转授" in shown
    assert "长期 系统安装时设定" in shown


def test_the_button_to_grant_to_oneself_is_greyed_with_its_reason(login: Login) -> None:
    page = text_of(login("li").get(f"/people/show/{cast.person('li')}"))
    assert "不能给自己授权。请由上一级管理员办理。" in page


# --- the rules ------------------------------------------------------------------------------------------


def role(session: Session, key: str) -> Role:
    return session.scalars(sa.select(Role).where(Role.name == f"default:{key}")).one()


def test_a_grant_whose_source_is_withdrawn_meanwhile_is_refused(session: Session) -> None:
    """李老师's request began before 何主任 took his bundle back."""
    li = cast.actor(session, "li")
    source = session.scalars(sa.select(Grant).where(Grant.person_id == li.id, Grant.passable)).one()
    with scope.acting(session, rights.system("tests")) as system:
        grants.withdraw(session, system, source)
    taker = session.get_one(User, cast.person("zhou"))
    with pytest.raises(Invalid, match="刚刚被收回"):
        grants.grant(session, li, taker, role(session, "clerk"), Extent.of(taker.school_id, None, None, None))


def test_the_county_cannot_grant_over_a_school_that_is_partly_the_citys(session: Session) -> None:
    he, taker = cast.actor(session, "he"), session.get_one(User, cast.person("zhou"))
    with pytest.raises(Invalid, match="授权范围超出"):
        grants.grant(session, he, taker, role(session, "clerk"), Extent.of(taker.school_id, None, None, None))


def test_no_authority_of_the_school_may_be_forgotten_in_withdrawing(session: Session) -> None:
    """一中 has two authorities: the admin of either may take back a grant over it."""
    with scope.acting(session, rights.system("tests")) as system:
        city = session.get_one(User, cast.person("cheng"))
        for grant in grants.held_grants(session, city.id):
            grants.withdraw(session, system, grant)
        whole = Extent.of(None, cast.CITY)
        grants.grant(session, system, city, role(session, "bureau_admin"), whole)
        grants.grant(session, system, city, role(session, "bureau_all"), whole, usable=False, passable=True)
        given = session.scalars(sa.select(Grant).where(Grant.person_id == cast.person("lin"))).one()
    cheng = rights.load_actor(session, city)
    with scope.acting(session, cheng):
        assert [one.id for one in grants.withdraw(session, cheng, given)] == [given.id]


def test_without_the_right_only_the_giver_takes_back(session: Session) -> None:
    given = session.scalars(sa.select(Grant).where(Grant.person_id == cast.person("zhou"))).one()
    for username in ("lin", "zhou", "wang", "sun", "xu"):
        by = cast.actor(session, username)
        with scope.acting(session, by), pytest.raises(Denied):
            grants.withdraw(session, by, given)


def test_a_grant_until_a_day_holds_through_that_day_here() -> None:
    ends = granting.end_of(date(2026, 8, 31))
    assert ends == datetime(2026, 8, 31, 16, 0, tzinfo=UTC)  # midnight in Shanghai
    assert granting.last_day(ends) == date(2026, 8, 31)
    assert granting.end_of(None) is None
