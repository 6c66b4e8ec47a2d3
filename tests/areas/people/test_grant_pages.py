"""The pages of grants: the lists, one grant with what was passed on under it, giving, another end, taking back, the
bureau's yes or no to a leader, and the warning before a grant lapses.

What may be given is tested in tests/core/test_grants.py and test_granting.py.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.datastructures import MultiDict

from app.areas.people import granting
from app.core.fields import HERE
from app.core.rights import Grant
from app.extensions import db
from tests import cast
from tests.accounts import audit_of, follow, grant_to, role_id, text_of
from tests.areas.people.test_granting import grants_of
from tests.areas.people.test_role_pages import copy, give, rows
from tests.client import Client
from tests.forms import JSON, Form, opened

Login = Callable[..., Client]
TODAY = datetime.now(HERE).date()
LISTS = ("list", "given", "own", "waiting")


# --- what is asked again and again -----------------------------------------------------------------------


def day(ahead: int) -> str:
    return (TODAY + timedelta(days=ahead)).isoformat()


def end(app: Flask, grant_id: int, **ahead: float) -> None:
    """Lets a grant end so far from now, as time would."""
    with app.app_context():
        until = datetime.now(UTC) + timedelta(**ahead)
        db.session.execute(sa.update(Grant).where(Grant.id == grant_id).values(until=until))
        db.session.commit()
        db.session.remove()


def grant_of(app: Flask, grant_id: int) -> Grant:
    with app.app_context():
        found = db.session.get_one(Grant, grant_id)
        db.session.expunge_all()
        db.session.remove()
        return found


def whom(person: Client, path: str) -> list[str]:
    """The names and roles in a list of grants."""
    answer = person.get(path)
    assert answer.status_code == 200, path
    return [f"{row[0]} {row[1]}" for row in rows(answer)] if "<tbody" in answer.text else []


def choose_leader(app: Flask, li: Client, username: str = "zhou") -> int:
    """李老师 chooses a leader, who waits for the bureau."""
    li.post(f"/grants/withdraw/{grants_of(app, 'zhao')[0].id}")
    return give(app, li, username, role_id(app, "leader"))


def pass_on(app: Flask, login: Login) -> tuple[int, int, int]:
    """李老师 → 小周 → 林老师 → 赵副校长: the ids of the three grants."""
    li = login("li")
    admin, clerk = copy(app, li, "super_admin", label="副管理员"), copy(app, li, label="可转授的")
    give(app, li, "zhou", admin)
    first = give(app, li, "zhou", clerk, purpose="pass", until="2099-12-31")
    give(app, li, "lin", admin)
    second = give(app, login("zhou"), "lin", clerk, purpose="pass", until="2099-11-30")
    third = give(app, login("lin"), "zhao", role_id(app, "class_teacher"), class_ids=1, until="2099-10-31")
    return first, second, third


def cards(person: Client) -> dict[str, tuple[str, str]]:
    """Label → (number, address) of the cards about grants on the first page."""
    found = re.findall(
        r'<a class="card-link" href="([^"]+)"><span class="number[^"]*">(\S+)</span><span class="name">(.*?)</span>',
        person.get("/").text,
    )
    return {
        name: (number, html.unescape(path)) for path, number, name in found if path.startswith("/grants/")
    }


# --- the lists --------------------------------------------------------------------------------------------


def test_a_line_says_who_holds_what_where_from_when_until_when_and_from_whom(
    app: Flask, login: Login
) -> None:
    li = login("li")
    words = {"class_ids": cast.class_of(cast.YIZHONG, 7, 2), "until": "2099-08-31"}
    give(app, li, "zhao", role_id(app, "class_teacher"), **words)
    assert rows(li.get("/grants/list/"))[0] == (
        "赵副校长",
        "班主任",
        "七年级（2）班",
        "使用",
        TODAY.isoformat(),
        "2099-08-31",
        "李老师",
        "有效",
    )


def test_each_list_has_what_its_name_says(app: Flask, login: Login) -> None:
    li, he = login("li"), login("he")
    everyone = {"小周 班主任", "赵副校长 主管学籍领导", "林老师 学籍管理员"}
    mine = ["李老师 学校全部可转授权限", "李老师 学校总管理员"]
    assert set(whom(li, "/grants/list/")) == everyone | set(mine)
    assert whom(li, "/grants/own/") == mine
    assert whom(li, "/grants/given/") == []
    give(app, li, "lin", role_id(app, "class_teacher"), class_ids=1)
    assert whom(li, "/grants/given/") == ["林老师 班主任"]
    choose_leader(app, li)
    assert whom(he, "/grants/waiting/") == ["小周 主管学籍领导"]
    assert li.get("/grants/waiting/").status_code == 403
    lin = login("lin")
    assert whom(lin, "/grants/own/") == ["林老师 班主任", "林老师 学籍管理员"]
    assert lin.get("/grants/list/").status_code == 403


def test_a_school_sees_no_grants_of_others_and_the_bureau_those_of_its_schools(login: Login) -> None:
    assert not {"王老师 学籍管理员", "何主任 主管部门管理员"} & set(whom(login("li"), "/grants/list/"))
    seen = set(whom(login("he"), "/grants/list/"))
    assert {"王老师 学籍管理员", "李老师 学校总管理员", "何主任 主管部门管理员"} <= seen
    assert not {"高老师 学籍管理员", "程科员 主管部门审核"} & seen


def test_filters_by_person_and_role_are_shown_and_can_be_taken_off(app: Flask, login: Login) -> None:
    li, lin = login("li"), cast.person("lin")
    give(app, li, "lin", role_id(app, "class_teacher"), class_ids=1)
    answer = li.get(f"/grants/list/?person={lin}&role={role_id(app, 'clerk')}")
    assert [row[:2] for row in rows(answer)] == [("林老师", "学籍管理员")]
    assert "人员：林老师" in text_of(answer)
    assert "角色：学籍管理员" in text_of(answer)
    assert f'href="/grants/list/?person={lin}"' in answer.text
    assert whom(li, f"/grants/list/?person={cast.person('wang')}") == []
    assert "没有符合条件的授权" in text_of(li.get(f"/grants/list/?person={cast.person('wang')}"))
    assert "王老师" not in text_of(li.get(f"/grants/list/?person={cast.person('wang')}"))


def test_every_state_has_its_filter_and_its_word(app: Flask, login: Login) -> None:
    li = login("li")
    teacher = role_id(app, "class_teacher")
    later = give(app, li, "lin", teacher, class_ids=1, starts_on=day(10))
    soon = give(app, li, "lin", teacher, class_ids=2, until=day(20))
    over = give(app, li, "lin", teacher, class_ids=3, until=day(1))
    end(app, over, days=-1)
    gone = give(app, li, "lin", teacher, class_ids=4)
    li.post(f"/grants/withdraw/{gone}")
    waits = choose_leader(app, li)
    states = {
        "later": [(later, "未开始")],
        "lapsing": [(soon, "即将到期")],
        "waiting": [(waits, "待确认")],
    }
    for state, found in states.items():
        answer = li.get(f"/grants/given/?state={state}")
        assert [row[7] for row in rows(answer)] == [word for _id, word in found], state
        assert [f'href="/grants/show/{id_}"' in answer.text for id_, _word in found] == [True], state
    assert [row[7] for row in rows(li.get("/grants/given/?state=ended"))] == ["已收回", "已到期"]
    assert [row[7] for row in rows(li.get("/grants/given/?state=open"))] == ["即将到期"]
    assert len(rows(li.get("/grants/given/"))) == 3, "what has ended is not in the way"


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "query", ["state=x", "person=x", "role=0", "role=-1", "person=99999999999", "q=x", "after=x", "before=0"]
)
def test_a_list_refuses_what_it_does_not_know(login: Login, name: str, query: str) -> None:
    assert login("he").get(f"/grants/{name}/?{query}").status_code == 422


def test_pages_follow_each_other_and_lead_back(app: Flask, login: Login) -> None:
    li, teacher = login("li"), role_id(app, "class_teacher")
    for number in range(46):
        grant_to(app, "zhou", "class_teacher", until=datetime.now(UTC) + timedelta(days=100 + number))
    answer = li.get(f"/grants/list/?role={teacher}")
    assert "共47条" in text_of(answer)
    first = li.get("/grants/list/")
    assert len(rows(first)) == 50
    path = re.search(r'href="(/grants/list/\?after=\d+)"', first.text)
    assert path
    second = li.get(path[1])
    assert [row[0] for row in rows(second)] == ["李老师"]
    back = re.search(r'href="(/grants/list/\?before=\d+)"', second.text)
    assert back
    assert rows(li.get(back[1])) == rows(first)


# --- one grant --------------------------------------------------------------------------------------------


def test_the_tree_of_what_was_passed_on_and_the_way_up(app: Flask, login: Login) -> None:
    first, second, third = pass_on(app, login)
    answer = login("li").get(f"/grants/show/{first}")
    told = text_of(answer)
    assert "由它转授的授权（2项）" in told
    assert re.search(r"林老师 可转授的 \S+全校 只用于转授 2099-11-30 小周 有效", told)
    assert re.search(r"└ 赵副校长 班主任 七年级（1）班 使用 2099-10-31 林老师 有效", told)
    assert f'href="/grants/show/{second}"' in answer.text
    below = text_of(login("li").get(f"/grants/show/{third}"))
    above = below[below.index("它的来源，由近到远") :]
    assert re.findall(r"林老师|小周|李老师", above) == ["林老师", "小周", "李老师"]
    assert "这项授权不能转授。" in below


def test_what_has_ended_is_no_longer_in_the_tree_and_stays_to_be_read(app: Flask, login: Login) -> None:
    first, second, third = pass_on(app, login)
    li = login("li")
    li.post(f"/grants/withdraw/{second}")
    assert "没有由它转授的授权。" in text_of(li.get(f"/grants/show/{first}"))
    told = text_of(li.get(f"/grants/show/{third}"))
    assert "已收回" in told
    assert "收回人 李老师" in told
    page = li.get(f"/grants/show/{third}").text
    assert "/grants/withdraw/" not in page
    assert "/grants/renew/" not in page


def test_whoever_gave_a_grant_keeps_seeing_it(app: Flask, login: Login) -> None:
    _first, second, third = pass_on(app, login)
    li = login("li")
    for given in grants_of(app, "zhou"):
        li.post(f"/grants/withdraw/{given.id}")
    zhou = login("zhou")
    assert zhou.get("/grants/list/").status_code == 403
    assert whom(zhou, "/grants/given/?state=ended") == ["林老师 可转授的"]
    assert "已收回" in text_of(zhou.get(f"/grants/show/{second}"))
    assert zhou.get(f"/grants/show/{third}").status_code == 403


def test_ones_own_grant_is_found_under_ones_own(app: Flask, login: Login) -> None:
    lin, pk = login("lin"), grants_of(app, "lin")[0].id
    answer = lin.get(f"/grants/show/{pk}")
    assert "首页 个人设置 我的授权 学籍管理员" in text_of(answer)
    assert f"/grants/withdraw/{pk}" not in answer.text
    assert f"/grants/renew/{pk}" not in answer.text


def test_acts_that_are_not_ones_own_to_do_say_why(app: Flask, login: Login) -> None:
    grant_to(app, "zhou", "super_admin")
    answer = login("zhou").get(f"/grants/show/{grants_of(app, 'lin')[0].id}")
    assert "这项授权超出了您的权限" in text_of(answer)


# --- giving -----------------------------------------------------------------------------------------------


def test_first_the_person_is_chosen_then_what(app: Flask, login: Login) -> None:
    li = login("li")
    answer = li.post("/grants/add", data={"person_id": cast.person("zhou"), "person_id__text": "小周"})
    assert answer.location == f"/grants/add/{cast.person('zhou')}"
    for value in ("", "x", "0", str(cast.person("wang")), "9" * 30):
        answer = li.post("/grants/add", data={"person_id": value})
        assert answer.status_code == 422, value
        assert "请从列出的人员中选择" in text_of(answer)
    assert li.post("/grants/add", data={"person_id": cast.person("zhou"), "x": "1"}).status_code == 422


def test_the_roles_on_offer_are_those_one_may_pass_on_and_that_suit_the_person(
    app: Flask, login: Login
) -> None:
    li, he = login("li"), login("he")
    own = copy(app, li)
    offered = opened(li, f"/grants/add/{cast.person('zhou')}").options["role_id"]
    assert offered == [
        "",
        *(str(role_id(app, key)) for key in ("clerk", "leader", "class_teacher")),
        str(own),
    ]
    of_bureau = opened(he, f"/grants/add/{cast.person('sun')}").options["role_id"]
    assert str(role_id(app, "bureau_reviewer")) in of_bureau
    assert str(role_id(app, "clerk")) not in of_bureau
    of_school = opened(he, f"/grants/add/{cast.person('wang')}").options["role_id"]
    assert str(role_id(app, "super_admin")) in of_school


def test_a_grant_from_a_day_on_does_not_count_before(app: Flask, login: Login) -> None:
    li = login("li")
    given = give(app, li, "zhou", role_id(app, "clerk"), starts_on=day(5), until=day(50))
    assert (text_of(li.get(f"/grants/show/{given}"))).count("未开始") == 1
    assert login("zhou").get("/students/add").status_code == 403


def test_what_was_typed_stays_when_it_is_refused(app: Flask, login: Login) -> None:
    li, path = login("li"), f"/grants/add/{cast.person('zhou')}"
    sent = MultiDict(
        [("role_id", str(role_id(app, "clerk"))), ("purpose", "use"), ("purpose", "pass"), ("until", day(-5))]
    )
    sent.setlist("class_ids", ["1", "2"])
    answer = li.post(path, data=sent)
    assert answer.status_code == 422
    assert 'href="#f-until"' in answer.text
    values = Form(answer.text).values
    assert (values["role_id"], values["until"]) == (str(role_id(app, "clerk")), day(-5))
    ticked = re.findall(r'name="(class_ids|purpose)" value="(\w+)"[^>]* checked', answer.text)
    assert ticked == [("class_ids", "1"), ("class_ids", "2"), ("purpose", "use"), ("purpose", "pass")]


def test_classes_that_were_ticked_come_back_with_the_draft(app: Flask, login: Login) -> None:
    li, path = login("li"), f"/grants/add/{cast.person('zhou')}"
    form = opened(li, path)
    sent = MultiDict([("draft_path", path), ("draft_owner", form.words["data-draft-owner"])])
    sent.update({"draft_window": "one", "draft_since": form.words["data-draft-since"]})
    sent.setlist("class_ids", ["1", "2", "4"])  # and the purpose that the form opens with is taken off
    assert li.post("/drafts/keep", data=sent, headers=JSON).status_code == 200
    ticked = re.findall(r'name="(class_ids|purpose)" value="(\w+)"[^>]* checked', li.get(path).text)
    assert ticked == [("class_ids", "1"), ("class_ids", "2"), ("class_ids", "4")]


@pytest.mark.parametrize(
    "words",
    [
        {"role_id": "x"},
        {"role_id": "9" * 30},
        {"role_id": "\0"},
        {"class_ids": "999"},
        {"class_ids": "x"},
        {"class_ids": str(cast.class_of(cast.CHENGGUAN, 7, 1))},
        {"grade_ids": "9" * 40},
        {"purpose": "all"},
        {"until": "soon"},
        {"until": "9999-99-99"},
        {"starts_on": "\0"},
        {"giver_id": "1"},
        {"under_id": "1"},
        {"awaits": ""},
        {"school_id": "2"},
        {"region_code": cast.QINGLAN},
    ],
)
def test_junk_gives_nothing(app: Flask, login: Login, words: dict[str, str]) -> None:
    sent = {"role_id": str(role_id(app, "clerk")), "purpose": "use"} | words
    answer = login("li").post(f"/grants/add/{cast.person('zhou')}", data=sent)
    assert answer.status_code == 422
    assert len(grants_of(app, "zhou")) == 1


# --- another end ------------------------------------------------------------------------------------------


def test_a_grant_is_given_another_end_and_what_was_passed_on_stays(app: Flask, login: Login) -> None:
    first, second, _third = pass_on(app, login)
    li, path = login("li"), f"/grants/renew/{first}"
    assert opened(li, path).values["until"] == "2099-12-31"
    answer = li.post(path, data={"until": "2098-12-31"})
    assert answer.status_code == 422
    assert "由它转授的授权晚于这一天到期" in text_of(answer)
    assert Form(answer.text).values["until"] == "2098-12-31"
    shown = follow(li, li.post(path, data={"until": "2100-01-31"}))
    assert "已改小周的授权的截止日期" in text_of(shown)
    assert "截止日期 2100-01-31" in text_of(shown)
    assert "由它转授的授权（2项）" in text_of(shown)
    assert grant_of(app, first).withdrawn_at is not None
    assert grant_of(app, second).withdrawn_at is None
    assert li.get(path).status_code == 404


@pytest.mark.parametrize(
    ("until", "says"),
    [
        (day(-1), "截止日期已过"),
        ("2099-12-31", "截止日期没有变"),
        ("soon", "日期格式"),
        ("\0", "截止日期"),
        ("9" * 500, "截止日期"),
    ],
)
def test_ends_that_cannot_be_are_refused(app: Flask, login: Login, until: str, says: str) -> None:
    li = login("li")
    given = give(app, li, "zhou", role_id(app, "clerk"), until="2099-12-31")
    answer = li.post(f"/grants/renew/{given}", data={"until": until})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert grant_of(app, given).withdrawn_at is None
    assert li.post(f"/grants/renew/{given}", data={"until": day(9), "role_id": "1"}).status_code == 422


def test_nobody_gives_longer_than_he_has_himself(app: Flask, login: Login) -> None:
    _first, second, _third = pass_on(app, login)
    answer = login("zhou").post(f"/grants/renew/{second}", data={"until": "2100-01-31"})
    assert answer.status_code == 422
    assert "晚于您自己授权的截止日期" in text_of(answer)


# --- taking back ------------------------------------------------------------------------------------------


def test_before_it_is_taken_back_one_reads_who_loses_what(app: Flask, login: Login) -> None:
    first, second, third = pass_on(app, login)
    li = login("li")
    asked = text_of(li.get(f"/grants/withdraw/{first}"))
    assert f"将收回小周的“可转授的”（{cast.YIZHONG}全校）" in asked
    assert f"将一并处理 林老师的“可转授的”，{cast.YIZHONG}全校 赵副校长的“班主任”，七年级（1）班" in asked
    assert grant_of(app, first).is_held
    shown = follow(li, li.post(f"/grants/withdraw/{first}"))
    assert "已收回小周的授权，共3项" in text_of(shown)
    assert not any(grant_of(app, one).is_held for one in (first, second, third))
    ended = [row.row_id for row in audit_of(app, "withdraw")]
    assert ended[-3:] == [first, second, third]


def test_the_last_super_admin_is_not_taken_back(app: Flask, login: Login) -> None:
    he, head = login("he"), grant_to(app, "wang", "super_admin")
    assert "收回后立即生效" in text_of(he.get(f"/grants/withdraw/{head}"))
    answer = he.post(f"/grants/withdraw/{head}")
    assert answer.status_code == 422
    assert "学校将没有总管理员" in text_of(answer)
    assert grant_of(app, head).is_held


# --- the bureau's yes or no -------------------------------------------------------------------------------


def test_a_leader_chosen_by_the_school_waits_and_is_confirmed(app: Flask, login: Login) -> None:
    li, he = login("li"), login("he")
    given = choose_leader(app, li)
    assert "已选定小周为“主管学籍领导”，待主管部门确认后生效" in text_of(li.get("/"))
    assert cards(he)["待确认的主管学籍领导"] == ("1", "/grants/waiting/")
    assert "待确认的主管学籍领导" not in cards(li)
    asked = text_of(he.get(f"/grants/confirm/{given}"))
    assert f"李老师选定小周为“主管学籍领导”（{cast.YIZHONG}全校，截止日期：长期）" in asked
    assert grant_of(app, given).awaits
    shown = text_of(follow(he, he.post(f"/grants/confirm/{given}")))
    assert "已确认小周为“主管学籍领导”" in shown
    assert "确认人 何主任" in shown
    assert "有效" in shown
    assert cards(he) == {}
    assert he.post(f"/grants/confirm/{given}").status_code == 422
    assert [row.actor_name for row in audit_of(app, "confirm")] == ["何主任"]


def test_the_bureaus_no_has_a_reason_that_the_school_reads(app: Flask, login: Login) -> None:
    li, he = login("li"), login("he")
    given = choose_leader(app, li)
    path = f"/grants/refuse/{given}"
    for reason in ("", "不", "长" * 201, "a\0b", "  "):
        answer = he.post(path, data={"reason": reason})
        assert answer.status_code == 422, reason
        assert "请填写不予确认的理由" in text_of(answer)
    assert he.post(path, data={"reason": "任职文件不全", "x": "1"}).status_code == 422
    assert Form(he.post(path, data={"reason": "长" * 201}).text).values["reason"] == "长" * 201
    follow(he, he.post(path, data={"reason": "任职文件不全"}))
    told = text_of(li.get(f"/grants/show/{given}"))
    assert "未获确认" in told
    assert "不予确认的人 何主任" in told
    assert "不予确认的理由 任职文件不全" in told
    assert rows(li.get("/grants/given/?state=ended"))[0][7] == "未获确认"
    assert whom(he, "/grants/waiting/") == []


def test_a_leader_chosen_by_the_bureau_itself_does_not_wait(app: Flask, login: Login) -> None:
    he = login("he")
    he.post(f"/grants/withdraw/{grants_of(app, 'wang')[0].id}")
    given = give(app, he, "wang", role_id(app, "leader"))
    assert not grant_of(app, given).awaits
    assert whom(he, "/grants/waiting/") == []


def test_what_does_not_wait_is_not_answered(app: Flask, login: Login) -> None:
    he, given = login("he"), grants_of(app, "zhou")[0].id
    for act in ("confirm", "refuse"):
        assert he.get(f"/grants/{act}/{given}").status_code == 422
        assert he.post(f"/grants/{act}/{given}", data={"reason": "不需要"}).status_code == 422


# --- a month before it lapses -----------------------------------------------------------------------------


def lapsing(app: Flask, login: Login, **ahead: float) -> tuple[int, str]:
    """A grant from 李老师 to 小周 that ends so far from now: its id, and its last day."""
    given = give(app, login("li"), "zhou", role_id(app, "clerk"), until=day(90))
    end(app, given, **ahead)
    last = granting.last_day(grant_of(app, given).until)
    assert last is not None
    return given, last.isoformat()


def test_a_month_ahead_holder_and_administrators_are_warned(app: Flask, login: Login) -> None:
    given, last = lapsing(app, login, days=29, hours=23)
    assert cards(login("zhou")) == {f"我的授权即将到期，最早{last}": ("1", "/grants/own/?state=lapsing")}
    for username in ("li", "he"):
        person = login(username)
        label, (number, path) = next(iter(cards(person).items()))
        assert (label, number) == (f"即将到期的授权，最早{last}", "1"), username
        assert whom(person, path) == ["小周 学籍管理员"], username
    assert cards(login("lin")) == {}
    assert cards(login("wang")) == {}
    assert grant_of(app, given).is_held


@pytest.mark.parametrize("ahead", [{"days": 30, "hours": 1}, {"hours": -1}])
def test_earlier_and_afterwards_nobody_is_warned(app: Flask, login: Login, ahead: dict[str, float]) -> None:
    lapsing(app, login, **ahead)
    assert [cards(login(username)) for username in ("zhou", "li", "he")] == [{}, {}, {}]


def test_the_number_is_that_of_the_list(app: Flask, login: Login) -> None:
    lapsing(app, login, days=20)
    _given, first = lapsing(app, login, days=3)
    grant_to(app, "lin", "class_teacher", until=datetime.now(UTC) + timedelta(days=9))
    li = login("li")
    assert cards(li) == {f"即将到期的授权，最早{first}": ("3", "/grants/list/?state=lapsing")}
    assert "共3条" in text_of(li.get("/grants/list/?state=lapsing"))
    assert cards(login("zhou"))[f"我的授权即将到期，最早{first}"][0] == "2"


def test_whoever_gave_it_and_administers_nobody_is_warned_of_it(app: Flask, login: Login) -> None:
    first, second, _third = pass_on(app, login)
    admin = next(g for g in grants_of(app, "zhou") if g.usable and g.role_id != role_id(app, "class_teacher"))
    login("li").post(f"/grants/withdraw/{admin.id}")
    end(app, second, days=5)
    assert grant_of(app, first).is_held
    last = granting.last_day(grant_of(app, second).until)
    assert cards(login("zhou")) == {
        f"我给出的授权即将到期，最早{last}": ("1", "/grants/given/?state=lapsing")
    }


def test_a_leader_who_waits_is_not_said_to_lapse(app: Flask, login: Login) -> None:
    given = choose_leader(app, login("li"))
    end(app, given, days=5)
    assert cards(login("li")) == {}
    assert list(cards(login("he"))) == ["待确认的主管学籍领导"]
