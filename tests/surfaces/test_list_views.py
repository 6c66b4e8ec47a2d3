"""Saved views of lists: own and shared, opened as addresses, judged anew for whoever opens them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.core import list_views, saving
from app.core.audit import AuditEntry
from app.core.list_views import SavedView
from app.extensions import db
from tests import cast
from tests.cast import QINGLAN, YIZHONG
from tests.client import Client
from tests.forms import Form

Login = Callable[..., Client]
Limit = Callable[..., None]
LIST, VIEWS = "/students/list/", "/lists/views/students"
GIRLS = "gender=2&sort=-name"


def save(client: Client, name: str, asks: str = GIRLS, *ways: str, path: str = VIEWS, **words: str) -> Any:
    return client.post(path, data={"name": name, "asks": asks, "with": list(ways), **words})


def kept(app: Flask) -> list[tuple[str, str, Any, int | None, str | None]]:
    with app.app_context():
        columns = (
            SavedView.name,
            SavedView.entity,
            SavedView.asks,
            SavedView.school_id,
            SavedView.region_code,
        )
        found = [tuple(row) for row in db.session.execute(sa.select(*columns).order_by(SavedView.id))]
        db.session.remove()
        return found


def offered(client: Client, path: str = LIST) -> dict[str, str]:
    """Name → address of the views in the box above a list."""
    box = re.search(r'<details class="pop views">.*?</details>', client.get(path).text, re.DOTALL)
    assert box
    links = re.findall(r'<li><a href="([^"]+)"[^>]*>([^<]+)</a>', box[0])
    return {name: url.replace("&amp;", "&") for url, name in links}


def view_id(app: Flask, name: str) -> int:
    with app.app_context():
        found = db.session.scalars(sa.select(SavedView.id).where(SavedView.name == name)).one()
        db.session.remove()
        return found


# --- saving and opening -----------------------------------------------------------------------------------


def test_a_view_is_saved_and_opened_by_one_click(app: Flask, login: Login) -> None:
    lin = login("lin")
    answer = save(lin, "女生", "gender=2&sort=-name&size=20&after=3&class_id__text=abc")
    assert answer.status_code == 302
    assert kept(app) == [("女生", "student", [["gender", "2"], ["sort", "-name"]], None, None)]
    assert offered(lin) == {"女生": answer.location}
    page = lin.get(answer.location).text
    assert "性别：女" in page
    assert "陈思远" not in page
    assert "欧阳若曦" in page


def test_own_views_are_nobody_elses(login: Login) -> None:
    save(login("lin"), "女生")
    for other in ("zhao", "zhou", "wang"):
        assert offered(login(other)) == {}, other


def test_what_a_view_asks_by_is_judged_anew_for_each_reader(login: Login) -> None:
    url = save(login("lin"), "女生", GIRLS, "shared").location
    page = login("zhou").get(offered(login("zhou"))["女生"]).text
    assert "欧阳若曦" in page, "of his own class"
    assert "周小雪" not in page, "of another"
    assert "欧阳若曦" not in login("wang").get(url).text


def test_the_same_view_serves_both_fronts(login: Login) -> None:
    sun = login("sun")
    save(sun, "女生", path=VIEWS, site="bureau")
    assert offered(sun, "/bureau/students/")["女生"].startswith("/bureau/students/?gender=2&sort=-name&view=")
    assert offered(sun, LIST)["女生"].startswith("/students/list/?gender=2&sort=-name&view=")


def test_each_list_has_its_own(login: Login) -> None:
    lin = login("lin")
    assert save(lin, "全部", "sort=number", path="/lists/views/classes").status_code == 302
    assert save(lin, "全部", "sort=name").status_code == 302
    assert offered(lin, "/classes/list/")["全部"].startswith("/classes/list/?sort=number&view=")


def test_a_view_may_bring_its_columns(login: Login) -> None:
    lin = login("lin")
    lin.post("/lists/columns/students", data={"column": ["ethnicity", "gender"], "at-ethnicity": "1"})
    url = save(lin, "民族", "", "columns").location
    lin.post("/lists/columns/students", data={"reset": "1"})
    assert headings(lin.get(LIST).text)[1] != "民族"
    assert headings(lin.get(url).text) == ["姓名", "民族", "性别"]


def headings(page: str) -> list[str]:
    head = re.search(r"<thead>.*?</thead>", page, re.DOTALL)
    assert head
    return [re.sub(r"<[^>]+>", "", one).strip() for one in re.findall(r"<th .*?</th>", head[0], re.DOTALL)]


def test_a_view_is_named_as_open_while_nothing_else_is_asked_for(login: Login) -> None:
    lin = login("lin")
    url = save(lin, "女生").location
    opened = re.compile(r'<a href="[^"]+" aria-current="page">女生</a>')
    assert opened.search(lin.get(url).text)
    assert opened.search(lin.get(f"{url}&size=100").text)
    assert not opened.search(lin.get(f"{url}&status=enrolled").text)


def test_what_a_list_leads_to_knows_no_views(login: Login) -> None:
    lin = login("lin")
    page = lin.get(save(lin, "女生").location).text
    links = re.search(r'<div class="head-actions">.*?</div>', page, re.DOTALL)
    assert links
    addresses = [url.replace("&amp;", "&") for url in re.findall(r'href="([^"]+)"', links[0])]
    assert any("/print/" in url for url in addresses)
    for url in addresses:
        assert lin.get(url).status_code == 200, url


# --- sharing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("saver", "unit", "readers", "others"),
    [
        ("lin", (cast.school(YIZHONG), None), ("zhao", "zhou"), ("wang", "sun", "chen")),
        ("sun", (None, QINGLAN), ("chen", "qian"), ("lin", "cheng", "xu")),
    ],
)
def test_who_shares_a_view_shares_it_with_his_unit(
    app: Flask,
    login: Login,
    saver: str,
    unit: tuple[int | None, str | None],
    readers: tuple[str, ...],
    others: tuple[str, ...],
) -> None:
    assert save(login(saver), "女生", GIRLS, "shared").status_code == 302
    assert kept(app)[0][3:] == unit
    for reader in readers:
        assert list(offered(login(reader))) == ["女生"], reader
    for other in others:
        assert offered(login(other)) == {}, other


def test_without_the_right_nothing_is_shared(app: Flask, login: Login) -> None:
    zhou = login("zhou")
    assert "共享给本单位的人" not in zhou.get(LIST).text
    answer = save(zhou, "女生", GIRLS, "shared")
    assert answer.status_code == 403
    assert "保存本单位共享的列表视图" in answer.text
    assert kept(app) == []


def test_a_right_that_holds_in_a_class_alone_shares_nothing(session: Session) -> None:
    """It is given for the whole unit."""
    by = cast.actor(session, "zhou")
    narrow = replace(by.holdings[0], rights=by.holdings[0].rights | {list_views.SHARE})
    by = replace(by, holdings=(narrow,))
    assert by.has(list_views.SHARE)
    assert not list_views.may_share(by)


@pytest.mark.parametrize(
    ("asks", "limits"),
    [("ethnicity=01", ["student:ethnicity:hide"]), ("sort=status", ["student:status:hide"])],
)
def test_a_shared_view_is_not_offered_to_who_cannot_ask_by_it(
    login: Login, limit: Limit, asks: str, limits: list[str]
) -> None:
    url = save(login("lin"), "按这一项", asks, "shared").location
    limit("zhao", "leader", *limits)
    zhao = login("zhao")
    assert offered(zhao) == {}
    assert "含有您不能查询的项目" in zhao.get(VIEWS).text
    answer = zhao.get(url)
    assert answer.status_code == 400
    assert "不能按" in answer.text


def test_hidden_columns_of_a_shared_view_are_passed_over(login: Login, limit: Limit) -> None:
    lin = login("lin")
    lin.post("/lists/columns/students", data={"column": ["phone", "gender"], "at-phone": "1"})
    url = save(lin, "电话", "", "shared", "columns").location
    limit("zhao", "leader", "student:phone:hide")
    page = login("zhao").get(url).text
    assert headings(page) == ["姓名", "性别"]
    assert "联系电话" not in page


# --- what is never saved ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["id_number", "student_no", "phone"])
def test_the_value_of_a_masked_field_is_never_saved(app: Flask, login: Login, name: str) -> None:
    number = cast.id_number(cast.pupil("张一鸣"))
    assert save(login("lin"), "号码", f"{name}={number}").status_code == 400
    assert kept(app) == []


@pytest.mark.parametrize("where", ["q", "name", "address"])
def test_a_number_that_was_typed_as_a_word_is_not_saved_either(app: Flask, login: Login, where: str) -> None:
    lin, number = login("lin"), cast.id_number(cast.pupil("张一鸣"))
    answer = save(lin, "号码", f"{where}={number}")
    assert answer.status_code in (400, 422)
    assert number not in answer.text
    assert kept(app) == []


def test_rows_that_were_pasted_or_found_by_number_are_no_view(app: Flask, login: Login) -> None:
    answer = save(login("lin"), "那几个", "found=1,2")
    assert answer.status_code == 422
    assert "不能保存为视图" in answer.text
    assert kept(app) == []
    assert 'id="view-name"' not in login("lin").get(f"{LIST}?found=1,2").text


# --- names, numbers, junk ---------------------------------------------------------------------------------


def test_a_name_is_taken_once_for_a_person_and_list(app: Flask, login: Login) -> None:
    lin = login("lin")
    save(lin, "女生")
    again = save(lin, "女生", "gender=1")
    assert again.status_code == 422
    assert "您已有名为“女生”的视图" in again.text
    assert Form(again.text).values["name"] == "女生"
    assert Form(again.text).values["asks"] == "gender=1"
    assert save(login("zhao"), "女生").status_code == 302
    assert [row[2] for row in kept(app)] == [[["gender", "2"], ["sort", "-name"]]] * 2


def test_ones_own_view_of_that_name_is_replaced_where_one_says_so(app: Flask, login: Login) -> None:
    lin = login("lin")
    save(lin, "女生")
    refused = save(lin, "女生", "gender=1")
    assert "替换我的同名视图" in refused.text
    assert save(lin, "女生", "gender=1", "replace").status_code == 302
    assert save(login("zhao"), "女生", "gender=2", "replace").status_code == 302, "his own"
    assert [row[2] for row in kept(app)] == [[["gender", "1"]], [["gender", "2"]]]


@pytest.mark.parametrize("name", ["", "　", "很" * 31, "坏\0名", "笑😀脸", "=1+1", "换\n行"])
def test_names_are_short_and_plain(app: Flask, login: Login, name: str) -> None:
    assert save(login("lin"), name).status_code == 422
    assert kept(app) == []


def test_a_person_keeps_thirty_views_of_a_list(
    app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_views, "MOST_VIEWS", 2)
    lin = login("lin")
    for name in ("一", "二"):
        assert save(lin, name).status_code == 302
    assert "最多保存2个视图" in save(lin, "三").text
    assert save(lin, "三", "", path="/lists/views/classes").status_code == 302, "another list"
    assert len(kept(app)) == 3


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ({"asks": "nothing=1"}, 400),
        ({"asks": "gender"}, 422),
        ({"asks": "gender=2&" * 300}, 422),
        ({"asks": "gender=7"}, 422),
        ({"with": ["everybody"]}, 422),
        ({"owner_id": "3"}, 422),
    ],
)
def test_junk_is_refused_with_a_sentence(
    app: Flask, login: Login, words: dict[str, Any], status: int
) -> None:
    answer = login("lin").post(VIEWS, data={"name": "女生", "asks": GIRLS, **words})
    assert answer.status_code == status
    assert kept(app) == []


def test_a_view_that_is_gone_or_anothers_changes_nothing(login: Login) -> None:
    lin, shown = login("lin"), re.compile(r"<tbody>.*</tbody>", re.DOTALL)
    plain = shown.search(lin.get(LIST).text)
    for junk in ("999999", "abc", "-1", "9" * 40):
        found = shown.search(lin.get(f"{LIST}?view={junk}").text)
        assert plain and found and plain[0] == found[0], junk


# --- renaming, deleting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "may_rename", "may_delete"),
    [("lin", True, True), ("li", False, True), ("zhao", False, False), ("zhou", False, False)],
)
def test_who_renames_and_who_deletes_a_shared_view(
    app: Flask, login: Login, username: str, may_rename: bool, may_delete: bool
) -> None:
    """Of the classes, which the super-admin reads too."""
    save(login("lin"), "初一", "sort=number", "shared", path="/lists/views/classes")
    person, pk = login(username), view_id(app, "初一")
    page = person.get("/lists/views/classes").text
    assert ("改名" in page, f"/lists/views/delete/{pk}" in page) == (may_rename, may_delete)
    for path, may in ((f"/lists/views/rename/{pk}", may_rename), (f"/lists/views/delete/{pk}", may_delete)):
        assert person.get(path).status_code == (200 if may else 403)
    answer = person.post(f"/lists/views/rename/{pk}", data={"name": "七年级"})
    assert answer.status_code == (302 if may_rename else 403)
    assert kept(app)[0][0] == ("七年级" if may_rename else "初一")
    assert person.post(f"/lists/views/delete/{pk}").status_code == (302 if may_delete else 403)
    assert len(kept(app)) == (0 if may_delete else 1)


def test_anothers_own_view_is_not_there(app: Flask, login: Login) -> None:
    save(login("lin"), "女生")
    pk = view_id(app, "女生")
    for username in ("li", "zhao", "wang", "he"):
        for act in ("rename", "delete"):
            assert login(username).get(f"/lists/views/{act}/{pk}").status_code == 404
            assert login(username).post(f"/lists/views/{act}/{pk}").status_code == 404


def test_deleting_is_asked_twice(app: Flask, login: Login) -> None:
    lin = login("lin")
    save(lin, "女生", GIRLS, "shared")
    page = lin.get(f"/lists/views/delete/{view_id(app, '女生')}").text
    assert "确认删除视图“女生”" in page
    assert "本单位的人都不能再用它" in page


def test_saving_renaming_and_deleting_are_audited(app: Flask, login: Login) -> None:
    lin = login("lin")
    save(lin, "女生")
    pk = view_id(app, "女生")
    lin.post(f"/lists/views/rename/{pk}", data={"name": "女同学"})
    lin.post(f"/lists/views/delete/{pk}")
    with app.app_context(), world_acting():
        query = sa.select(AuditEntry).where(AuditEntry.entity == "list_view").order_by(AuditEntry.id)
        found = [(one.action, one.subject, one.row_id, one.school_id) for one in db.session.scalars(query)]
        db.session.remove()
    school = cast.school(YIZHONG)
    assert found == [
        ("create", "女生", pk, school),
        ("edit", "女同学", pk, school),
        ("delete", "女同学", pk, school),
    ]


def world_acting() -> Any:
    from app.core import rights, scope

    return scope.acting(db.session(), rights.system("tests"))


# --- cost -------------------------------------------------------------------------------------------------


def test_views_and_likings_come_in_one_statement(session: Session) -> None:
    by = cast.actor(session, "lin")
    with saving.work() as work:
        for n in range(5):
            list_views.save(work.session, by, "student", f"视图{n}", (("gender", "2"),), ())
        list_views.prefer(work.session, by, "student", size=100, is_dense=True)
    seen: list[str] = []
    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", lambda c, cur, text, *rest: seen.append(text))
    found = list_views.comforts_of(session, by, "student")
    assert len(seen) == 1
    assert [view.name for view in found.views] == [f"视图{n}" for n in range(5)]
    assert (found.liking.size, found.liking.is_dense, found.liking.columns) == (100, True, ())


def test_who_looks_on_as_another_saves_nothing(app: Flask, login: Login) -> None:
    li = login("li")
    li.post(f"/people/look/{cast.person('lin')}")
    assert save(li, "看一眼", "", path="/lists/views/classes").status_code == 403
    assert kept(app) == []


@pytest.mark.parametrize("way", ["rename", "delete"])
def test_a_view_whose_list_is_gone_is_not_found(app: Flask, login: Login, way: str) -> None:
    lin = login("lin")
    save(lin, "女生")
    with app.app_context():
        db.session.execute(sa.update(SavedView).values(entity="abolished"))
        db.session.commit()
        db.session.remove()
    assert lin.get(f"/lists/views/{way}/{view_id(app, '女生')}").status_code == 404
