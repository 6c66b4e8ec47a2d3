"""The data dictionary: it says of each field what the declaration says, to each reader no more than he may see."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from app.areas.help import dictionary
from app.areas.help.dictionary import Described
from app.core import codes, sheets
from app.core.entity import registry
from app.core.powers import field_right, is_offered
from tests import cast
from tests.client import Client

Login = Callable[..., Client]


def described(session: Session, username: str) -> dict[str, dict[str, Described]]:
    """Entity → field → what is said of it."""
    parts = dictionary.parts_for(cast.actor(session, username))
    return {part.key: {one.name: one for one in part.fields} for part in parts}


def test_the_id_number_of_a_pupil(session: Session) -> None:
    one = described(session, "lin")["student"]["id_number"]
    assert one.label == "身份证件号"
    assert one.edited == "新增时填写，以后经业务变更"
    assert one.procedure == "日常管理—关键数据变更申请"
    assert one.mask == "只显示前1位和后1位"
    assert "班主任" in one.seen_by
    assert one.edited_by == ()
    assert "主管部门查看" in one.revealed_by and "学校总管理员" not in one.seen_by


def test_the_address_is_edited_directly_by_clerk_and_class_teacher(session: Session) -> None:
    one = described(session, "lin")["student"]["address"]
    assert (one.edited, one.edited_by) == ("直接修改", ("学籍管理员", "班主任"))
    assert one.help == "现在实际居住的地址，写到门牌号"


def test_what_comes_from_above_is_edited_by_who_governs(session: Session) -> None:
    one = described(session, "lin")["school"]["name"]
    assert (one.edited, one.edited_by) == ("主管部门填写", ("主管部门管理员",))


def test_what_no_form_asks_for_is_changed_by_its_procedure(session: Session) -> None:
    one = described(session, "lin")["grade"]["is_graduated"]
    assert (one.edited, one.procedure, one.is_required) == ("经业务变更", "毕业升级", False)


def test_a_code_names_its_table_and_values(session: Session) -> None:
    one = described(session, "lin")["student"]["gender"]
    assert one.table == "gender"
    assert one.codes == (("1", "男"), ("2", "女"))
    (listed,) = (
        table
        for table in dictionary.code_lists(dictionary.parts_for(cast.actor(session, "lin")))
        if table.table == "gender"
    )
    assert listed.codes == codes.table("gender").all()


def test_what_only_the_program_writes_is_required_of_nobody(session: Session) -> None:
    for one in described(session, "lin")["audit_entry"].values():
        assert (one.edited, one.is_required, one.edited_by) == ("系统填写", False, ())


@pytest.mark.parametrize("username", [one.username for one in cast.PEOPLE])
def test_each_reads_of_exactly_the_fields_that_he_sees(session: Session, username: str) -> None:
    by = cast.actor(session, username)
    said = {(key, name) for key, fields in described(session, username).items() for name in fields}
    seen = {
        (entity.key(), name)
        for entity in registry
        for name, field in entity.fields().items()
        if is_offered(field) and by.has(field_right(entity, name, "see"))
    }
    assert said == seen


def test_the_super_admin_reads_nothing_of_pupils(session: Session, login: Login) -> None:
    assert "student" not in described(session, "li")
    page = login("li").get("/help/dictionary").text
    assert 'id="school"' in page and 'id="student"' not in page


def test_health_is_left_out_for_those_who_do_not_see_it(session: Session) -> None:
    with_it, without = (described(session, name)["student"] for name in ("lin", "zhou"))
    assert with_it["disability"].private
    assert "disability" not in without


def test_the_page_shows_each_entity_and_code_table_once(login: Login) -> None:
    page = login("lin").get("/help/dictionary").text
    anchors = re.findall(r'<section class="panel[^"]*" id="([\w-]+)"', page)
    assert len(anchors) == len(set(anchors)) and anchors[-1] == "codes"
    assert page.count("<span>01 汉族</span>") == 1
    assert "data-print" in page


def test_the_workbook_has_a_sheet_for_each_entity_in_text_cells(login: Login, session: Session) -> None:
    answer = login("lin").get("/help/dictionary.xlsx")
    assert answer.mimetype == sheets.MEDIA_TYPE
    book = load_workbook(io.BytesIO(answer.data))
    labels = {registry[key].__label__ for key in described(session, "lin")}
    assert set(book.sheetnames) == {*labels, "代码表"}
    for sheet in book.worksheets:
        assert sheet.freeze_panes == "A2"
        assert {cell.data_type for row in sheet.iter_rows(min_row=2) for cell in row if cell.value} == {"s"}
    pupils = {row[1]: row for row in book["学生"].iter_rows(min_row=2, values_only=True)}
    assert pupils["id_number"][9] == "日常管理—关键数据变更申请"
    assert set(pupils) == set(described(session, "lin")["student"])


def test_sheets_are_named_as_excel_allows() -> None:
    titles = [entity.__label__ for entity in registry]
    assert len(titles) == len(set(titles))
    assert all(len(title) <= 31 and not re.search(r"[\[\]:*?/\\]", title) for title in titles)
