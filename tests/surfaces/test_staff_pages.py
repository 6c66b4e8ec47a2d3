"""The staff's generated pages: what a form offers and refuses, what a detail draws, how a list is headed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import cast
from tests.cast import YIZHONG, class_of, grade, pupil
from tests.client import Client
from tests.flows import world
from tests.flows.world import take_right

Login = Callable[[str], Client]


def text_of(answer: TestResponse) -> str:
    """The page as one reads it: no tags, single blanks."""
    bare = re.sub(r"<(script|style|template)\b.*?</\1>", " ", answer.get_data(as_text=True), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())


def inputs_of(answer: TestResponse) -> set[str]:
    return set(re.findall(r'\bname="([^"]+)"', answer.get_data(as_text=True)))


@pytest.fixture
def lin(login: Login) -> Client:
    """林老师, record clerk of the first school."""
    return login("lin")


# --- what comes from above ----------------------------------------------------------------------------

NEW_CLASS = {"grade_id": str(grade(YIZHONG, 7)), "number": "5", "class_type": "0"}


def test_a_clerk_opens_a_class_and_not_its_lifted_cap(app: Flask, lin: Client) -> None:
    before = world.all_rows(app)
    form = lin.get("/classes/add")
    assert "number" in inputs_of(form)
    assert "cap_lifted_to" not in inputs_of(form)
    answer = lin.post("/classes/add", data=NEW_CLASS | {"cap_lifted_to": "99"})
    assert answer.status_code == 422
    assert "“主管部门特批上限”由主管部门下达，学校不能填写或修改" in text_of(answer)
    assert world.all_rows(app) == before
    assert lin.post("/classes/add", data=NEW_CLASS | {"cap_lifted_to": ""}).status_code == 302


# --- the recycle bin ----------------------------------------------------------------------------------

DRAFT = pupil("刘浩然")


def typed_pupil(**words: str) -> dict[str, str]:
    """The form of a new pupil with a guardian, as a browser would send it."""

    def typed(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
        return {prefix + n: str(int(v) if isinstance(v, bool) else v) for n, v in values.items()}

    guardian = typed(cast.GUARDIAN, "family_member-0-")
    return typed(cast.plain(born_on="20140404")) | guardian | words


def button_of(page: TestResponse, action: str) -> dict[str, str]:
    """The hidden fields of the one-button form that posts to `action`."""
    found = re.search(rf'action="{re.escape(action)}".*?</form>', page.get_data(as_text=True), re.DOTALL)
    assert found is not None, action
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', found[0]))


def test_the_recycle_bin_gives_back_what_it_showed(app: Flask, lin: Client) -> None:
    back = f"/recycle-bin/restore/student/{DRAFT}"
    lin.post(f"/students/delete/{DRAFT}", data={"version": "1"})
    typed = button_of(lin.get("/recycle-bin/"), back)
    assert typed["version"] == "2"
    for stale, code in (({"version": "1"}, 409), ({}, 422), ({"version": "x"}, 422)):
        answer = lin.post(back, data=stale)
        assert answer.status_code == code
        assert "没有恢复学生“刘浩然”。" in text_of(answer)
        assert button_of(answer, back) == typed | {"csrf_token": button_of(answer, back)["csrf_token"]}
    assert lin.post(back, data={"version": "2"}).status_code == 302
    assert world.all_rows(app)["student", DRAFT]["deleted_at"] is None


def test_a_refused_return_leaves_the_page_usable(app: Flask, lin: Client) -> None:
    lin.post(f"/students/delete/{DRAFT}", data={"version": "1"})
    number = {"born_on": "20140530", "id_type": "1", "id_number": cast.id_number(DRAFT)}
    made = lin.post("/students/add", data=typed_pupil(name="刘浩然", **number))
    assert made.status_code == 302, text_of(made)
    answer = lin.post(f"/recycle-bin/restore/student/{DRAFT}", data={"version": "2"})
    assert answer.status_code == 422
    assert "这个身份证件号已在本校七年级（1）班建立学籍" in text_of(answer)
    assert f"/recycle-bin/restore/student/{DRAFT}" in answer.text
    assert world.all_rows(app)["student", DRAFT]["deleted_at"] is not None


# --- a pupil and his family ---------------------------------------------------------------------------

FATHER = cast.relative("欧阳明")


def test_the_only_guardian_stays_one_on_the_page_of_the_relative(app: Flask, lin: Client) -> None:
    before = world.all_rows(app)
    answer = lin.post(f"/family-members/edit/{FATHER}", data={"version": "1", "is_guardian": "0"})
    assert answer.status_code == 422
    assert "家庭成员中没有监护人" in text_of(answer)
    assert 'name="is_guardian"' in answer.text, "the form stays"
    answer = lin.post(f"/family-members/delete/{FATHER}", data={"version": "1"})
    assert answer.status_code == 422
    assert "学生没有家庭成员或监护人" in text_of(answer)
    assert world.all_rows(app) == before


def test_a_relative_whose_number_is_needed_is_not_deleted(app: Flask, lin: Client) -> None:
    made = lin.post("/students/add", data=typed_pupil())
    id_ = int(made.location.rpartition("/")[2])
    mother = {"name": "宋晓梅", "relation": "52", "phone": "14000000078", "is_guardian": True}
    assert lin.post("/api/v1/family-members/", json=mother | {"student_id": id_}).status_code == 201
    father = next(
        one["id"]
        for (name, _id), one in world.all_rows(app).items()
        if name == "family_member" and one["student_id"] == id_ and one["id_number"]
    )
    answer = lin.post(f"/family-members/delete/{father}", data={"version": "1"})
    assert answer.status_code == 422
    assert "至少要填写一名家庭成员的身份证件号" in text_of(answer)


def test_the_form_of_a_new_pupil_opens_with_a_row_for_the_guardian(app: Flask, lin: Client) -> None:
    before = world.all_rows(app)
    assert "family_member-0-is_guardian" in inputs_of(lin.get("/students/add"))
    blank = {f"family_member-0-{name}": "" for name in ("name", "relation", "phone", "is_guardian")}
    answer = lin.post(
        "/students/add",
        data=typed_pupil(**blank, **{"family_member-0-id_type": "", "family_member-0-id_number": ""}),
    )
    assert answer.status_code == 422
    assert "学生没有家庭成员或监护人。请至少填写一人" in text_of(answer)
    assert world.all_rows(app) == before
    assert lin.post("/students/add", data=typed_pupil()).status_code == 302


@pytest.mark.parametrize("path", ["family-members", "class-grades"])
def test_what_is_edited_inside_another_form_has_no_page_to_add_it(lin: Client, path: str) -> None:
    assert lin.get(f"/{path}/add").status_code == 404
    assert f"/{path}/add" not in lin.get(f"/{path}/list/").text


def test_a_pupil_in_the_recycle_bin_takes_his_rows_along(app: Flask, lin: Client) -> None:
    made = lin.post("/students/add", data=typed_pupil())
    id_ = int(made.location.rpartition("/")[2])
    listed = f"/api/v1/family-members/?student_id={id_}"
    (member,) = lin.get(listed).json["ids"]
    lin.post(f"/students/delete/{id_}", data={"version": "1"})
    assert lin.get(listed).json["ids"] == []
    assert cast.GUARDIAN["name"] not in lin.get("/family-members/list/").text
    for path in (f"/family-members/show/{member}", f"/family-members/edit/{member}"):
        assert lin.get(path).status_code == 404
    url = f"/api/v1/family-members/{member}"
    assert lin.get(url).status_code == 404
    assert lin.put(url, json={"position": "职员"}, headers={"If-Match": '"1"'}).status_code == 404
    lin.post(f"/recycle-bin/restore/student/{id_}", data={"version": "2"})
    assert lin.get(listed).json["ids"] == [member]


# --- what a detail draws ------------------------------------------------------------------------------


def test_every_field_that_people_meet_is_drawn(app: Flask, session: Session, login: Login) -> None:
    """Those too that no form asks for: the state of the number, the note on a problem."""
    from app.core import powers, scope
    from app.core.entity import registry

    ids, lin = world.furnish(app), login("lin")
    by = cast.actor(session, "lin")
    for entity in registry:
        if "show" not in entity.__actions__ or not by.has(f"{entity.key()}:show"):
            continue
        here = ids[entity.__path__]
        page = lin.get(f"/{entity.__path__}/show/{here.get('ours') or next(iter(here.values()))}")
        drawn = set(re.findall(r"<dt>([^<]*)</dt>", page.get_data(as_text=True)))
        with scope.acting(session, by):
            seen = scope.fields_at(by, entity, "see", None)
        wanted = {field.label for field in seen.values() if powers.is_offered(field)}
        assert wanted - drawn == set(), entity.key()


def test_the_note_on_a_problem_is_read_where_it_is_needed(lin: Client) -> None:
    number = cast.id_number(pupil("吴佳怡"))
    made = lin.post(
        "/students/add",
        data=typed_pupil(name="吴佳怡", gender="2", born_on="20140618", id_type="1", id_number=number),
    )
    page = text_of(lin.get(made.location))
    assert "问题说明 身份证件号与外校学生重复，请到“学籍注册—问题学籍处理”核实。" in page
    assert "学籍号状态" in page
    assert "学段 初中" in page


# --- how full a class is ------------------------------------------------------------------------------

FIRST, SECOND = class_of(YIZHONG, 7, 1), class_of(YIZHONG, 7, 2)  # three and two pupils in them
NEARLY = "七年级（1）班连同这名学生共4人，接近上限5人。后来的学生请优先编入其他班级。"
FULL = "七年级（1）班连同这名学生共4人，已达上限4人。后来的学生请编入其他班级，或增设新班。"


@pytest.fixture
def narrow(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Classes of five, told from four."""
    monkeypatch.setitem(app.config, "CLASS_CAP", {"2": 5})
    monkeypatch.setitem(app.config, "CLASS_WARN", {"2": 4})


@pytest.mark.usefixtures("narrow")
@pytest.mark.parametrize(("cap", "said"), [(5, NEARLY), (4, FULL)])
def test_whoever_brings_a_class_near_its_cap_is_told(app: Flask, lin: Client, cap: int, said: str) -> None:
    app.config["CLASS_CAP"] = {"2": cap}
    made = lin.post("/students/add", data=typed_pupil())
    assert made.status_code == 302
    page = text_of(lin.get(made.location))
    assert "已保存学生“高晓松”。" in page
    assert said in page
    assert said not in text_of(lin.get(made.location)), "once"
    body = cast.plain(born_on="20140404") | {"family_member": [cast.GUARDIAN]}
    answer = lin.post("/api/v1/students/", json=body)
    assert (answer.status_code, answer.json["warnings"]) == (201, [said])


@pytest.mark.usefixtures("narrow")
def test_below_the_band_and_for_other_edits_nothing_is_said(lin: Client) -> None:
    body = cast.plain(born_on="20140404", class_id=SECOND) | {"family_member": [cast.GUARDIAN]}
    answer = lin.post("/api/v1/students/", json=body)
    assert answer.status_code == 201
    assert "warnings" not in answer.json
    url = f"/api/v1/students/{pupil('欧阳若曦')}"
    answer = lin.put(url, json={"talent": "书法"}, headers={"If-Match": '"1"'})
    assert (answer.status_code, "warnings" in answer.json) == (200, False)


def figures_of(answer: TestResponse, name: str) -> tuple[str, str]:
    """Head count and band in the row that begins with `name`."""
    for row in re.findall(r"<tr>(.*?)</tr>", answer.get_data(as_text=True), re.DOTALL):
        if f">{name}<" in row:
            cells = dict(re.findall(r'data-label="([^"]*)"[^>]*>(.*?)</td>', row, re.DOTALL))
            return tuple(re.sub(r"<[^>]*>", "", cells[label]).strip() for label in ("在校人数", "班额"))  # type: ignore[return-value]
    raise AssertionError(f"no row {name}")


@pytest.mark.usefixtures("narrow")
def test_the_staff_see_how_full_each_class_is(app: Flask, lin: Client) -> None:
    app.config["CLASS_WARN"] = {"2": 3}
    assert figures_of(lin.get("/classes/list/"), "七年级（1）班") == ("3", "接近上限")
    assert figures_of(lin.get("/classes/list/"), "七年级（2）班") == ("2", "正常")
    assert "在校人数 3" in text_of(lin.get(f"/classes/show/{FIRST}"))
    assert "班额 接近上限" in text_of(lin.get(f"/classes/show/{FIRST}"))
    assert figures_of(lin.get(f"/grades/show/{grade(YIZHONG, 7)}"), "七年级（1）班") == ("3", "接近上限")


def test_whoever_sees_one_class_of_pupils_gets_no_figures_of_others(login: Login) -> None:
    """小周 reads every class of the school and the pupils of his own: of the others a count would say none."""
    zhou = login("zhou")
    assert figures_of(zhou.get("/classes/list/"), "七年级（1）班") == ("3", "正常")
    assert figures_of(zhou.get("/classes/list/"), "七年级（2）班") == ("", "")
    assert "在校人数" not in text_of(zhou.get(f"/classes/show/{SECOND}"))
    assert "在校人数" not in text_of(login("li").get("/classes/list/")), "no right over pupils"


# --- looking at whole numbers -------------------------------------------------------------------------

ZIHAN, OTHER, MOTHER = pupil("王子涵"), pupil("欧阳若曦"), cast.relative("周丽华")
HIDDEN = {"own": cast.id_number(ZIHAN), "mother": "14000000002"}
PAGE, FAMILY_API = f"/students/show/{ZIHAN}", f"/api/v1/family-members/{MOTHER}"


def reveal(person: Client, *ids: int, table: str = "student") -> TestResponse:
    return person.post(f"/reveal/{table}", data={"id": list(ids), "reason": "核对户口簿", "next": "/"})


def shown(person: Client, path: str = PAGE) -> set[str]:
    page = person.get(path).get_data(as_text=True)
    return {name for name, value in HIDDEN.items() if value in page}


def test_a_reason_for_one_pupil_shows_his_familys_numbers_too(app: Flask, lin: Client) -> None:
    ids = world.furnish(app)
    with_number = f"/students/show/{OTHER}"
    former = world.all_rows(app)["number_history", ids["student-numbers"]["ours"]]["student_no"]
    assert shown(lin) == set()
    reveal(lin, ZIHAN)
    assert shown(lin) == {"own", "mother"}
    assert former not in lin.get(with_number).text
    assert shown(lin, f"/students/edit/{ZIHAN}") == {"own", "mother"}
    assert shown(lin, f"/family-members/show/{MOTHER}") == {"mother"}
    assert shown(lin, f"/family-members/list/?student_id={ZIHAN}") == {"mother"}
    assert lin.get(FAMILY_API).json["result"]["phone"] == HIDDEN["mother"]
    assert lin.get(FAMILY_API, headers={"If-None-Match": '"1"'}).status_code == 200
    assert "14000000003" not in lin.get(with_number).text, "another pupil's father"
    reveal(lin, OTHER)
    assert former in lin.get(with_number).text


def test_each_number_by_its_own_right(app: Flask, lin: Client, login: Login) -> None:
    take_right(app, "lin", "can_reveal", "family_member")
    lin = login("lin")
    reveal(lin, ZIHAN)
    assert shown(lin) == {"own"}
    assert lin.get(FAMILY_API).json["result"]["phone"] == "140****0002"


def test_the_list_on_screen_shows_what_hangs_on_its_rows(lin: Client) -> None:
    reveal(lin, ZIHAN, OTHER)
    assert shown(lin, "/students/list/") == {"own"}
    assert shown(lin) == {"own", "mother"}


def test_a_family_member_alone_does_not_show_the_pupil(lin: Client) -> None:
    reveal(lin, MOTHER, table="family_member")
    assert shown(lin) == {"mother"}


def test_one_reveal_does_not_end_another(lin: Client) -> None:
    reveal(lin, MOTHER, table="family_member")
    reveal(lin, OTHER)
    reveal(lin, cast.CHANGE, table="change")
    assert shown(lin) == {"mother"}
    assert cast.id_number(OTHER) in lin.get(f"/students/show/{OTHER}").text
    assert cast.student_no(pupil("陈思远")) in lin.get(f"/changes/show/{cast.CHANGE}").text


def test_many_reveals_stay_within_what_a_browser_keeps(app: Flask, lin: Client) -> None:
    """The latest are kept; the cookie stays below the 4 KB at which a browser throws it away."""
    from app.surfaces.display import KEPT_MOST, Revealed

    with lin.session_transaction() as kept:
        kept["revealed"] = {
            "by": cast.person("lin"),
            "sets": [["student family_member.student_id", 9e9, [10**6 + 97 * n]] for n in range(KEPT_MOST)],
        }
    answer = reveal(lin, ZIHAN)
    assert len(answer.headers["Set-Cookie"]) < 4_000
    assert shown(lin) == {"own", "mother"}
    with app.test_request_context():
        from flask import session

        from app.core import rights
        from app.core.entity import registry

        by = rights.system("tests")
        for n in range(3):
            Revealed.keep(by, {"student": range(n * 200, n * 200 + 200)})
        assert sum(len(ids) for _words, _until, ids in session["revealed"]["sets"]) == KEPT_MOST
        assert Revealed.now(registry["student"], by).ids == set(range(200, 600))


def test_the_reason_stands_in_the_log_at_the_pupil(app: Flask, lin: Client) -> None:
    reveal(lin, ZIHAN)
    looks = world.audit_lines(app, "reveal")
    assert [(one["entity"], one["row_id"], one["reason"]) for one in looks] == [
        ("student", ZIHAN, "核对户口簿")
    ]


@pytest.mark.parametrize("path", ["stays", "changes", "classes", "schools"])
def test_a_personal_number_enters_no_address_from_a_list_that_has_none(lin: Client, path: str) -> None:
    number = cast.id_number(cast.pupil("张一鸣"))
    answer = lin.post(f"/search/{path}", data={"q": number})
    assert (answer.status_code, answer.location) == (302, f"/{path}/list/")
    assert "不能按证件号、学籍号查询" in lin.get(answer.location).text
    assert lin.post(f"/search/{path}", data={"q": "3451990001"}).location == f"/{path}/list/?q=3451990001"
