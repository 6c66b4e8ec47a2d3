"""Drafts on the pages: what of a form is kept, how it is found again, who finds it, and when it goes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from app.areas.students.models import FamilyMember, Student
from app.core import drafts, rights, saving, scope
from app.core.drafts import LONGEST, FormDraft
from app.core.rights import Grant
from app.extensions import db
from app.surfaces import forms
from tests import cast
from tests.client import Client
from tests.flows import every_url, world
from tests.forms import JSON, Form, opened
from tests.sites import Site

Login = Callable[[str], Client]
OUYANG, DRAFT = cast.pupil("欧阳若曦"), cast.pupil("刘浩然")
EDIT, ADD = f"/students/edit/{OUYANG}", "/students/add"
HALF = "青岚县城关镇写了一半"


# --- what is asked again and again ---------------------------------------------------------------------


def keep(person: Client, path: str, **typed: str) -> Any:
    """As the script of the page does it: the whole form, with what was typed."""
    form = opened(person, path)
    words = {"draft_path": path, "draft_owner": form.words["data-draft-owner"], "draft_window": "one"}
    words["draft_since"] = form.words["data-draft-since"]
    return person.post("/drafts/keep", data=form.values | words | typed, headers=JSON)


def told(page: str, label: str = "") -> list[str]:
    """The facts of a detail page as (label, value) pairs, flat."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.S)
    return [value for name, value in found if not label or name == label]


def kept_pairs(app: Flask, username: str = "lin", path: str = EDIT) -> dict[str, str]:
    with app.app_context():
        draft = drafts.find(db.session(), cast.person(username), path)
        db.session.remove()
    assert draft is not None
    assert draft.typed is not None
    return dict(draft.typed.pairs)


def draft_id(app: Flask, username: str = "lin") -> int:
    with app.app_context():
        found = drafts.of_person(db.session(), cast.person(username))[0].id
        db.session.remove()
    return found


def number_of_drafts(app: Flask) -> int:
    with app.app_context():
        found = db.session.scalar(sa.select(sa.func.count()).select_from(FormDraft))
        db.session.remove()
    return int(found or 0)


def now(session: Session, id_: int = OUYANG) -> Student:
    session.rollback()
    scope.set_actor(session, rights.system("tests"))
    return session.get_one(Student, id_)


def by_a_colleague(app: Flask, act: Callable[[Session, Any], object]) -> None:
    """小周, who may edit 七年级（1）班 as well, does something meanwhile."""
    with app.app_context():
        by = cast.actor(db.session(), "zhou")
        with scope.acting(db.session(), by), saving.work() as work:
            act(work.session, by)
        db.session.remove()


# --- there and back -----------------------------------------------------------------------------------


def test_a_form_is_found_as_it_was_left_on_any_device(login: Login) -> None:
    answer = keep(login("lin"), EDIT, address=HALF, talent="书法")
    assert re.fullmatch(r"\d\d:\d\d", answer.json["at"])
    page = login("lin").get(EDIT)
    form = Form(page.text)
    assert (form.values["address"], form.values["talent"]) == (HALF, "书法")
    assert re.search(r"已恢复20\d\d-\d\d-\d\d \d\d:\d\d未保存的内容，以竖线标出。", page.text)
    assert "放弃草稿" in page.text


def test_what_is_kept_changes_no_record(login: Login, session: Session) -> None:
    keep(login("lin"), EDIT, address=HALF)
    assert (now(session).address, now(session).version) == (cast.PLAIN["address"], 1)


def test_a_form_as_it_opened_is_no_draft_and_undoing_takes_the_draft_away(login: Login, app: Flask) -> None:
    lin = login("lin")
    assert keep(lin, EDIT).json == {"at": None}
    keep(lin, EDIT, address=HALF)
    assert number_of_drafts(app) == 1
    assert keep(lin, EDIT, address=str(cast.PLAIN["address"])).json == {"at": None}
    assert number_of_drafts(app) == 0


def test_saving_takes_the_draft_away_and_a_refused_save_does_not(login: Login, app: Flask) -> None:
    lin = login("lin")
    keep(lin, EDIT, address=HALF, post_code="12")
    values = opened(lin, EDIT).values
    assert lin.post(EDIT, data=values).status_code == 422
    assert number_of_drafts(app) == 1
    assert lin.post(EDIT, data=values | {"post_code": "646001"}).status_code == 302
    assert number_of_drafts(app) == 0
    assert "已恢复" not in lin.get(EDIT).text


def test_a_refused_form_goes_on_with_its_draft(login: Login, app: Flask) -> None:
    lin = login("lin")
    keep(lin, EDIT, post_code="12")
    refused = lin.post(EDIT, data=opened(lin, EDIT).values | {"address": HALF})
    form = Form(refused.text)
    words = {"draft_path": EDIT, "draft_since": form.words["data-draft-since"], "draft_window": "after"}
    assert lin.post("/drafts/keep", data=form.values | words, headers=JSON).status_code == 200
    assert kept_pairs(app)["address"] == HALF
    assert "已恢复" not in refused.text, "what stands there was just posted"


def test_what_cannot_be_read_is_complained_about_at_its_place(login: Login) -> None:
    lin = login("lin")
    keep(lin, EDIT, phone="140", post_code="12")
    page = lin.get(EDIT).text
    assert "有2处需要修改，填写的内容都还在。" in page
    assert Form(page).values["phone"] == "140"
    assert 'id="f-post_code-err"' in page


def test_without_script_a_button_keeps_and_comes_back(login: Login, app: Flask) -> None:
    lin = login("lin")
    page = lin.get(EDIT).text
    assert f'formaction="/drafts/keep" name="draft_path" value="{EDIT}"' in page
    typed = Form(page).values | {"address": HALF, "draft_path": EDIT}
    answer = lin.post("/drafts/keep", data=typed)
    assert (answer.status_code, answer.location) == (302, EDIT)
    page = lin.get(EDIT).text
    assert "已暂存。30天内可以从“草稿箱”继续填写。" in page
    assert Form(page).values["address"] == HALF


WRITERS = ("lin", "li", "he", "ops", "zhou")


def begun(form: Form) -> dict[str, str]:
    """Something in every input: the last choice, a day, a word."""
    typed = {}
    for name, kind in form.kinds.items():
        if kind in ("hidden", "checkbox"):
            continue
        choice = form.options.get(name, [""])[-1]
        typed[name] = choice if kind == "select" else {"date": "2027-01-31"}.get(kind, "写了一半")
    return typed


SHORT = re.compile(
    r"/students/\d+/photo/|/account/(password|second-factor/)|/second-factor/|/grants/(add$|renew/|refuse/)|/people/(hand-over|depart|import)/"
    r"|/print/|/lists/(views|columns)/"
)
"""Forms of a line or two, and those that ask for a password, a code or a file."""


def test_every_form_that_takes_a_while_is_found_filled_again(app: Flask, login: Login) -> None:
    """Asked of every page that there is: entities, people, grants, settings, a new grade."""
    ids, tried = world.furnish(app), set()
    people = {name: login(name) for name in WRITERS}
    for row in every_url.read_table():
        person = next((name for name in WRITERS if row.letters[name] == "."), None)
        path = row.path(ids)
        if person is None or row.method != "GET" or path in tried:
            continue
        page = people[person].get(path)
        if page.mimetype != "text/html" or "data-guard" not in page.text:
            continue
        if "data-draft=" not in page.text:
            assert SHORT.match(path), f"{path} keeps no draft"
            continue
        typed = begun(Form(page.text))
        assert keep(people[person], path, **typed).status_code == 200, path
        values = opened(people[person], path).values
        assert {name: values.get(name) for name in typed} == typed, path
        tried.add(path)
    assert {ADD, "/people/add", "/account/edit", "/grades/open/", "/roles/add", "/people/teachers/"} <= tried
    assert len(tried) > 15


def test_every_form_goes_through_the_one_function_that_knows_of_drafts() -> None:
    home = Path(__file__).resolve().parents[2] / "app"
    using = [path.name for path in home.rglob("*.py") if "form.html" in path.read_text("utf-8")]
    assert using == ["drafts.py"]


@pytest.mark.parametrize(
    ("username", "path", "typed"),
    [
        ("li", "/people/add", {"username": "sun1", "name": "孙老师", "phone": "14000000098"}),
        ("lin", "/account/edit", {"phone": "14000000097"}),
        ("lin", "/grades/open/", {"entry_year": "2031", "classes": "2", "spare": "0", "stage_id": "1"}),
    ],
)
def test_a_form_written_by_hand_drops_its_draft_when_it_is_saved(
    login: Login, app: Flask, username: str, path: str, typed: dict[str, str]
) -> None:
    person = login(username)
    keep(person, path, **typed)
    assert number_of_drafts(app) == 1
    answer = person.post(path, data=opened(person, path).values)
    assert answer.status_code == 302, answer.text
    assert number_of_drafts(app) == 0


def test_a_grant_that_was_begun_is_found_again_and_goes_when_it_is_given(
    login: Login, app: Flask, session: Session
) -> None:
    li, path = login("li"), f"/grants/add/{cast.person('zhou')}"
    role = str(session.scalar(sa.select(Role.id).where(Role.name == "default:clerk")))
    keep(li, path, role_id=role, until="2027-01-31")
    values = opened(li, path).values
    assert (values["role_id"], values["until"]) == (role, "2027-01-31")
    assert li.post(path, data=values).status_code == 302
    assert number_of_drafts(app) == 0


def test_what_was_typed_into_a_look_up_and_not_chosen_yet_comes_back(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "FEW", 0)
    lin = login("lin")
    keep(lin, ADD, class_id="", class_id__text="七年级（1")
    assert opened(lin, ADD).values["class_id__text"] == "七年级（1"
    grade = {"grade_id": str(cast.grade(cast.YIZHONG, 7)), "grade_id__text": "七年级"}
    keep(lin, ADD, **grade, class_id="", class_id__text="七年级（1")
    values = opened(lin, ADD).values
    assert {name: values[name] for name in grade} == grade
    assert (values["class_id"], values["class_id__text"]) == ("", "七年级（1")


# --- nested rows --------------------------------------------------------------------------------------


def test_rows_that_were_added_and_rows_to_be_deleted_come_back(login: Login, session: Session) -> None:
    lin = login("lin")
    rows = {"family_member-4-name": "欧阳丽", "family_member-4-relation": "52", "family_member-0-gone": "1"}
    keep(lin, EDIT, **rows)
    page = lin.get(EDIT).text
    values = Form(page).values
    assert {name: values.get(name) for name in rows} == rows
    assert values["family_member-0-id"] == str(cast.relative("欧阳明"))
    assert values["family_member-0-version"] == "1"
    more = {"family_member-4-phone": "14000000077", "family_member-4-is_guardian": "1"}
    assert lin.post(EDIT, data=values | more).status_code == 302
    now(session)
    family = session.scalars(sa.select(FamilyMember.name).where(FamilyMember.student_id == OUYANG)).all()
    assert family == ["欧阳丽"]


def test_a_row_that_a_colleague_deleted_meanwhile_is_told(login: Login, app: Flask) -> None:
    lin, relative = login("lin"), cast.relative("欧阳明")
    keep(lin, EDIT, **{"family_member-0-workplace": "写了一半的单位"})
    with app.app_context():
        by = cast.actor(db.session(), "lin")
        with scope.acting(db.session(), by), saving.work() as work:
            saving.create(FamilyMember, cast.GUARDIAN | {"student_id": OUYANG}, by)
            saving.delete(work.session.get_one(FamilyMember, relative), by)
        db.session.remove()
    page = lin.get(EDIT).text
    assert "其中一行已被其他人删除" in page
    assert "写了一半的单位" in page


# --- what is never kept -------------------------------------------------------------------------------


def test_only_what_the_form_has_an_input_for_is_kept(login: Login, app: Flask) -> None:
    lin = login("lin")
    junk = {
        "password": "Lan-chuan-2026",
        "id_number": "510000199001010000",
        "student_no": "G1",
        "family_member-0-student_id": "1",
        "family_member-0-id": "999",
        "student-0-name": "x",
        "code": "123456",
    }
    assert keep(lin, EDIT, address=HALF, **junk).status_code == 200
    kept = kept_pairs(app)
    assert kept["address"] == HALF
    assert not {"csrf_token", "password", "id_number", "student_no", "student-0-name", "code"} & set(kept)
    assert not [name for name in kept if name.startswith("draft_") or name.endswith("student_id")]
    assert lin.post(EDIT, data=opened(lin, EDIT).values).status_code in (302, 422)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/account/password", 404),
        ("/login/", 404),
        ("/logout/", 404),
        (f"/students/delete/{DRAFT}", 404),
        (f"/students/show/{OUYANG}", 404),
        ("/students/list/", 404),
        ("/people/suspend/8", 404),
        ("/drafts/keep", 404),
        ("/api/v1/students/", 404),
        ("/static/app.css", 404),
        ("/nothing", 404),
        ("students/add", 404),
        ("//students/add", 404),
        (f"/students/edit/0{OUYANG}", 404),
        ("/students/add?x=1", 404),
        ("/students/%61dd", 404),
        ("https://example.cn/students/add", 404),
        (f"/students/edit/{cast.pupil('吴佳怡')}", 404),
        ("/students/edit/999999", 404),
        ("/students/edit/" + "9" * 30, 404),
        ("/students/edit/x", 404),
        ("/people/add", 403),
        ("/schools/edit/2", 404),
        ("", 422),
        ("\0", 404),
    ],
)
def test_only_forms_that_the_person_may_open_are_kept(login: Login, app: Flask, path: str, code: int) -> None:
    lin = login("lin")
    answer = lin.post("/drafts/keep", data={"draft_path": path, "name": "高"}, headers=JSON)
    assert (answer.status_code, number_of_drafts(app)) == (code, 0), answer.text
    assert answer.json["message"].endswith("。")


@pytest.mark.parametrize("username", ["chen", "sun", "li", "ops", "wang", "gao"])
def test_who_may_not_edit_a_pupil_keeps_no_draft_of_the_form(login: Login, app: Flask, username: str) -> None:
    person = login(username)
    answer = person.post(
        "/drafts/keep", data={"draft_path": EDIT, "version": "1", "address": HALF}, headers=JSON
    )
    assert answer.status_code in (403, 404)
    assert number_of_drafts(app) == 0


@pytest.mark.parametrize(
    "typed",
    [
        {"address": "a\0b"},
        {"address": "😀" * 50},
        {"address": "=1+1"},
        {"version": "x"},
        {"version": ""},
        {"class_id": "9" * 400, "class_id__text": "\x1b"},
        {"family_member-0-version": "-1"},
        {"family_member-999-name": "x"},
        {"family_member-0-gone": "<script>"},
        {"born_on": "0000-00-00", "gender": "’"},
        {"draft_since": "yesterday", "draft_window": "w" * 10_000},
        {"address": "长" * (LONGEST + 1)},
        {"draft_owner": "x"},
        {f"family_member-{n}-name": "高" for n in range(60)},
    ],
)
@pytest.mark.parametrize("path", [EDIT, ADD])
def test_junk_is_kept_as_it_is_or_refused_and_the_form_still_opens(
    login: Login, path: str, typed: dict[str, str]
) -> None:
    lin = login("lin")
    assert keep(lin, path, **{"talent": "书法"} | typed).status_code in (200, 403, 409, 422)
    assert lin.get(path).status_code == 200
    assert lin.get("/drafts/").status_code == 200
    assert lin.get("/").status_code == 200


def test_too_much_is_refused_with_a_sentence(login: Login, app: Flask) -> None:
    answer = keep(login("lin"), EDIT, address="长" * (LONGEST + 1))
    assert (answer.status_code, number_of_drafts(app)) == (422, 0)
    assert "填写的内容太多，不能暂存为草稿" in answer.json["message"]


def test_keeping_and_dropping_want_the_form_token(login: Login, app: Flask) -> None:
    lin = login("lin")
    for path in ("/drafts/keep", "/drafts/drop"):
        answer = lin.post(path, data={"draft_path": ADD, "name": "高晓松"}, csrf=False, headers=JSON)
        assert answer.status_code == 400
    assert number_of_drafts(app) == 0


# --- hidden numbers -----------------------------------------------------------------------------------

PHONE = f"140{OUYANG:08d}"
HIDDEN = PHONE[:3] + "****" + PHONE[-4:]


def reveal(person: Client) -> None:
    answer = person.post("/reveal/student", data={"id": OUYANG, "reason": "核对学生信息", "next": EDIT})
    assert answer.status_code == 302


def lapse(person: Client) -> None:
    with person.session_transaction() as kept:
        sets = [[words, 0, ids] for words, _until, ids in kept["revealed"]["sets"]]
        kept["revealed"] = {**kept["revealed"], "sets": sets}


def test_a_hidden_number_stays_hidden_and_unchanged(login: Login, app: Flask, session: Session) -> None:
    lin = login("lin")
    keep(lin, EDIT, address=HALF)
    assert kept_pairs(app)["phone"] == HIDDEN
    assert lin.post(EDIT, data=opened(lin, EDIT).values).status_code == 302
    assert (now(session).phone, now(session).address) == (PHONE, HALF)


def test_a_number_that_was_revealed_for_ten_minutes_is_not_kept_for_thirty_days(
    login: Login, app: Flask, session: Session
) -> None:
    lin = login("lin")
    reveal(lin)
    form = opened(lin, EDIT)
    assert form.values["phone"] == PHONE
    for is_lapsed in (False, True):
        typed = form.values | {"draft_path": EDIT, "address": HALF}
        if is_lapsed:
            lapse(lin)
        assert lin.post("/drafts/keep", data=typed, headers=JSON).status_code == 200
        assert kept_pairs(app)["phone"] == HIDDEN
        assert PHONE not in lin.get(f"/drafts/show/{draft_id(app)}").text
    assert opened(lin, EDIT).values["phone"] == HIDDEN
    reveal(lin)
    values = opened(lin, EDIT).values
    assert values["phone"] == PHONE
    assert lin.post(EDIT, data=values).status_code == 302
    assert now(session).phone == PHONE


def test_a_draft_does_not_tell_whether_a_guessed_number_is_right(login: Login) -> None:
    lin = login("lin")
    for guess in (PHONE, "14099990000"):
        keep(lin, EDIT, phone=guess)
        assert opened(lin, EDIT).values["phone"] == guess


# --- somebody saved meanwhile -------------------------------------------------------------------------


def test_a_draft_of_an_edit_meets_the_conflict_page_after_a_colleagues_save(
    login: Login, app: Flask, session: Session
) -> None:
    lin = login("lin")
    keep(lin, EDIT, address=HALF, talent="书法")
    words = {"address": "小周改的地址", "post_code": "646009"}
    by_a_colleague(app, lambda s, by: saving.edit(s.get_one(Student, OUYANG), words, by, version=1))
    page = lin.get(EDIT).text
    assert "在您填写之后，这条记录已被修改。保存时会列出对照，由您逐项选择。" in page
    values = Form(page).values
    assert (values["version"], values["address"]) == ("1", HALF)

    answer = lin.post(EDIT, data=values)
    assert answer.status_code == 409
    assert "小周于" in answer.text
    assert "小周改的地址" in answer.text
    assert Form(answer.text).values["address"] == HALF
    assert Form(answer.text).values["post_code"] == "646009", "left alone by the one, changed by the other"
    assert now(session).address == "小周改的地址", "nothing is overwritten"
    assert number_of_drafts(app) == 1, "and nothing lost"
    chosen = Form(answer.text).values | {"address__choice": "mine"}
    assert lin.post(EDIT, data=chosen).status_code == 302
    assert (now(session).address, now(session).post_code, now(session).talent) == (HALF, "646009", "书法")
    assert number_of_drafts(app) == 0


# --- the form cannot be opened any more ---------------------------------------------------------------


def test_a_draft_of_a_record_that_is_gone_is_read_and_thrown_away(login: Login, app: Flask) -> None:
    lin, path = login("lin"), f"/students/edit/{DRAFT}"
    keep(lin, path, address=HALF, ethnicity="05")
    assert lin.post(f"/students/delete/{DRAFT}", data={"version": "1"}).status_code == 302
    page = lin.get("/drafts/").text
    assert "记录已不存在" in page
    assert "继续填写" not in page
    content = lin.get(f"/drafts/show/{draft_id(app)}").text
    assert told(content, "现住址") == [HALF]
    assert told(content, "民族") == ["维吾尔族"], "a choice is read as people read it"
    assert cast.PLAIN["mail_address"] not in content, "what the record held is not what was typed"
    assert lin.get(path).status_code == 404
    answer = lin.post("/drafts/drop", data={"draft_path": path, "next": "/drafts/"})
    assert (answer.status_code, answer.location) == (302, "/drafts/")
    assert number_of_drafts(app) == 0


def test_a_draft_of_a_form_that_one_may_not_fill_any_more_is_read(login: Login, app: Flask) -> None:
    zhou = login("zhou")
    keep(zhou, EDIT, address=HALF)
    with app.app_context():
        mine = Grant.person_id == cast.person("zhou")
        db.session.execute(sa.update(Grant).where(mine).values(until=datetime.now(UTC)))
        db.session.commit()
        db.session.remove()
    page = zhou.get("/drafts/").text
    assert "您已不能填写" in page
    assert "继续填写" not in page
    content = zhou.get(f"/drafts/show/{draft_id(app, 'zhou')}").text
    assert told(content, "现住址") == [HALF]
    assert "解放路" not in content


def test_a_draft_that_cannot_be_unsealed_is_said_to_be_so(login: Login, app: Flask, session: Session) -> None:
    lin = login("lin")
    keep(lin, EDIT, address=HALF)
    session.execute(sa.update(FormDraft).values(sealed="damaged"))
    session.commit()
    assert "无法读取" in lin.get("/drafts/").text
    assert "系统的密钥已更换，这份草稿无法读取" in lin.get(f"/drafts/show/{draft_id(app)}").text
    assert opened(lin, EDIT).values["address"] == cast.PLAIN["address"]


# --- whose it is --------------------------------------------------------------------------------------


def test_nobody_else_reads_drops_or_is_shown_a_draft(login: Login, app: Flask) -> None:
    lin = login("lin")
    keep(lin, EDIT, address=HALF)
    mine = draft_id(app)
    for username in (one.username for one in cast.PEOPLE if one.username != "lin"):
        other = login(username)
        assert other.get(f"/drafts/show/{mine}").status_code == 404, username
        assert "草稿箱是空的" in other.get("/drafts/").text
        assert "/drafts/" not in cards(other)
        assert other.post("/drafts/drop", data={"draft_path": EDIT}).status_code == 302
        form = other.get(EDIT)
        assert form.status_code in (200, 403, 404)
        assert HALF not in form.text
    assert kept_pairs(app)["address"] == HALF


def test_a_page_of_another_account_keeps_nothing(login: Login, app: Flask) -> None:
    answer = keep(login("lin"), EDIT, address=HALF, draft_owner=str(cast.person("zhou")))
    assert (answer.status_code, number_of_drafts(app)) == (403, 0)
    assert "现在登录的是另一个账号" in answer.json["message"]


def test_a_second_window_is_told_and_keeps_nothing(login: Login, app: Flask) -> None:
    lin, other = login("lin"), login("lin")
    form = opened(other, EDIT)
    keep(lin, EDIT, address=HALF)
    words = {"draft_path": EDIT, "draft_window": "two", "draft_since": form.words["data-draft-since"]}
    typed = form.values | words | {"address": "在另一处写的"}
    answer = other.post("/drafts/keep", data=typed, headers=JSON)
    assert answer.status_code == 409
    assert "另一个窗口" in answer.json["message"]
    assert kept_pairs(app)["address"] == HALF


def test_the_token_is_the_one_that_holds_now(login: Login, app: Flask) -> None:
    lin = login("lin")
    said = lin.get("/drafts/token", headers=JSON).json
    assert said["person"] == cast.person("lin")
    headers = JSON | {"X-CSRFToken": said["token"]}
    answer = lin.post("/drafts/keep", data={"draft_path": ADD, "name": "高晓松"}, headers=headers, csrf=False)
    assert answer.status_code == 200
    assert Client(app).get("/drafts/token", headers=JSON).status_code == 401


# --- list and home ------------------------------------------------------------------------------------


def cards(person: Client) -> dict[str, str]:
    """Address → number of the cards on the first page."""
    found = re.findall(
        r'class="card-link" href="([^"]+)"><span class="number[^"]*">([^<]+)<', person.get("/").text
    )
    return dict(found)


def test_home_counts_what_the_list_shows(login: Login) -> None:
    lin = login("lin")
    assert "/drafts/" not in cards(lin)
    for number, path in enumerate((EDIT, ADD, "/account/edit"), 1):
        keep(lin, path, address=HALF, phone="14000000001")
        page = lin.get("/drafts/").text
        assert cards(lin)["/drafts/"] == str(number) == str(page.count('<th scope="row"'))
        assert f"共{number}条" in re.sub(r"\s", "", page)
    assert re.findall(r'<th scope="row"[^>]*><a href="[^"]+">([^<]+)<', page) == [
        "修改个人设置",
        "新增学生",
        "修改学生 · 欧阳若曦",
    ]


def test_the_list_is_in_everybodys_menu(login: Login) -> None:
    for username in ("lin", "chen", "ops"):
        assert re.search(r'<nav class="menu".*?href="/drafts/".*?</nav>', login(username).get("/").text, re.S)


def test_dropping_leads_back_to_a_place_here_and_nowhere_else(login: Login) -> None:
    lin = login("lin")
    for to, where in ((EDIT, EDIT), ("//example.cn", "/drafts/"), ("https://example.cn/", "/drafts/")):
        keep(lin, EDIT, address=HALF)
        answer = lin.post("/drafts/drop", data={"draft_path": EDIT, "next": to})
        assert (answer.status_code, answer.location) == (302, where)
        assert opened(lin, EDIT).values["address"] == cast.PLAIN["address"]


# --- at rest ------------------------------------------------------------------------------------------


def test_the_raw_database_shows_nothing_of_what_was_typed(login: Login, site: Site, session: Session) -> None:
    words = ("诸葛暮雨", "巴彦淖尔路", "14088776655")
    typed = dict(zip(("name", "address", "phone"), words, strict=True))
    keep(login("lin"), ADD, **typed)
    if site.kind == "sqlite":
        home = Path(str(site.app.config["DATABASE_URL"]).removeprefix("sqlite:///"))
        raw = b"".join(path.read_bytes() for path in home.parent.glob(home.name + "*"))
    else:
        raw = str(session.execute(sa.select(sa.inspect(FormDraft).columns)).all()).encode()
    assert b"form_draft" in raw or b"/students/add" in raw
    for word in words:
        assert word.encode() not in raw
        assert word.encode("unicode_escape") not in raw
    assert "诸葛暮雨" in login("lin").get(ADD).text


@pytest.mark.parametrize("typed", [{"name": ""}, {"name": "x" * 500, "address": ""}])
def test_what_is_refused_is_said_and_the_draft_stays(
    login: Login, app: Flask, session: Session, typed: dict[str, str]
) -> None:
    lin = login("lin")
    values = Form(lin.get("/campuses/add").text).values
    about = {"name": "东校区", "area_code": "519921100000", "address": "青岚县城关镇东街1号"}
    assert lin.post("/campuses/add", data=values | about).status_code == 302
    path = f"/campuses/edit/{session.scalar(sa.text('SELECT max(id) FROM campus').execution_options(unguarded=True))}"
    keep(lin, path, address=HALF)
    answer = lin.post(path, data=Form(lin.get(path).text).values | typed)
    assert answer.status_code == 422
    assert number_of_drafts(app) == 1
