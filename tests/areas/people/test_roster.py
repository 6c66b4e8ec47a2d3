"""Opening many accounts from a sheet: what is filled in, what is found wrong and how it is said, what is opened, and the
passwords that are shown once."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import User
from openpyxl import Workbook, load_workbook
from werkzeug.test import TestResponse

from app.areas.people import granting, roster
from app.areas.people.roles import PREFIX
from app.core import grants, sheets
from app.core.rights import Grant, Role
from app.extensions import db
from tests import cast
from tests.accounts import account, audit_of, change, text_of
from tests.areas.people.test_pages import NEW
from tests.client import Client

Login = Callable[..., Client]
HEAD = ("姓名", "账号", "联系电话", "角色", "班级", "截止日期")
FENG = ("冯老师", "feng", "14011112222", "学籍管理员", "", "20990731")
KONG = ("孔老师", "kong", "14011113333", "班主任", "七年级（2）班", "")


def sheet(*rows: Any, head: Any = HEAD, prepare: Callable[[Any], None] = lambda sheet: None) -> bytes:
    book = Workbook()
    for row in (head, *rows):
        book.active.append(list(row))
    prepare(book.active)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def upload(client: Client, data: bytes, name: str = "人员.xlsx", **words: Any) -> TestResponse:
    return client.post("/people/import/", data={"file": (io.BytesIO(data), name), **words})


def sealed_in(page: TestResponse) -> str:
    return html.unescape(re.search(r'name="sealed" value="([^"]+)"', page.text)[1])


def confirm(client: Client, page: TestResponse) -> TestResponse:
    return client.post("/people/import/confirm", data={"sealed": sealed_in(page)})


def passwords_on(page: TestResponse) -> dict[str, str]:
    found = re.findall(
        r"<dd>([a-z0-9._-]+)</dd>\s*<dt>一次性密码</dt><dd class=\"secret\">([^<]+)</dd>", page.text
    )
    return {username: html.unescape(password) for username, password in found}


def opened(app: Flask) -> set[str]:
    with app.app_context():
        names = set(db.session.scalars(sa.select(User.username)))
        db.session.remove()
    return names - {one.username for one in cast.PEOPLE}


def faults_of(client: Client, *rows: Any, **words: Any) -> list[str]:
    """The sentences on the check page."""
    page = upload(client, sheet(*rows, **words))
    assert page.status_code == 200, text_of(page)
    return [html.unescape(one) for one in re.findall(r'data-label="原因"[^>]*>\s*(第[^<]+)<', page.text)]


# --- from the template to work ----------------------------------------------------------------------------


def test_the_template_offers_the_roles_and_classes_and_its_example_is_no_person(
    app: Flask, login: Login
) -> None:
    answer = login("li").get("/people/import/template")
    assert answer.mimetype == sheets.MEDIA_TYPE
    assert "attachment" in answer.headers["Content-Disposition"]
    book = load_workbook(io.BytesIO(answer.data))
    page = book.worksheets[0]
    assert [cell.value for cell in page[1]] == list(HEAD)
    assert all(cell.comment.text for cell in page[1])
    assert page["A2"].value == "（示例）张老师"
    assert {page.cell(row, 3).number_format for row in range(2, 100)} == {"@"}
    roles, classes = ([cell.value for cell in column if cell.value] for column in book["选项"].columns)
    assert roles == ["学籍管理员", "主管学籍领导", "班主任"]
    assert classes[0] == "七年级（1）班"
    assert len(classes) == 5
    answer = upload(login("li"), answer.data)
    assert answer.status_code == 422
    assert "没有人员" in text_of(answer)


def test_accounts_from_the_sheet_to_the_first_day_of_work(app: Flask, login: Login) -> None:
    li = login("li")
    page = upload(li, sheet(FENG, KONG))
    assert "将开通 2人" in text_of(page)
    assert opened(app) == set(), "the check opens nothing"
    assert audit_of(app, "open_account") == []

    slips = confirm(li, page)
    assert slips.status_code == 200
    assert "已开通2个账号" in text_of(slips)
    passwords = passwords_on(slips)
    assert set(passwords) == {"feng", "kong"}
    assert account(app, "feng").phone == "14011112222"
    given = {name: _held(app, name) for name in ("feng", "kong")}
    assert given["feng"] == [("学籍管理员", None, date(2099, 7, 31))]
    assert given["kong"] == [("班主任", [cast.class_of(cast.YIZHONG, 7, 2)], None)]
    assert [row.actor_name for row in audit_of(app, "open_account")] == ["李老师", "李老师"]

    kong = login("kong", passwords["kong"])
    assert kong.get("/students/list/").location == "/account/password"
    words = {"old_password": passwords["kong"], "new_password": NEW, "again": NEW}
    assert kong.post("/account/password", data=words).location == "/"
    assert "林嘉怡" in kong.get("/students/list/").text
    assert "欧阳若曦" not in kong.get("/students/list/").text


def _held(app: Flask, username: str) -> list[tuple[Any, ...]]:
    with app.app_context():
        query = sa.select(Grant).join(User, User.id == Grant.person_id).where(User.username == username)
        found = [
            (one.role.label, one.class_ids, granting.last_day(one.until)) for one in db.session.scalars(query)
        ]
        db.session.remove()
        return found


def test_the_passwords_are_shown_once_and_stand_nowhere_else(app: Flask, login: Login) -> None:
    li = login("li")
    page = upload(li, sheet(FENG))
    slips = confirm(li, page)
    [password] = passwords_on(slips).values()
    with li.session_transaction() as kept:
        assert password not in str(dict(kept))
    again = confirm(li, page)
    assert again.status_code == 422
    assert passwords_on(again) == {}
    assert password not in again.text
    with app.app_context():
        stored = " ".join(
            str(value) for row in db.session.execute(sa.select(User.__table__)) for value in row
        )
        db.session.remove()
    assert password not in stored
    assert all(password not in f"{row.before}{row.after}" for row in audit_of(app, "open_account"))
    assert "no-store" in slips.headers["Cache-Control"]


def test_importing_twice_is_harmless(app: Flask, login: Login) -> None:
    li = login("li")
    confirm(li, upload(li, sheet(FENG, KONG)))
    before = len(grants_of_all(app))
    page = upload(li, sheet(FENG, KONG))
    assert "将开通 0人 已有账号 2人 有误 0行" in text_of(page)
    assert "/people/import/confirm" not in page.text
    answer = li.post("/people/import/confirm", data={"sealed": roster_sealed(app, page)})
    assert answer.status_code == 422
    assert len(grants_of_all(app)) == before


def roster_sealed(app: Flask, page: TestResponse) -> str:
    """A page with nothing to confirm carries no form; somebody who makes one gets as far."""
    from app.core import rights

    with app.app_context():
        by = rights.Actor(cast.person("li"), "李老师", school_id=cast.school(cast.YIZHONG))
        return roster.seal_lines(by, [])


def grants_of_all(app: Flask) -> list[int]:
    with app.app_context():
        found = list(db.session.scalars(sa.select(Grant.id)))
        db.session.remove()
        return found


def test_the_wrong_rows_come_back_with_a_reason_and_can_be_repaired(app: Flask, login: Login) -> None:
    li = login("li")
    page = upload(li, sheet(FENG, ("=1+1", "bad name", "12", "校长", "", "")))
    assert "将开通 1人 已有账号 0人 有误 1行" in text_of(page)
    slips = confirm(li, page)
    for carrier in (page, slips):
        answer = li.post("/people/import/faults", data={"sealed": sealed_in(carrier)})
        back = load_workbook(io.BytesIO(answer.data)).worksheets[0]
        assert [cell.value for cell in back[1]] == [*HEAD, "原因"]
        assert [back.cell(2, at).value for at in (1, 2, 3, 4)] == ["=1+1", "bad name", "12", "校长"]
        assert back["A2"].data_type == "s"
        assert "第3行“姓名”" in back.cell(2, 7).value
        assert back.max_row == 2
    for at, text in enumerate(("陆老师", "lu", "14011114444", ""), 1):
        back.cell(2, at).value = text
    out = io.BytesIO()
    back.parent.save(out)
    confirm(li, upload(li, out.getvalue()))
    assert opened(app) == {"feng", "lu"}


# --- what is wrong, and how it is said --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "value", "says"),
    [
        (0, "", "第2行“姓名”：必填项“姓名”为空。请填写后再保存。"),
        (0, "冯\ufffd", "第2行“姓名”：填写的是“冯"),
        (0, "张😀三", "第2行“姓名”：填写的是“张😀三”，含有表情或图形符号。请只填写文字；其他行不受影响。"),
        (
            0,
            "冯_x0000_",
            "第2行“姓名”：填写的是“冯□”，含有不可见或无法保存的字符。请删去后重新填写；其他行不受影响。",
        ),
        (0, "冯" * 51, "最多填写50个字，现有51个；"),
        (0, "9" * 5_000, "最多填写50个字，现有5000个；"),
        (0, 20260901, "第2行“姓名”：填写的是“20260901”，单元格不是文本格式"),
        (0, "=1+1", "第2行“姓名”：填写的是“=1+1”，这是公式。"),
        (0, True, "第2行“姓名”：填写的是“TRUE”，单元格不是文本格式"),
        (0, "#N/A", "第2行“姓名”：填写的是“#N/A”，这是Excel的错误值或时间。"),
        (0, "<script>alert(1)</script>", ""),
        (1, "", "第2行“账号”：必填项“账号”为空。"),
        (1, "冯老师", "第2行“账号”：填写的是“冯老师”，账号应以字母开头"),
        (1, "lin", "第2行“账号”：填写的是“lin”，账号“lin”已有人使用。"),
        (1, "LIN", "已有人使用"),
        (1, 1234, "单元格不是文本格式"),
        (2, "12", "第2行“联系电话”：填写的是“12”，电话号码应为11位手机号"),
        (2, 8301234567, "第2行“联系电话”：填写的是“8301234567”，电话号码应为"),
        (2, 1.5, "第2行“联系电话”：填写的是“1.5”，电话号码应为"),
        (3, "校长", "第2行“角色”：填写的是“校长”，没有这个角色，或您不能转授它。"),
        (3, "学校总管理员", "没有这个角色，或您不能转授它"),
        (3, "主管部门审核", "没有这个角色，或您不能转授它"),
        (3, "班主任", "第2行“班级”：“班主任”只管所带的班级。"),
        (4, "七年级（99）班", "第2行“班级”：填写的是“七年级（99）班”，没有找到这个班级。"),
        (5, "明年", "第2行“截止日期”：填写的是“明年”，日期格式应为"),
        (5, "20200101", "第2行“截止日期”：填写的是“20200101”，"),
    ],
)
def test_each_wrong_cell_gets_its_sentence(app: Flask, login: Login, at: int, value: Any, says: str) -> None:
    row = list(FENG)
    row[at] = value
    found = faults_of(login("li"), row, KONG)
    assert len(found) == (1 if says else 0), found
    assert all(says in one for one in found), found
    assert opened(app) == set()


def test_a_class_or_an_end_without_a_role_is_not_passed_over(login: Login) -> None:
    found = faults_of(login("li"), ("冯老师", "feng", "", "", "七年级（1）班", "20990101"))
    assert len(found) == 1
    assert found[0].count("没有选择角色") == 2


def test_every_fault_of_a_row_is_said_at_once(login: Login) -> None:
    [found] = faults_of(login("li"), ("", "1", "12", "校长", "八", "20990101"))
    assert [column for column in HEAD if f"“{column}”：" in found] == [
        "姓名",
        "账号",
        "联系电话",
        "角色",
        "班级",
    ]


def test_merged_cells_are_not_guessed_at(login: Login) -> None:
    found = faults_of(login("li"), FENG, ("", *KONG[1:]), prepare=lambda sheet: sheet.merge_cells("C2:C3"))
    assert len(found) == 2
    assert all("合并" in one for one in found)


def test_a_mobile_number_and_a_day_lose_nothing_as_such_cells(app: Flask, login: Login) -> None:
    li = login("li")
    row = (*FENG[:2], 14011112222, *FENG[3:5], date(2099, 7, 31))
    confirm(li, upload(li, sheet(row)))
    assert account(app, "feng").phone == "14011112222"
    assert _held(app, "feng") == [("学籍管理员", None, date(2099, 7, 31))]


@pytest.mark.parametrize("called", ["七年级（2）班", "七年级(2)班", "七年级 （2） 班", "七年级2班"])
def test_a_class_is_known_however_the_brackets_are_typed(app: Flask, login: Login, called: str) -> None:
    assert faults_of(login("li"), (*KONG[:4], called, "")) == []


def test_an_account_or_a_person_twice_in_one_sheet(login: Login) -> None:
    double = ("冯二", "FENG", "", "", "", "")
    same = ("冯老师", "feng2", "14011112222", "", "", "")
    found = faults_of(login("li"), FENG, double, same)
    assert found[0].startswith("第3行“账号”：填写的是“FENG”，与第2行的账号相同。")
    assert "一人只开一个" in found[1]


def test_a_leader_opened_from_the_sheet_waits_for_the_bureau(app: Flask, login: Login) -> None:
    li = login("li")
    confirm(li, upload(li, sheet(("方校长", "fang", "", "主管学籍领导", "", ""))))
    with app.app_context():
        query = sa.select(Grant.awaits).join(User, User.id == Grant.person_id).where(User.username == "fang")
        assert db.session.scalars(query).all() == [True]
        db.session.remove()


# --- sheets and files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (("姓名", "联系电话"), ["缺少“账号”列"]),
        (("账号", "电话"), ["缺少“姓名”列", "没有“电话”这一列"]),
        (("姓名", "账号", "学校"), ["没有“学校”这一列"]),
        (("姓名", "账号", "姓名"), ["有两个“姓名”列"]),
        (("=1+1", "账号"), ["没有“=1+1”这一列", "缺少“姓名”列"]),
    ],
)
def test_wrong_columns_are_named(app: Flask, login: Login, head: Any, says: list[str]) -> None:
    answer = upload(login("li"), sheet(("冯老师", "feng", ""), head=head))
    assert answer.status_code == 422
    assert all(one in text_of(answer) for one in says), text_of(answer)
    assert "第1行" in text_of(answer)


def test_columns_may_stand_in_any_order_and_optional_ones_be_missing(app: Flask, login: Login) -> None:
    li = login("li")
    confirm(li, upload(li, sheet(("feng", "冯老师"), head=("*账号", " 姓 名 "))))
    assert account(app, "feng").first_name == "冯老师"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "另存为.xlsx"),
        (b"name,username\n", "另存为.xlsx"),
        (b"x" * (sheets.LARGEST_FILE + 1), "超过1MB"),
        (sheet(head=()), "文件是空的"),
        (sheet(), "没有人员"),
        (sheet(*[(f"老师{n}", f"teacher{n}") for n in range(201)]), "一次最多开通200人，文件中有201行"),
    ],
)
def test_files_that_cannot_be_taken(app: Flask, login: Login, data: bytes, says: str) -> None:
    answer = upload(login("li"), data)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert 'href="#f-file"' in answer.text


def test_no_file_and_stray_fields_get_a_sentence(login: Login) -> None:
    li = login("li")
    assert "没有选择文件" in text_of(li.post("/people/import/"))
    answer = upload(li, sheet(FENG), school_id="2")
    assert answer.status_code == 422
    assert "没有“school_id”这一项" in text_of(answer)


# --- between the check and the opening --------------------------------------------------------------------


def test_all_are_opened_or_none(app: Flask, login: Login) -> None:
    li = login("li")
    page = upload(li, sheet(FENG, KONG))
    li.post("/people/add", data={"username": "kong", "name": "另一位"})
    answer = confirm(li, page)
    assert answer.status_code == 422
    assert "没有开通任何账号" in text_of(answer)
    assert "第3行“账号”：填写的是“kong”，账号“kong”已有人使用。" in text_of(answer)
    assert opened(app) == {"kong"}


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAAB", "é", "x" * 100_000])
def test_what_was_not_sealed_here_is_not_opened(app: Flask, login: Login, sealed: str) -> None:
    li = login("li")
    for path in ("confirm", "faults"):
        answer = li.post(f"/people/import/{path}", data={"sealed": sealed})
        assert answer.status_code == 422
        assert "请重新上传文件" in text_of(answer)
    assert opened(app) == set()


def test_what_somebody_else_checked_is_not_opened(app: Flask, login: Login) -> None:
    page = upload(login("li"), sheet(FENG))
    answer = confirm(login("he"), page)
    assert answer.status_code == 422
    assert opened(app) == set()


def test_a_check_is_good_for_an_hour(app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    li = login("li")
    page = upload(li, sheet(FENG))
    monkeypatch.setattr(roster, "GOOD_FOR", timedelta(seconds=-1))
    assert confirm(li, page).status_code == 422
    assert opened(app) == set()


def test_who_lost_the_right_meanwhile_opens_nobody(app: Flask, login: Login) -> None:
    li = login("li")
    page = upload(li, sheet(FENG))
    with app.app_context():
        db.session.execute(
            sa.update(Grant).where(Grant.person_id == cast.person("li")).values(until=datetime.now(UTC))
        )
        db.session.commit()
        db.session.remove()
    assert confirm(li, page).status_code == 403
    assert opened(app) == set()


# --- who may ----------------------------------------------------------------------------------------------


def paths() -> Iterator[tuple[str, str]]:
    yield from (("GET", ""), ("GET", "template"), ("POST", ""), ("POST", "confirm"), ("POST", "faults"))


@pytest.mark.parametrize("username", ["lin", "zhou", "zhao", "chen", "ops", "wang"])
def test_without_the_right_nobody_opens_many(login: Login, username: str) -> None:
    client = login(username)
    for method, path in paths():
        answer = client.open(f"/people/import/{path}", method=method)
        assert answer.status_code == 403, path
        assert "开通账号" in text_of(answer)


def test_a_bureau_opens_accounts_in_its_schools_and_in_no_other(app: Flask, login: Login) -> None:
    he, head = login("he"), ("姓名", "账号", "学校", "角色")
    rows = [
        ("袁老师", "yuan", cast.CHENGGUAN, "学校总管理员"),
        ("方老师", "fang", "3451000001", ""),
        ("孔科员", "kong", "", "主管部门查看"),
        ("戴老师", "dai", cast.SHIXI_ER, ""),
    ]
    page = upload(he, sheet(*rows, head=head))
    assert "将开通 3人" in text_of(page)
    assert "第5行“学校”：填写的是“石溪县第二初级中学”，没有找到这所学校" in text_of(page)
    confirm(he, page)
    assert {name: account(app, name).school_id for name in ("yuan", "fang", "kong")} == {
        "yuan": cast.school(cast.CHENGGUAN),
        "fang": cast.school(cast.YIZHONG),
        "kong": None,
    }
    assert account(app, "kong").region_code == cast.QINGLAN
    assert opened(app) == {"yuan", "fang", "kong"}


def test_whose_person_is_the_giver_himself_is_not_given_anything(app: Flask, login: Login) -> None:
    change(app, "li", phone="14000000001")
    found = faults_of(login("li"), ("李老师", "li2", "14000000001", "学籍管理员", "", ""))
    assert len(found) == 1
    assert "一人只开一个" in found[0]


def test_roles_of_the_own_school_are_found_by_their_names(app: Flask, login: Login) -> None:
    with app.app_context():
        session, by = db.session(), cast.actor(db.session(), "li")
        clerk = session.scalars(sa.select(Role).where(Role.name == f"{PREFIX}clerk")).one()
        made = Role(name="own", label="七年级学籍员", level="school", school_id=cast.school(cast.YIZHONG))
        grants.make_role(session, by, made, frozenset({"school_class:list"}), clerk)
        session.commit()
        db.session.remove()
    li = login("li")
    confirm(li, upload(li, sheet((*FENG[:3], "七年级学籍员", "", ""))))
    with app.app_context():
        query = sa.select(Role.name).join(Grant, Grant.role_id == Role.id)
        found = db.session.scalars(
            query.join(User, User.id == Grant.person_id).where(User.username == "feng")
        )
        assert found.all() == ["own"]
        db.session.remove()
