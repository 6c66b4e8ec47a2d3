"""Several rows at once: previewed, counted, done as each row's own form would do it, and told row by row."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.areas.schools.models import SchoolClass
from app.areas.students.models import FamilyMember, Student
from app.core import grants, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.rights import Extent
from app.extensions import db
from app.surfaces import bulk
from tests import cast
from tests.accounts import role_id
from tests.cast import YIZHONG
from tests.client import Client
from tests.flows import world
from tests.forms import opened

Login = Callable[..., Client]
EDIT, DELETE = "/lists/bulk/students/edit", "/lists/bulk/students/delete"
OUYANG, LIU, ZHANG, LI_SIQI = map(cast.pupil, ("欧阳若曦", "刘浩然", "张一鸣", "李思琪"))
WU = cast.pupil("吴佳怡")  # of another school
BICYCLE = "2"


def choose(client: Client, ids: Iterable[int], field: str = "", value: str | None = None) -> TestResponse:
    words: dict[str, Any] = {"chosen": ",".join(map(str, ids))}
    words |= {"field": field} if field else {}
    words |= {f"to-{field}": value} if value is not None else {}
    return client.post(EDIT, data=words)


def hidden_in(answer: TestResponse) -> dict[str, str]:
    """What the confirm page would post."""
    form = re.search(
        r'<form method="post" action="[^"]*" class="buttons">(.*?)</form>', answer.text, re.DOTALL
    )
    assert form, answer.text
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[1])
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}


def confirm(client: Client, preview: TestResponse, path: str = EDIT) -> TestResponse:
    answer = client.post(f"{path}-now", data=hidden_in(preview))
    assert answer.status_code == 200, answer.text
    return answer


def said(answer: TestResponse) -> str:
    """The sentence on top."""
    found = re.search(r'<section class="panel narrow confirm".*?<p>(.*?)</p>', answer.text, re.DOTALL)
    assert found, (answer.status_code, answer.text)
    return html.unescape(found[1])


def parts(answer: TestResponse) -> dict[str, list[str]]:
    """What a confirm page lists, by its headings."""
    found = re.findall(r"<h2>(.*?)</h2>\s*<ul class=\"goes-with\">(.*?)</ul>", answer.text, re.DOTALL)
    return {
        html.unescape(title): [html.unescape(one) for one in re.findall(r"<li>(.*?)</li>", body)]
        for title, body in found
    }


def refusal(answer: TestResponse) -> str:
    """What a 4xx says, wherever on the page."""
    assert 400 <= answer.status_code < 500, answer.status
    return html.unescape(re.sub(r"<[^>]+>", "", answer.text))


def load(app: Flask, entity: type[Any], id_: int) -> Any:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        found = db.session.get(entity, id_)
        if found is not None:
            db.session.refresh(found)
            db.session.expunge(found)
        db.session.remove()
        return found


def change(app: Flask, entity: type[Any], id_: int, **values: Any) -> None:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            saving.edit(work.session.get_one(entity, id_), values, by)
        db.session.remove()


def audited(app: Flask, action: str, ids: Iterable[int]) -> list[AuditEntry]:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        query = sa.select(AuditEntry).where(
            AuditEntry.entity == "student", AuditEntry.action == action, AuditEntry.actor_name == "林老师"
        )
        found = list(
            db.session.scalars(query.where(AuditEntry.row_id.in_(list(ids))).order_by(AuditEntry.id))
        )
        db.session.expunge_all()
        db.session.remove()
        return found


# --- who is offered it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "path", "offered"),
    [
        ("lin", "/students/list/", ["批量修改", "打印花名册", "打印学籍卡", "打印信息核对表", "批量删除"]),
        ("zhou", "/students/list/", ["批量修改", "打印花名册", "打印学籍卡", "打印信息核对表"]),
        ("zhao", "/students/list/", ["打印花名册", "打印学籍卡", "打印信息核对表"]),
        ("lin", "/classes/list/", ["批量修改", "批量删除"]),
        ("zhou", "/classes/list/", []),
        ("lin", "/stays/list/", []),
        ("chen", "/bureau/students/", []),
    ],
)
def test_rows_are_ticked_only_by_whom_it_helps(
    login: Login, person: str, path: str, offered: list[str]
) -> None:
    page = login(person).get(path)
    assert page.status_code == 200
    found = re.findall(
        r'<button class="[^"]*" formaction="[^"]*">(?:<svg.*?</svg>)?([^<]+)</button>', page.text
    )
    assert found == offered
    assert ('type="checkbox" form="bulk"' in page.text) is bool(offered)


def test_the_list_asks_the_database_for_nothing_more(
    login: Login, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin, statements = login("lin"), list[str]()

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        lin.get("/students/list/?size=20")
        statements.clear()
        lin.get("/students/list/?size=20")
        with_boxes = list(statements)
        monkeypatch.setattr(bulk, "bar", lambda listing, page: None)
        statements.clear()
        lin.get("/students/list/?size=20")
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(with_boxes) == len(statements)


# --- one value for many -------------------------------------------------------------------------------


def test_a_field_is_asked_for_then_its_value_and_the_choice_goes_along(login: Login) -> None:
    lin = login("lin")
    first = lin.post(EDIT, data={"id": [OUYANG, ZHANG], "asked": "grade_id=1&sort=name"})
    assert first.status_code == 200
    options = re.findall(r'<option value="([^"]+)"', first.text)
    assert {"transport", "boarding", "address"} <= set(options)
    closed = {"name", "id_number", "student_no", "phone", "status", "class_id", "grade_id", "born_on"}
    assert not closed & set(options), "key data, what is masked and what names a row are one row's own"
    assert f'name="chosen" value="{OUYANG},{ZHANG}"' in first.text
    assert 'name="asked" value="grade_id=1&amp;sort=name"' in first.text
    second = choose(lin, [OUYANG, ZHANG], "transport")
    assert "“上下学交通方式”改为" in second.text
    assert 'name="to-transport"' in second.text


def test_nobody_is_told_of_what_a_preview_takes_back(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    edit = saving.edit

    def telling(obj: Any, *args: Any, **words: Any) -> None:
        edit(obj, *args, **words)
        saving._current().after.append(lambda: told.append(obj.id))

    monkeypatch.setattr(saving, "edit", telling)
    lin = login("lin")
    preview = choose(lin, [OUYANG, ZHANG], "transport", BICYCLE)
    assert told == []
    confirm(lin, preview)
    assert sorted(told) == sorted([OUYANG, ZHANG])


def test_a_preview_counts_what_will_be_changed_and_what_is_skipped_and_writes_nothing(
    login: Login, app: Flask
) -> None:
    change(app, Student, ZHANG, transport=BICYCLE)
    before = world.all_rows(app), world.audited_changes(app)
    answer = choose(login("lin"), [OUYANG, LIU, ZHANG, WU, 999_999], "transport", BICYCLE)
    assert answer.status_code == 200
    bicycle = "自行车（含摩托车、电动自行车）"
    assert said(answer) == f"将把2条记录的“上下学交通方式”改为“{bicycle}”，跳过3条。确认后保存。"
    assert parts(answer) == {
        "将修改2条": [f"欧阳若曦：步行 → {bicycle}", f"刘浩然：步行 → {bicycle}"],
        "跳过3条": ["无需修改（1条：张一鸣）", "没有找到，可能已被删除，或不在您的管理范围内（2条）"],
    }
    assert (world.all_rows(app), world.audited_changes(app)) == before


def test_the_act_changes_those_and_leaves_a_line_for_each(login: Login, app: Flask) -> None:
    lin = login("lin")
    preview = choose(lin, [OUYANG, LIU, WU], "transport", BICYCLE)
    answer = confirm(lin, preview)
    assert said(answer) == "已修改2条。"
    assert [load(app, Student, id_).transport for id_ in (OUYANG, LIU, WU)] == [BICYCLE, BICYCLE, "1"]
    lines = audited(app, "edit", [OUYANG, LIU, WU])
    assert [(one.row_id, one.before, one.after) for one in lines] == [
        (id_, {"transport": "1"}, {"transport": BICYCLE}) for id_ in (OUYANG, LIU)
    ]
    assert "上下学交通方式" in lin.get(f"/students/show/{OUYANG}").text


def test_a_rule_that_is_broken_is_told_as_the_form_tells_it(login: Login, app: Flask) -> None:
    lin = login("lin")
    change(app, Student, ZHANG, is_migrant_child=True)
    change(app, Student, LI_SIQI, is_migrant_child=True)
    answer = choose(lin, [OUYANG, ZHANG, LI_SIQI], "left_behind", "1")
    rule = "留守儿童与随迁子女不能同时为“是”：随迁子女与父母同住。请核对后改正其中一项"
    assert parts(answer)["跳过2条"] == [f"{rule}（2条：张一鸣、李思琪）"]
    confirm(lin, answer)
    assert [load(app, Student, id_).left_behind for id_ in (OUYANG, ZHANG)] == ["1", "0"]


def test_who_changed_a_row_meanwhile_keeps_it_and_the_rest_is_done(login: Login, app: Flask) -> None:
    lin = login("lin")
    preview = choose(lin, [OUYANG, LIU], "transport", BICYCLE)
    change(app, Student, OUYANG, talent="书法")
    answer = confirm(lin, preview)
    assert said(answer) == "已修改1条。跳过1条，原因如下。"
    assert parts(answer)["跳过1条"] == ["预览之后被其他人修改过。请打开核对后再办理（1条：欧阳若曦）"]
    assert [load(app, Student, id_).transport for id_ in (OUYANG, LIU)] == ["1", BICYCLE]


def test_what_was_deleted_meanwhile_is_told(login: Login, app: Flask) -> None:
    lin = login("lin")
    preview = choose(lin, [OUYANG, LIU], "transport", BICYCLE)
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            saving.delete(work.session.get_one(Student, LIU), by)
        db.session.remove()
    answer = confirm(lin, preview)
    assert parts(answer)["跳过1条"] == ["没有找到，可能已被删除，或不在您的管理范围内（1条）"]


def test_rows_that_are_read_and_not_edited_are_skipped_with_the_missing_right(
    login: Login, app: Flask
) -> None:
    template = role_id(app, "leader")
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            zhou = work.session.get_one(User, cast.person("zhou"))
            everywhere = Extent.of(zhou.school_id, None)
            grants.grant(work.session, by, zhou, work.session.get_one(Role, template), everywhere)
        db.session.remove()
    answer = choose(login("zhou"), [OUYANG, ZHANG, LI_SIQI], "transport", BICYCLE)
    (skipped,) = parts(answer)["跳过2条"]
    assert skipped.startswith("您的授权范围不包括这条记录，不能")
    assert skipped.endswith("（2条：张一鸣、李思琪）")
    assert parts(answer)["将修改1条"] == ["欧阳若曦：步行 → 自行车（含摩托车、电动自行车）"]


def test_where_nothing_would_change_there_is_nothing_to_confirm(login: Login) -> None:
    answer = choose(login("lin"), [OUYANG, LIU], "transport", "1")
    assert said(answer) == "所选记录都不能这样办理，没有可以确认的内容。原因如下。"
    assert "确认修改" not in answer.text
    assert parts(answer) == {"跳过2条": ["无需修改（2条：欧阳若曦、刘浩然）"]}


def test_going_back_from_the_preview_finds_what_was_typed_and_all_that_was_chosen(login: Login) -> None:
    lin = login("lin")
    preview = choose(lin, [OUYANG, WU], "address", "青岚县新街1号")
    answer = lin.post(f"{EDIT}-now", data=hidden_in(preview) | {"back": "1"})
    assert answer.status_code == 200
    assert re.search('name="to-address"[^>]* value="青岚县新街1号"', answer.text)
    assert f'name="chosen" value="{OUYANG},{WU}"' in answer.text


def test_what_cannot_be_read_stays_in_the_form_with_its_complaint(login: Login, app: Flask) -> None:
    answer = choose(login("lin"), [OUYANG], "distance_km", "很远")
    assert answer.status_code == 422
    assert 'value="很远"' in answer.text
    assert load(app, Student, OUYANG).distance_km == cast.PLAIN["distance_km"]


def test_a_required_field_is_not_emptied_and_another_is(login: Login, app: Flask) -> None:
    lin = login("lin")
    assert "必填项“现住址”为空" in refusal(choose(lin, [OUYANG], "address", ""))
    change(app, Student, OUYANG, talent="书法")
    answer = choose(lin, [OUYANG], "talent", "")
    assert said(answer) == "将清空1条记录的“特长”，跳过0条。确认后保存。"
    assert parts(answer)["将修改1条"] == ["欧阳若曦：书法 → （空）"]
    confirm(lin, answer)
    assert load(app, Student, OUYANG).talent is None


def test_a_link_is_set_by_its_name(login: Login, app: Flask) -> None:
    lin, one = login("lin"), cast.class_of(YIZHONG, 7, 2)
    teacher = cast.person("zhou")
    words = {"chosen": str(one), "field": "teacher_id", "to-teacher_id": str(teacher)}
    answer = lin.post("/lists/bulk/classes/edit", data=words)
    assert parts(answer)["将修改1条"] == ["七年级（2）班：（空） → 小周"]
    confirm(lin, answer, "/lists/bulk/classes/edit")
    assert load(app, SchoolClass, one).teacher_id == teacher


@pytest.mark.parametrize("typed", ["2147483648", "9" * 17])
def test_a_link_to_a_number_that_no_account_can_have_is_refused(login: Login, app: Flask, typed: str) -> None:
    lin, one = login("lin"), cast.class_of(YIZHONG, 7, 1)
    words = {"chosen": str(one), "field": "teacher_id", "to-teacher_id": typed}
    assert "没有找到所选的记录" in refusal(lin.post("/lists/bulk/classes/edit", data=words))
    form = f"/classes/edit/{one}"
    assert "没有找到所选的记录" in refusal(
        lin.post(form, data=opened(lin, form).values | {"teacher_id": typed})
    )


def test_the_second_of_two_guardians_is_kept(login: Login, app: Flask) -> None:
    """Each row is judged after those before it, in the preview as in the act."""
    father, mother = cast.relative("王建国"), cast.relative("周丽华")
    for one in (father, mother):
        change(app, FamilyMember, one, is_guardian=True)
    lin, path = login("lin"), "/lists/bulk/family-members/edit"
    words = {"chosen": f"{father},{mother}", "field": "is_guardian", "to-is_guardian": "0"}
    answer = lin.post(path, data=words)
    kept = ["家庭成员中没有监护人。请将至少一人的“是否监护人”填为“是”（1条：周丽华）"]
    assert parts(answer)["跳过1条"] == kept
    confirm(lin, answer, path)
    assert not load(app, FamilyMember, father).is_guardian
    assert load(app, FamilyMember, mother).is_guardian


# --- all of a list ------------------------------------------------------------------------------------


def test_all_of_a_filter_is_chosen_but_for_those_left_out(login: Login) -> None:
    lin = login("lin")
    words = {"every": "1", "asked": "status=pending&sort=-name&after=1", "without": ""}
    answer = lin.post(EDIT, data=words | {"field": "transport", "to-transport": BICYCLE})
    assert [one.partition("：")[0] for one in parts(answer)["将修改1条"]] == ["刘浩然"]
    assert "没有选择记录" in refusal(lin.post(EDIT, data=words | {"without": str(LIU)}))
    ours = sum(one.at[0] == YIZHONG for one in cast.PUPILS)
    answer = lin.post(EDIT, data={"every": "1", "field": "transport", "to-transport": BICYCLE})
    assert len(hidden_in(answer)["rows"].split(",")) == ours


def test_a_filter_that_is_closed_to_a_person_chooses_nothing(login: Login) -> None:
    for asked in (
        "id_number=1",
        "nothing=1",
        "status=%00",
        "q=" + "x" * 60,
        "&".join("a=1" for _n in range(200)),
    ):
        answer = login("lin").post(EDIT, data={"every": "1", "asked": asked})
        assert refusal(answer)


def test_more_than_can_be_done_at_once_is_refused_with_the_way_out(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    lin = login("lin")
    page = lin.get("/students/list/?size=20").text
    assert 'name="every"' not in page, "one page shows them all"
    monkeypatch.setattr("app.surfaces.listing.PAGE_SIZES", (3,))
    page = lin.get("/students/list/?size=3").text
    assert re.search(r'name="every" value="1">符合条件的全部\d+条', page)
    monkeypatch.setattr(bulk, "MOST", 5)
    page = lin.get("/students/list/?size=3").text
    assert "符合条件的超过5条，不能一次全选。请先筛选，缩小范围。" in page
    assert 'name="every"' not in page
    assert "一次最多办理5条，现选择了6条" in refusal(lin.post(EDIT, data={"every": "1"}))
    assert "一次最多办理5条，现选择了6条" in refusal(choose(lin, range(1, 7)))


# --- deleting -----------------------------------------------------------------------------------------


def test_drafts_are_deleted_and_the_others_named_with_the_procedure(login: Login, app: Flask) -> None:
    lin = login("lin")
    draft_near = cast.pupil("朱梓萱")
    answer = lin.post(DELETE, data={"id": [LIU, OUYANG, ZHANG, draft_near]})
    assert said(answer) == "将删除1条“学生”记录，跳过3条。请再次确认。"
    enrolled, missing = parts(answer)["跳过3条"]
    assert enrolled.startswith("所列记录的学籍状态为“在校”，只有“待核准”的草稿可以直接删除。")
    assert enrolled.endswith("（2条：欧阳若曦、张一鸣）")
    assert missing.endswith("（1条）")
    assert load(app, Student, LIU) is not None
    assert said(confirm(lin, answer, DELETE)) == "已删除1条。"
    assert load(app, Student, LIU) is None
    assert load(app, Student, draft_near) is not None
    assert [one.row_id for one in audited(app, "delete", [LIU])] == [LIU]
    assert lin.get("/recycle-bin/").text.count("刘浩然") > 0


def test_empty_classes_are_deleted_and_those_with_pupils_are_not(login: Login, app: Flask) -> None:
    lin, path = login("lin"), "/lists/bulk/classes/delete"
    full = cast.class_of(YIZHONG, 7, 1)
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            words = {"grade_id": cast.grade(YIZHONG, 7), "number": 12}
            spare = saving.create(SchoolClass, words, by)
            work.session.flush()
            spare_id = spare.id
        db.session.remove()
    answer = lin.post(path, data={"id": [full, spare_id]})
    assert said(answer) == "将删除1条“班级”记录，跳过1条。请再次确认。"
    confirm(lin, answer, path)
    assert load(app, SchoolClass, full) is not None
    assert load(app, SchoolClass, spare_id) is None


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("name", "“姓名”属于关键数据，不能直接修改"),
        ("student_no", "由系统生成"),
        ("status", "日常管理"),
        ("phone", "“联系电话”不能批量修改。请打开每条记录分别修改。"),
        ("health", "“健康状况”不能批量修改。请打开每条记录分别修改。"),
        ("school_id", "“学校”由系统生成，不能填写或修改"),
        ("nothing", "请从列表中选择要修改的项目"),
        ("", "请从列表中选择要修改的项目"),
        ("id", "请从列表中选择要修改的项目"),
    ],
)
def test_a_field_that_is_not_set_so_is_refused_with_the_reason(
    login: Login, app: Flask, field: str, sentence: str
) -> None:
    lin, before = login("lin"), world.all_rows(app)
    words = {"field": field, f"to-{field}": "1"}
    assert sentence in refusal(lin.post(EDIT, data=words | {"chosen": str(OUYANG)}))
    assert sentence in refusal(lin.post(f"{EDIT}-now", data=words | {"rows": f"{OUYANG}:1"}))
    assert world.all_rows(app) == before


def test_a_field_that_a_role_locks_is_refused_with_the_right(
    login: Login, limit: Callable[..., None]
) -> None:
    limit("lin", "clerk", "student:transport:lock")
    lin = login("lin")
    assert 'value="transport"' not in choose(lin, [OUYANG]).text
    assert "权限" in refusal(choose(lin, [OUYANG], "transport", BICYCLE))


def test_a_field_that_is_hidden_on_some_rows_is_skipped_there_with_the_right(
    app: Flask, login: Login, limit: Callable[..., None]
) -> None:
    """Whatever stands there: two grants, the whole school without the field, one class with it."""
    limit("lin", "clerk", "student:transport:hide")
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        lin = db.session.get_one(User, cast.person("lin"))
        role = db.session.get_one(Role, role_id(app, "class_teacher"))
        own = Extent.of(cast.school(YIZHONG), None, None, [cast.class_of(YIZHONG, 7, 1)])
        grants.grant(db.session(), by, lin, role, own)
        db.session.commit()
        db.session.remove()
    now = str(load(app, Student, ZHANG).transport)
    for value in (now, BICYCLE if now != BICYCLE else "1"):
        found = parts(choose(login("lin"), [OUYANG, ZHANG], "transport", value))
        told = next(
            why for title in found if title.startswith("跳过") for why in found[title] if "张一鸣" in why
        )
        assert told.startswith("您的授权范围不包括这条记录，不能修改“学生”的“上下学交通方式”")


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"id": "abc"},
        {"id": "-1"},
        {"id": "1" * 30},
        {"chosen": "1,x"},
        {"chosen": "1\0"},
        {"chosen": "," * 70_000},
        {"chosen": ",".join(map(str, range(1, 2_002)))},
        {"every": "1", "without": "x"},
        {"id": "1", "strange": "1"},
        {"id": "1", "field": "transport", "to-talent": "1"},
        {"id": "1", "field": "transport", "to-transport": ["1", "2"]},
    ],
)
def test_junk_is_refused_and_nothing_is_written(login: Login, app: Flask, words: dict[str, Any]) -> None:
    lin, before = login("lin"), world.all_rows(app)
    assert refusal(lin.post(EDIT, data=words))
    assert world.all_rows(app) == before


@pytest.mark.parametrize(
    "rows", ["", "1", "1:", ":1", "1:x", "x:1", "1:1,", "1:1,,2:1", "1:1,1:1", "1:1;2:1"]
)
def test_rows_that_were_never_previewed_so_are_refused(login: Login, app: Flask, rows: str) -> None:
    lin, before = login("lin"), world.all_rows(app)
    words = {"rows": rows, "field": "transport", "to-transport": BICYCLE}
    assert refusal(lin.post(f"{EDIT}-now", data=words))
    assert refusal(lin.post(f"{DELETE}-now", data={"rows": rows}))
    assert world.all_rows(app) == before


def test_an_act_without_its_value_empties_nothing(login: Login, app: Flask) -> None:
    """A form that lost its input on the way is no wish to clear the field."""
    lin, before = login("lin"), world.all_rows(app)
    words = hidden_in(choose(lin, [OUYANG], "talent", "书法"))
    del words["to-talent"]
    assert "提交的内容不完整" in refusal(lin.post(f"{EDIT}-now", data=words))
    assert world.all_rows(app) == before


@pytest.mark.parametrize("path", ["/lists/bulk/students/burn", "/lists/bulk/students/edit/again"])
def test_an_act_that_there_is_not_is_not_found(login: Login, path: str) -> None:
    assert login("lin").post(path, data={"id": [OUYANG]}).status_code == 404


def test_who_may_neither_edit_nor_delete_is_told_which_right_is_missing(login: Login, app: Flask) -> None:
    before = world.all_rows(app)
    zhao = login("zhao")
    for path, words in ((EDIT, {"id": [OUYANG]}), (f"{DELETE}-now", {"rows": f"{LIU}:1"})):
        answer = zhao.post(path, data=words)
        assert answer.status_code == 403
        assert "的权限。需要这项权限的，请联系" in refusal(answer)
    assert world.all_rows(app) == before


OURS = [n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == YIZHONG]


@settings(max_examples=40)
@given(data=st.data())
def test_nobody_changes_a_pupil_of_another_school(login: Login, app: Flask, data: st.DataObject) -> None:
    wang = login("wang")
    before = {id_: load(app, Student, id_).version for id_ in OURS}
    ids = data.draw(st.lists(st.sampled_from([*OURS, WU, 0, 10**17]), min_size=1, unique=True))
    field = data.draw(st.sampled_from([*Student.fields(), "id", "version"]))
    value = data.draw(st.sampled_from(["", "0", "1", "2", "x", "\0", "20260101"]))
    rows = ",".join(f"{id_}:{before.get(id_, 1)}" for id_ in ids)
    words = {"field": field, f"to-{field}": value}
    answers = [
        wang.post(EDIT, data=words | {"chosen": ",".join(map(str, ids))}),
        wang.post(f"{EDIT}-now", data=words | {"rows": rows}),
        wang.post(DELETE, data={"id": ids}),
        wang.post(f"{DELETE}-now", data={"rows": rows}),
    ]
    assert all(one.status_code in (200, 404, 422) for one in answers)
    assert not any(
        cast.PUPILS[id_ - 1].name in one.text
        for one in answers
        for id_ in OURS
        if cast.PUPILS[id_ - 1].name != "王子涵"
    )
    assert {id_: load(app, Student, id_).version for id_ in OURS} == before


# --- paper --------------------------------------------------------------------------------------------


def test_cards_and_sheets_of_the_chosen_are_printed_for_whom_one_may_open(login: Login, app: Flask) -> None:
    lin = login("lin")
    for word, what in (("cards", "打印学籍卡"), ("sheets", "打印信息核对表")):
        answer = lin.post(f"/print/chosen/{word}", data={"id": [OUYANG, ZHANG, WU]})
        assert answer.mimetype == "application/pdf"
        lines = audited(app, "export", [OUYANG, ZHANG, WU])
        assert [one.row_id for one in lines if what in (one.reason or "")] == [OUYANG, ZHANG]
        assert login("wang").post(f"/print/chosen/{word}", data={"id": [OUYANG]}).status_code == 404


def test_what_is_printed_is_noted_in_chinese_whatever_language_the_pages_speak(
    login: Login, app: Flask
) -> None:
    lin = login("lin")
    assert lin.post("/language/", data={"language": "en"}).status_code == 302
    for word, what in (("cards", "打印学籍卡"), ("sheets", "打印信息核对表")):
        assert lin.post(f"/print/chosen/{word}", data={"id": [OUYANG]}).status_code == 200
        assert (audited(app, "export", [OUYANG])[-1].reason or "").startswith(what)


def test_the_chosen_have_a_roster_of_their_own(login: Login) -> None:
    lin = login("lin")
    answer = lin.post("/print/chosen/roster", data={"chosen": f"{OUYANG},{ZHANG}"})
    assert answer.status_code == 302
    assert lin.get(answer.location).status_code == 200
    assert answer.location.endswith(f"found={OUYANG}%2C{ZHANG}")


def test_more_than_fit_on_paper_are_refused(login: Login) -> None:
    ids = ",".join(map(str, range(1, 202)))
    for word in ("roster", "cards", "sheets"):
        assert "一次最多办理200条" in refusal(
            login("lin").post(f"/print/chosen/{word}", data={"chosen": ids})
        )
