"""Prints read back: whom they show, in which columns, behind which masks; who gets them; what the audit keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.areas.changes.models import EvidenceFile
from app.areas.printing import print_page_models as models
from app.areas.printing import print_pages
from app.areas.students.models import Status, Student
from app.core import evidence, rights, saving, scope
from app.extensions import db
from tests import cast, pdfs
from tests.accounts import audit_of, put_limit
from tests.cast import CHENGGUAN, SHIXI_ER, YIZHONG
from tests.client import Client

Login = Callable[..., Client]
OURS, NEXT = cast.class_of(YIZHONG, 7, 1), cast.class_of(YIZHONG, 7, 2)
ZIHAN = cast.pupil("王子涵")


def roster(client: Client, columns: list[str], asked: str = "", title: str = "学生花名册") -> TestResponse:
    return client.post(f"/print/roster{asked}", data={"column": columns, "title": title})


def reveal(client: Client, *ids: int) -> None:
    words = {"reason": "打印给家长核对", "id": list(ids), "next": "/"}
    assert client.post("/reveal/student", data=words).status_code == 302


# --- the class list -----------------------------------------------------------------------------------


def test_a_class_list_names_the_pupils_of_the_class_and_nobody_else(login: Login) -> None:
    found = pdfs.text(login("lin").post(f"/print/class/{OURS}/list"))
    assert "七年级（1）班班级名单" in found
    assert all(name in found for name in ("王子涵", "欧阳若曦", "阿依古丽·买买提", "刘浩然"))
    assert not any(name in found for name in ("陈思远", "林嘉怡", "周小雨", "吴佳怡"))


def test_who_is_not_enrolled_is_marked_and_who_left_is_not_on_it(login: Login) -> None:
    client = login("lin")
    found = pdfs.text(client.post(f"/print/class/{OURS}/list"))
    assert "在校3人" in found
    assert "待核准1人" in found
    eighth = pdfs.text(client.post(f"/print/class/{cast.class_of(YIZHONG, 8, 1)}/list"))
    assert "张一鸣" in eighth
    assert "何俊杰" not in eighth


def test_the_foot_of_each_page_says_who_printed_and_which_page_it_is(login: Login) -> None:
    for found in pdfs.pages(login("lin").post(f"/print/class/{OURS}/list")):
        assert "林老师 20" in found
        assert "第1页，共1页" in found


def test_a_class_without_pupils_is_no_print(app: Flask, login: Login) -> None:
    empty = cast.class_of(CHENGGUAN, 7, 9)
    with app.app_context(), scope.acting(db.session(), rights.system("tests")), saving.work() as work:
        for one in work.session.scalars(sa.select(Student).where(Student.class_id == empty)):
            saving.edit(one, {"class_id": None}, rights.system("tests"), authority=None)
    answer = login("wang").post(f"/print/class/{empty}/list")
    assert answer.status_code == 422
    assert "没有可打印的学生" in answer.text
    assert audit_of(app, "export") == []


# --- masks and hidden fields --------------------------------------------------------------------------


def test_numbers_stay_behind_their_masks_until_they_are_revealed(login: Login) -> None:
    client, number = login("lin"), cast.student_no(ZIHAN)
    assert number is not None
    columns = ["name", "student_no", "id_number", "phone"]
    masked = pdfs.text(roster(client, columns))
    assert number not in masked
    assert cast.id_number(ZIHAN) not in masked
    assert f"{number[:2]}{'*' * 16}{number[-1]}" in masked
    reveal(client, ZIHAN)
    whole = pdfs.text(roster(client, columns))
    assert number in whole
    assert cast.id_number(ZIHAN) in whole
    other = cast.student_no(cast.pupil("欧阳若曦"))
    assert other is not None
    assert other not in whole


@pytest.mark.parametrize("word", ["card", "sheet"])
def test_the_same_holds_for_a_pupils_whole_record(login: Login, word: str) -> None:
    client = login("lin")
    assert cast.id_number(ZIHAN) not in pdfs.text(client.post(f"/print/student/{ZIHAN}/{word}"))
    reveal(client, ZIHAN)
    assert cast.id_number(ZIHAN) in pdfs.text(client.post(f"/print/student/{ZIHAN}/{word}"))


def test_a_hidden_field_is_on_no_print(app: Flask, login: Login) -> None:
    put_limit(app, "lin", "student:native_place:hide")
    put_limit(app, "lin", "student:phone:hide")
    client = login("lin")
    for path in (
        f"class/{OURS}/list",
        f"class/{OURS}/cards",
        f"class/{OURS}/sheets",
        f"student/{ZIHAN}/card",
    ):
        found = pdfs.text(client.post(f"/print/{path}"))
        assert "籍贯" not in found, path
        others = found.replace(" ", "").replace("澜川市青岚县（519921", "")  # areas that are not hidden
        assert "澜川市青岚县" not in others.replace("青岚县第一中学", ""), path
        assert "140****" not in found.partition("家庭成员")[0], path
    assert roster(client, ["name", "native_place"]).status_code == 422


def test_health_is_printed_for_those_who_see_it(login: Login) -> None:
    path = f"/print/student/{ZIHAN}/card"
    assert "健康状况" in pdfs.text(login("lin").post(path))
    assert "健康状况" not in pdfs.text(login("zhou").post(path))


# --- records ------------------------------------------------------------------------------------------


def test_a_record_card_holds_what_the_pupils_page_shows(login: Login) -> None:
    found = pdfs.text(login("lin").post(f"/print/student/{ZIHAN}/card"))
    for words in (
        "学生学籍卡",
        "2026级",
        "七年级（1）班",
        "基本信息",
        "学籍信息",
        "2014-03-05",
        "王建国",
        "周丽华",
    ):
        assert words in found


def test_each_pupil_of_a_class_has_a_card_with_page_numbers_of_its_own(login: Login) -> None:
    found = pdfs.pages(login("lin").post(f"/print/class/{OURS}/cards"))
    starts = [page for page in found if "学生学籍卡" in page]
    assert len(starts) == 4
    assert all("第1页，共" in page for page in starts)


def test_sheets_for_parents_begin_each_on_the_front_of_a_leaf(login: Login) -> None:
    found = pdfs.pages(login("lin").post(f"/print/class/{OURS}/sheets"))
    starts = [n for n, page in enumerate(found) if "学生基础信息核对表" in page]
    assert len(starts) == 4
    assert all(n % 2 == 0 for n in starts)


def test_a_sheet_has_every_item_of_the_form_with_room_to_correct_it(app: Flask, login: Login) -> None:
    found = pdfs.text(login("lin").post(f"/print/student/{ZIHAN}/sheet"))
    asked = [f for f in Student.fields().values() if f.form and f.section and f.kind != "key"]
    assert [f.label for f in asked if f.label not in found] == []
    assert "更正为" in found
    assert "＊姓名" in found  # key data
    assert "监护人签名" in found
    assert "王建国" in found


def test_a_photo_stands_on_the_card_of_whom_it_shows(app: Flask, login: Login) -> None:
    file = BytesIO()
    Image.new("RGB", (26, 32), "navy").save(file, "PNG")
    file.seek(0)
    by = rights.system("tests")
    with app.app_context(), scope.acting(db.session(), by), saving.work() as work:
        kept = evidence.store(file, "photo.png")
        words = {
            "kind": "01",
            "original_name": kept.name,
            "sha256": kept.sha256,
            "media_type": kept.media_type,
        }
        words |= {"byte_count": kept.size, "uploaded_by": "林老师", "uploaded_at": datetime.now(UTC)}
        photo = saving.create(EvidenceFile, {"student_id": ZIHAN, **words}, by)
        work.session.get_one(Student, ZIHAN).photo_id = photo.id
    client = login("lin")
    assert len(pdfs.reader(client.post(f"/print/student/{ZIHAN}/card")).pages[0].images) == 1
    other = cast.pupil("欧阳若曦")
    assert len(pdfs.reader(client.post(f"/print/student/{other}/card")).pages[0].images) == 0


def test_where_class_and_status_are_hidden_no_print_names_them(app: Flask, login: Login) -> None:
    put_limit(app, "lin", "student:class_id:hide")
    put_limit(app, "lin", "student:status:hide")
    client = login("lin")
    for path in (f"student/{ZIHAN}/card", f"student/{ZIHAN}/sheet"):
        assert "七年级（1）班" not in pdfs.text(client.post(f"/print/{path}")), path
    found = pdfs.text(client.post(f"/print/class/{OURS}/list"))
    assert "待核准" not in found
    assert "共4人" in found


# --- the roster ---------------------------------------------------------------------------------------


def test_a_roster_shows_whom_the_list_shows_in_the_columns_that_were_chosen(login: Login) -> None:
    asked = f"?gender=2&class_id={OURS}"
    found = pdfs.text(roster(login("lin"), ["name", "born_on"], asked, "七年级女生"))
    assert "七年级女生" in found
    assert "性别：女" in found
    assert "共3人" in found
    assert "欧阳若曦2014-01-17" in found.replace(" ", "")
    assert "刘浩然" not in found
    assert "学籍号" not in found


def test_the_lists_head_leads_to_the_roster_with_what_it_asks_for(login: Login) -> None:
    client = login("lin")
    page = client.get(f"/students/list/?class_id={OURS}&size=20").text
    assert f'href="/print/roster?class_id={OURS}"' in page
    form = client.get(f"/print/roster?class_id={OURS}").text
    assert "班级：七年级（1）班" in form
    assert "共4条" in form


def test_what_a_list_would_not_be_asked_for_a_roster_is_not_either(login: Login) -> None:
    client = login("lin")
    for asked in ("?id_number=5199", "?nonsense=1", "?sort=id_number"):
        assert client.get(f"/print/roster{asked}").status_code == 400, asked
        assert roster(client, ["name"], asked).status_code == 400, asked
    assert client.get("/print/roster?born_on__from=never").status_code == 422


@pytest.mark.parametrize(
    ("columns", "title", "says"),
    [
        ([], "学生花名册", "请选择1到14列"),
        (list(Student.fields())[:20], "学生花名册", "请选择1到14列"),
        (["name", "photo_id"], "学生花名册", "打印不了"),
        (["name", "\0"], "学生花名册", "打印不了"),
        (["name"], "", "为空"),
        (["name"], "=1+1", "公式"),
        (["name"], "长" * 41, "最多填写40个字"),
    ],
)
def test_a_roster_that_cannot_be_is_refused_and_the_form_keeps_what_was_typed(
    app: Flask, login: Login, columns: list[str], title: str, says: str
) -> None:
    answer = roster(login("lin"), columns, title=title)
    assert answer.status_code == 422
    assert says in answer.text
    if "name" in columns:
        assert 'value="name" checked' in answer.text
    assert audit_of(app, "export") == []


def test_too_many_rows_are_refused_with_a_way_out(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(print_pages, "MOST_ROWS", 5)
    answer = roster(login("lin"), ["name"])
    assert answer.status_code == 422
    assert "一次最多打印5人" in answer.text


def test_a_bureau_prints_the_schools_it_sees(login: Login) -> None:
    found = pdfs.text(roster(login("chen"), ["school_id", "name"]))
    assert YIZHONG in found
    assert CHENGGUAN in found
    assert SHIXI_ER not in found
    assert "赵雅婷" not in found  # a senior high pupil is the city's


# --- who gets them ------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["list", "cards", "sheets"])
@pytest.mark.parametrize(
    ("who", "at", "code"),
    [
        ("zhou", OURS, 200),  # the own class
        ("zhou", NEXT, 403),  # another class of the school
        ("wang", OURS, 404),  # another school's
        ("li", OURS, 403),  # sees no pupil
        ("ops", OURS, 403),
    ],
)
def test_who_reads_the_pupils_prints_them(login: Login, who: str, at: int, code: int, word: str) -> None:
    assert login(who).post(f"/print/class/{at}/{word}").status_code == code


@pytest.mark.parametrize("path", [f"class/{2**63}/list", f"student/{2**64}/card", "class/0/cards"])
def test_ids_that_there_are_not_are_not_found(login: Login, path: str) -> None:
    assert login("lin").post(f"/print/{path}").status_code == 404


def test_what_is_posted_along_is_refused(app: Flask, login: Login) -> None:
    client = login("lin")
    for path in (f"class/{OURS}/list", f"class/{OURS}/sheets", f"student/{ZIHAN}/card", "roster"):
        assert client.post(f"/print/{path}", data={"junk\0": "x" * 5000}).status_code == 422, path
    assert audit_of(app, "export") == []


def test_buttons_stand_where_they_are_looked_for(login: Login) -> None:
    client = login("lin")
    in_class = client.get(f"/classes/show/{OURS}").text
    for word in ("list", "cards", "sheets"):
        assert f'action="/print/class/{OURS}/{word}"' in in_class
    pupil = client.get(f"/students/show/{ZIHAN}").text
    assert f'action="/print/student/{ZIHAN}/card"' in pupil
    assert f'href="/print/student/{ZIHAN}/certificates"' in pupil
    assert "/print/" not in login("li").get(f"/classes/show/{OURS}").text
    greyed = login("zhou").get(f"/classes/show/{NEXT}").text
    assert "/print/" not in greyed
    assert "您的授权范围不包括这条记录" in greyed


# --- the audit ----------------------------------------------------------------------------------------


def test_a_list_leaves_one_line_that_says_what_and_how_many(app: Flask, login: Login) -> None:
    client = login("lin")
    client.post(f"/print/class/{OURS}/list")
    roster(client, ["name"], f"?class_id={OURS}", "走读生名单")
    first, second = audit_of(app, "export")
    assert (first.actor_name, first.reason) == ("林老师", "七年级（1）班班级名单，4人")
    assert first.school_id == cast.school(YIZHONG)
    assert second.reason == "打印花名册“走读生名单”，4人"


def test_records_leave_a_line_for_each_pupil(app: Flask, login: Login) -> None:
    client = login("zhou")
    client.post(f"/print/class/{OURS}/sheets")
    lines = audit_of(app, "export")
    assert len(lines) == 4
    assert {line.reason for line in lines} == {"打印信息核对表，共4人"}
    assert ZIHAN in {line.student_id for line in lines}
    assert "打印信息核对表" in login("lin").get(f"/students/show/{ZIHAN}").text


def test_a_bureaus_print_over_several_schools_is_noted_with_the_bureau(app: Flask, login: Login) -> None:
    roster(login("chen"), ["name"])
    (line,) = audit_of(app, "export")
    assert (line.school_id, line.authority_code) == (None, cast.QINGLAN)


# --- in numbers ---------------------------------------------------------------------------------------


def test_a_whole_class_asks_the_database_no_more_than_a_few_questions_for_each_pupil(
    app: Flask, session: Session
) -> None:
    """Grids of many rows ask nothing for each row."""
    asked: list[str] = []
    by = cast.actor(session, "lin")
    with app.test_request_context(), scope.acting(session, by):
        here = models.Site(by, session)
        loaded = sa.select(Student).where(Student.status == Status.ENROLLED)
        found = list(session.scalars(loaded))
        for one in found:
            assert one.school_class is not None
        listener = lambda *words: asked.append(words[2])  # noqa: E731
        sa.event.listen(session.get_bind(), "before_cursor_execute", listener)
        try:
            models.grid(here, found, ["name", "gender", "student_no", "class_id"])
        finally:
            sa.event.remove(session.get_bind(), "before_cursor_execute", listener)
    assert len(asked) <= 1
