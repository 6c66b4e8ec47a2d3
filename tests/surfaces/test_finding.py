"""Search over everything: who finds what, by which words, at what cost; and that no number enters an address."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from app.core import codes, names
from app.surfaces import finding
from app.surfaces.finding import FEW, LONGEST
from tests import cast
from tests.accounts import change
from tests.cast import SHIXI_ER, YIZHONG
from tests.client import Client

Login = Callable[..., Client]
Acting = Callable[[str], Any]
JSON = {"Accept": "application/json"}
OURS = cast.pupil("欧阳若曦")
NUMBERS = {"an ID number": cast.id_number(OURS), "a 学籍号": cast.student_no(OURS)}


def ask(client: Client, typed: str) -> TestResponse:
    return client.post("/find", data={"q": typed}, headers=JSON)


def kinds(client: Client, typed: str) -> list[dict[str, Any]]:
    answer = ask(client, typed)
    assert answer.status_code == 200, answer.text
    return list(json.loads(answer.data)["kinds"])


def found(client: Client, typed: str) -> dict[str, list[str]]:
    """Kind → the names of what is found."""
    return {kind["label"]: [hit["label"] for hit in kind["hits"]] for kind in kinds(client, typed)}


def urls(client: Client, typed: str) -> list[str]:
    return [hit["url"] for kind in kinds(client, typed) for hit in kind["hits"]]


# --- by which words -----------------------------------------------------------------------------------

WORDS = [  # (who, what is typed, kind, what is found of it)
    ("lin", "欧阳", "学生", ["欧阳若曦"]),
    ("lin", "oyrx", "学生", ["欧阳若曦"]),
    ("lin", "ouyangruo", "学生", ["欧阳若曦"]),
    ("lin", "OYRX", "学生", ["欧阳若曦"]),
    ("lin", "王子涵", "学生", ["王子涵", "王子涵"]),
    ("lin", NUMBERS["an ID number"], "学生", ["欧阳若曦"]),
    ("lin", NUMBERS["a 学籍号"], "学生", ["欧阳若曦"]),
    ("lin", "七2", "班级", ["七年级（2）班"]),
    ("lin", "qnj", "班级", ["七年级（1）班", "七年级（2）班", "七年级（10）班"]),
    ("lin", "qnj10", "班级", ["七年级（10）班"]),
    ("lin", "第一中学", "学校", [YIZHONG]),
    ("lin", "dyzx", "学校", [YIZHONG]),
    ("lin", "3451000001", "学校", [YIZHONG]),
    ("lin", "陈思远", "学籍变动", ["陈思远"]),
    ("lin", "csy", "学籍变动", ["陈思远"]),
    ("lin", "花名册", "菜单", ["学生花名册"]),
    ("lin", "xueshenghmc", "菜单", []),
    ("lin", "xueshenghuamingce", "菜单", ["学生花名册"]),
    ("lin", "hmc", "菜单", ["学生花名册"]),
    ("lin", "Ban Ji", "菜单", ["班级管理"]),
    ("li", "林老师", "人员", ["林老师"]),
    ("li", "lls", "人员", ["李老师", "林老师"]),
    ("li", "zhao", "人员", ["赵副校长"]),
    ("lin", "赵副校长", "人员", []),
    ("he", "王老师", "人员", ["王老师"]),
    ("lin", "王老师", "通讯录", ["王老师"]),
    ("lin", "wls", "通讯录", ["王老师"]),
    ("lin", "wanglaoshi", "通讯录", ["王老师"]),
    ("lin", "城关", "通讯录", ["王老师"]),
    ("lin", "赵副校长", "通讯录", []),
    ("zhou", "高老师", "通讯录", ["高老师"]),
    ("zhou", "gao", "通讯录", ["高老师"]),
    ("li", "高老师", "通讯录", ["高老师"]),
    ("chen", "林老师", "通讯录", ["林老师"]),
    ("ops", "高老师", "通讯录", []),
    ("lin", "转学", "业务类型", ["异动业务：转学（转出）", "异动业务：转学（转入）"]),
    ("lin", "zx", "业务类型", ["异动业务：转学（转出）", "异动业务：转学（转入）"]),
    ("lin", "zhuanxue", "业务类型", ["异动业务：转学（转出）", "异动业务：转学（转入）"]),
    ("lin", "zhuanru", "业务类型", ["异动业务：转学（转入）"]),
    ("lin", "xiuxue", "业务类型", ["异动业务：休学"]),
    ("chen", "休学", "业务类型", ["异动业务：休学"]),
    ("zhao", "xx", "业务类型", ["异动业务：休学", "异动业务：续休"]),
    ("li", "休学", "业务类型", []),
    ("ops", "休学", "业务类型", []),
]


@pytest.mark.parametrize(("username", "typed", "kind", "names_"), WORDS)
def test_what_is_found_by_a_name_its_pinyin_or_a_number(
    login: Login, username: str, typed: str, kind: str, names_: list[str]
) -> None:
    assert found(login(username), typed).get(kind, []) == names_


def test_what_tells_namesakes_apart_stands_beside_the_name(login: Login) -> None:
    notes = [hit["note"] for hit in kinds(login("lin"), "王子涵")[0]["hits"]]
    assert notes == ["女，七年级（1）班，在校", "男，七年级（2）班，在校"]
    assert all(hit["note"].startswith(YIZHONG) for hit in kinds(login("chen"), "欧阳")[0]["hits"])


def test_no_masked_value_stands_beside_a_name(login: Login) -> None:
    answer = ask(login("lin"), "欧阳若曦").text
    assert NUMBERS["an ID number"] not in answer
    assert "*" not in answer


@pytest.mark.parametrize(
    ("text", "typed"),
    [("学生花名册", "hmc"), ("学生花名册", "xueshenghuamingce"), ("行政区划", "xzqh"), ("班级", "ji")],
)
def test_a_word_is_spelled_from_each_of_its_characters(text: str, typed: str) -> None:
    assert typed in names.spellings(text)


# --- who finds what -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    ["欧阳若曦", "oyrx", "王子涵", "陈思远", "csy", "第一中学", "dyzx", "林老师", "高一", *NUMBERS.values()],
)
def test_a_clerk_of_another_school_finds_nothing_of_it(login: Login, typed: str) -> None:
    wang, lin = login("wang"), login("lin")
    theirs = {url for url in urls(lin, typed) if re.search(r"/show/\d+$", url) and "/regions/" not in url}
    assert not theirs & set(urls(wang, typed))
    assert all(wang.get(url).status_code == 404 for url in theirs)


PEOPLE = [  # (who, what is typed, the kinds that are found)
    ("lin", "陈", {"学生", "学籍变动"}),
    ("zhao", "陈", {"学生", "学籍变动"}),
    ("zhou", "陈", set()),  # 陈思远 sits in another class
    ("li", "陈", set()),  # sees no pupil
    ("ops", "陈", set()),
    ("gao", "陈", set()),
    ("xu", "陈", set()),
    ("chen", "陈", {"学生", "学籍变动"}),
    ("he", "陈", {"人员"}),
    ("cheng", "赵雅婷", {"学生"}),
    ("cheng", "欧阳若曦", {"学生"}),
    ("chen", "赵雅婷", set()),  # the senior part is the city's
]


@pytest.mark.parametrize(("username", "typed", "kinds_"), PEOPLE)
def test_what_a_person_finds_lies_in_his_scope_and_rights(
    login: Login, username: str, typed: str, kinds_: set[str]
) -> None:
    assert set(found(login(username), typed)) == kinds_


@pytest.mark.parametrize("username", ["lin", "zhou", "li", "chen", "sun", "he", "cheng", "ops"])
def test_everything_that_is_found_opens(login: Login, username: str) -> None:
    client = login(username)
    for typed in ("王", "li", "七年级", "青岚", "guanli"):
        for kind in kinds(client, typed):
            for url in [hit["url"] for hit in kind["hits"]] + [kind["more"]] * bool(kind["more"]):
                assert client.get(url).status_code == 200, (typed, url)


def test_people_of_a_bureau_are_led_to_its_site_and_to_where_they_write(login: Login) -> None:
    assert urls(login("chen"), "欧阳若曦") == [f"/bureau/students/show/{OURS}"]
    assert f"/bureau/schools/show/{cast.school(YIZHONG)}" in urls(login("chen"), "第一中学")
    assert f"/schools/show/{cast.school(YIZHONG)}" in urls(login("he"), "第一中学")


def test_the_access_log_is_not_searched(login: Login) -> None:
    client = login("li")
    client.get("/audit/list/")
    assert "访问日志" not in found(client, "欧阳若曦")


def test_whoever_looks_with_anothers_eyes_finds_what_both_may_see(login: Login) -> None:
    he = login("he")
    he.post(f"/people/look/{cast.person('wang')}")
    assert ask(he, "王").status_code == 200
    assert "人员" not in found(he, "王")


KINDS = [label for _code, label in codes.table("change_kind").all()]


@pytest.mark.parametrize("username", ["lin", "zhao", "wang", "chen", "cheng"])
def test_every_kind_of_case_leads_to_the_list_that_counts_it(
    login: Login, acting: Acting, username: str
) -> None:
    """Above one authority the list alone counts."""
    client, told = login(username), {}
    for label in KINDS:
        [hit] = [
            hit
            for kind in kinds(client, label)
            for hit in kind["hits"]
            if hit["label"] == f"异动业务：{label}"
        ]
        page = client.get(hit["url"])
        assert f"业务类型：{label}" in page.text
        assert hit["url"].startswith("/bureau/changes/?" if username[:3] == "che" else "/changes/list/?")
        assert username == "cheng" or f">{hit['note']}<" in page.text
        told[label] = hit["note"]
    assert {"共1条", "共0条"} == set(told.values()) or username in ("wang", "cheng")
    assert set(told.values()) == {""} or username != "cheng"


def test_who_reads_english_finds_kinds_in_either_language(login: Login) -> None:
    lin = login("lin")
    lin.set_cookie("language", "en")
    english = found(lin, "Suspended")
    assert english == found(lin, "休学") == found(lin, "xiuxue")
    assert english == {"Kind of case": ["Changes and cases: Suspended"]}


def test_no_kind_is_offered_to_whom_it_is_hidden(login: Login, limit: Callable[..., None]) -> None:
    limit("lin", "clerk", "change:kind:hide")
    assert "业务类型" not in found(login("lin"), "休学")


def test_nobody_is_found_twice(app: Flask, login: Login) -> None:
    """Neither on the list of people and in the address book, nor those of the one beyond the first few in the other."""
    he = login("he")
    for typed in ("老师", "王老师", "l", "中学"):
        names_ = [name for kind in ("人员", "通讯录") for name in found(he, typed).get(kind, [])]
        assert len(names_) == len(set(names_)), typed
    assert "通讯录" not in found(he, "王老师")
    assert found(login("li"), "老师")["通讯录"] == ["王老师", "高老师"]


def test_the_address_book_tells_of_a_phone_that_is_shared_and_leads_to_its_line(
    app: Flask, login: Login
) -> None:
    change(app, "gao", phone="14099990001")
    zhou = login("zhou")
    [kind] = kinds(zhou, "高老师")
    assert [hit["note"] for hit in kind["hits"]] == [SHIXI_ER]
    change(app, "gao", shares_phone=True)
    [kind] = kinds(zhou, "高老师")
    assert [hit["note"] for hit in kind["hits"]] == [f"{SHIXI_ER}，14099990001"]
    page = zhou.get(kind["hits"][0]["url"]).text
    assert page.count('<th scope="row"') == 1
    assert "14099990001" in page


def test_more_than_a_few_in_the_address_book_lead_to_it(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "FEW", 1)
    zhou = login("zhou")
    [kind] = kinds(zhou, "老师")
    assert (kind["label"], len(kind["hits"])) == ("通讯录", 1)
    assert zhou.get(kind["more"]).text.count('<th scope="row"') == 2


# --- all of them --------------------------------------------------------------------------------------


def test_more_than_a_few_lead_to_the_list_with_the_same_search(login: Login, acting: Acting) -> None:
    from app.core import saving

    with acting("system") as by, saving.work():
        for char in "天地人和春夏":
            cast.add_pupil(by, name=f"高晓{char}", class_id=None)
    lin = login("lin")
    for typed in ("高晓", "gx"):
        kind = kinds(lin, typed)[0]
        assert (kind["label"], len(kind["hits"])) == ("学生", FEW)
        assert kind["more"] == f"/students/list/?q={quote(typed)}"
        assert lin.get(kind["more"]).text.count('<th scope="row"') == 6
    page = lin.get("/find?q=高晓").text
    assert f'<a href="/students/list/?q={quote("高晓")}">查看全部' in page


def test_a_number_leads_to_no_address_that_holds_it(login: Login) -> None:
    """Digits are also names of grades: even then no list is named that would be asked for them."""
    answer = kinds(login("chen"), "2026")
    assert {kind["label"] for kind in answer} == {"班级"}
    assert all(not kind["more"] for kind in answer)


# --- the page without script --------------------------------------------------------------------------


def test_the_page_shows_the_same(login: Login) -> None:
    lin = login("lin")
    answer = lin.post("/find", data={"q": "欧阳"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/find?q={quote('欧阳')}")
    page = lin.get(answer.headers["Location"]).text
    assert f'href="/students/show/{OURS}"' in page
    assert 'value="欧阳"' in page


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_is_answered_in_place_and_refused_in_an_address(login: Login, number: str) -> None:
    lin = login("lin")
    posted = lin.post("/find", data={"q": number})
    assert posted.status_code == 200
    assert "Location" not in posted.headers
    assert f'href="/students/show/{OURS}"' in posted.text
    asked = lin.get(f"/find?q={number}")
    assert asked.status_code == 422
    assert "号码不写入网址" in asked.text
    assert number not in asked.text
    assert not any(number in address for address in re.findall(r'(?:href|action)="([^"]*)"', posted.text))


def test_nothing_found_is_said_with_a_way_out(login: Login) -> None:
    lin = login("lin")
    sentence = "没有找到“诸葛”。请核对后再查；不在您管理范围内的也查不到。"
    assert sentence in lin.get("/find?q=诸葛").text
    assert json.loads(ask(lin, "诸葛").data) == {"kinds": [], "message": sentence}


def test_every_page_of_whoever_is_logged_in_offers_it(login: Login, anonymous: Client) -> None:
    for page in (
        login("lin").get("/"),
        login("chen").get("/bureau/students/"),
        login("ops").get("/account/"),
    ):
        assert 'href="/find"' in page.text
        assert '<dialog class="find"' in page.text
    assert "/find" not in anonymous.get("/login/").text


# --- junk ---------------------------------------------------------------------------------------------

JUNK: dict[str, dict[str, Any]] = {
    "nothing": {"data": {}},
    "blanks": {"data": {"q": "  "}},
    "too long": {"data": {"q": "王" * (LONGEST + 1)}},
    "huge": {"data": {"q": "王" * 100_000}},
    "NUL": {"data": {"q": "王\0"}},
    "an unknown field": {"data": {"q": "王", "school_id": "1"}},
    "JSON": {"json": {"q": "王"}},
    "parts without a name": {
        "data": b"--x\r\n\r\n\r\n--x--",
        "content_type": "multipart/form-data; boundary=x",
    },
}


@pytest.mark.parametrize("sent", JUNK.values(), ids=JUNK)
@pytest.mark.parametrize("headers", [JSON, {}], ids=["script", "page"])
def test_junk_is_refused_with_a_sentence(login: Login, sent: dict[str, Any], headers: dict[str, str]) -> None:
    answer = login("lin").post("/find", headers=headers, **sent)
    assert answer.status_code == 422
    assert re.search("请输入要查找的|最多50个字", answer.text)
    assert answer.is_json == bool(headers)


@pytest.mark.parametrize(
    "typed", ["%", "_", "\\", "'", '"><script>', "（", "((((", "[", "*" * 50, "\ud83d\ude00", "a%b", "-1"]
)
def test_signs_are_only_signs(login: Login, typed: str) -> None:
    answer = ask(login("lin"), typed.encode("utf-16", "surrogatepass").decode("utf-16"))
    assert answer.status_code == 200
    assert not [url for url in urls(login("lin"), typed.replace("\ud83d\ude00", "~")) if "/students/" in url]


def test_a_stranger_finds_nothing(anonymous: Client) -> None:
    assert ask(anonymous, "王").status_code == 401
    assert anonymous.get("/find?q=王").headers["Location"].startswith("/login/")


def test_a_page_of_another_site_cannot_ask(login: Login) -> None:
    assert login("lin").post("/find", data={"q": "王"}, headers=JSON, csrf=False).status_code == 400


# --- cost ---------------------------------------------------------------------------------------------


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What the request asks of either engine."""
    from app.extensions import db

    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engines = [db.engine, app.extensions["reading"].session_factory.kw["bind"]]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("username", ["lin", "chen", "he", "li", "ops"])
def test_a_search_takes_one_statement_a_kind(app: Flask, login: Login, username: str) -> None:
    """People of a bureau name the units beside: two more. Whoever is of a school asks the address book by where that lies."""
    client = login(username)
    client.get("/find")
    with statements(app) as idle:
        client.get("/find")
    for typed in ("王", "li", "七年级", "2026"):
        with statements(app) as seen:
            assert ask(client, typed).status_code == 200
        more = {"he": 2, "lin": 1, "li": 1}.get(username, 0)
        assert len(seen) - len(idle) <= _lists_of(app, username) + more, (typed, seen)


def _lists_of(app: Flask, username: str) -> int:
    """How many lists this person's search goes through; of people, the address book and the cases by kind among them."""
    from app.extensions import db

    with app.test_request_context():
        by = cast.actor(db.session(), username)
        sources = ("person:list", "address_book:list", "change:list")
        count = len(list(finding._lists(by))) + sum(map(by.has, sources))
        db.session.remove()
    return count
