"""What a role hides or veils stays so on every surface: one table, read by who sees all of it and by who does not.

The role hides the phone, the ethnicity (a filter) and the state (a sort), and veils the ID number. Private groups (health)
are in test_bureau, masks for everybody in test_rest, the powers behind them in test_powers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy.orm import Session

from app.areas.students.models import Student
from app.core import grants, rights, saving, scope
from app.core.audit import AuditEntry
from app.core.rights import Extent
from app.extensions import db
from tests import cast
from tests.accounts import follow, role_id, text_of
from tests.cast import YIZHONG
from tests.client import Client
from tests.forms import JSON, opened
from tests.surfaces.test_openapi import DOCUMENT

Login = Callable[..., Client]
PUPIL, TWIN = cast.pupil("周小雨"), cast.pupil("周小雪")
SHOW, EDIT, LIST = f"/students/show/{PUPIL}", f"/students/edit/{PUPIL}", "/students/list/"
API, ONE = "/api/v1/students/", f"/api/v1/students/{PUPIL}"
OLD_PHONE, NEW_PHONE, LATEST_PHONE = f"140{PUPIL:08d}", "14056780001", "14056780002"
HIDDEN = {"phone": "联系电话", "ethnicity": "民族", "status": "学籍状态"}
LIMITS = frozenset(f"student:{name}:hide" for name in HIDDEN) | {"student:id_number:veil"}


def change_phone(app: Flask, phone: str, **words: Any) -> None:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")) as by:
        with saving.work() as work:
            obj = work.session.get_one(Student, PUPIL)
            saving.edit(obj, {"phone": phone, **words}, by, version=obj.version)
        db.session.remove()


def now(app: Flask) -> dict[str, Any]:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        found = db.session.get_one(Student, PUPIL)
        row = {name: getattr(found, name) for name in ("phone", "ethnicity", "status", "address", "version")}
        db.session.remove()
        return row


def last_edit(app: Flask) -> int:
    with app.app_context(), scope.acting(db.session(), rights.system("tests")):
        query = sa.select(sa.func.max(AuditEntry.id)).where(AuditEntry.action == "edit")
        found = int(db.session.scalar(query) or 0)
        db.session.remove()
        return found


# --- where a field may appear -----------------------------------------------------------------------------


def labels(page: str, pattern: str) -> set[str]:
    names = {label: name for name, label in HIDDEN.items()}
    return {names[one] for one in re.findall(pattern, page) if one in names}


def surfaces(client: Client, line: int) -> Iterator[tuple[str, set[str]]]:
    """(surface, which of the fields appear on it); `line`: the audit's row of the change of the phone."""
    listed, detail = client.get(LIST).text, client.get(SHOW).text
    facts, _aside, timeline = detail.partition('class="timeline"')
    yield "columns", labels(listed, r'data-label="([^"]+)"')
    yield "filters", set(re.findall(r'name="(\w+)"', listed)) & {*HIDDEN}
    yield "sorts", set(re.findall(r"[?&;]sort=-?(\w+)", listed)) & {*HIDDEN}
    yield "detail", labels(facts, r"<dt>([^<]+)</dt>")
    yield "badges", {"status"} if re.search(r'class="badges">.*在校', facts) else set()
    yield "time-line", labels(timeline, r"<dt>([^<]+)</dt>")
    yield "audit page", labels(client.get(f"/audit/show/{line}").text, r'<th scope="row">([^<]+)</th>')
    yield "form", {*opened(client, EDIT).kinds} & {*HIDDEN}

    yield "rows", {*client.get(API).json["result"][0]} & {*HIDDEN}
    yield "row", {*client.get(ONE).json["result"]} & {*HIDDEN}
    info = client.get(f"{API}_info").json
    yield "_info", {one["name"] for one in info["fields"]} & {*HIDDEN}
    yield "_info filters", {one["name"] for one in info["filters"]} & {*HIDDEN}
    yield "_info sorts", {*info["sorts"]} & {*HIDDEN}
    document = client.get(DOCUMENT).json
    for name in ("Student", "StudentRow", "StudentEdit"):
        yield name, {*document["components"]["schemas"][name]["properties"]} & {*HIDDEN}
    asked = document["paths"][API]["get"]["parameters"]
    yield "parameters", {one.get("name") for one in asked} & {*HIDDEN}
    sort = next(one for one in asked if one.get("name") == "sort")
    yield "sort parameter", {*sort["schema"]["enum"]} & {*HIDDEN}


SEEN_BY_A_CLERK = {
    "columns": {"phone", "status"},
    "filters": {"status"},
    "sorts": {"status"},
    "detail": {*HIDDEN},
    "badges": {"status"},
    "time-line": {"phone"},
    "audit page": {"phone"},
    "form": {"phone", "ethnicity"},
    "rows": {"phone", "status"},
    "row": {*HIDDEN},
    "_info": {*HIDDEN},
    "_info filters": {"ethnicity", "status"},
    "_info sorts": {"status"},
    "Student": {*HIDDEN},
    "StudentRow": {"phone", "status"},
    "StudentEdit": {*HIDDEN},  # the state as one that is not typed
    "parameters": {"ethnicity", "status"},
    "sort parameter": {"status"},
}


def test_the_table_finds_every_field_where_it_is_shown(app: Flask, login: Login) -> None:
    change_phone(app, NEW_PHONE)
    assert dict(surfaces(login("lin"), last_edit(app))) == SEEN_BY_A_CLERK


def test_a_hidden_field_is_on_no_surface(app: Flask, login: Login, limit: Callable[..., None]) -> None:
    change_phone(app, NEW_PHONE)
    limit("lin", "clerk", *LIMITS)
    assert dict(surfaces(login("lin"), last_edit(app))) == {name: set() for name in SEEN_BY_A_CLERK}


def test_its_value_is_nowhere_either(app: Flask, login: Login, limit: Callable[..., None]) -> None:
    """Neither whole nor masked, in what is shown today nor in what was written before; not after a reveal."""
    change_phone(app, NEW_PHONE)
    limit("lin", "clerk", *LIMITS)
    lin, line = login("lin"), last_edit(app)
    paths = (LIST, SHOW, EDIT, f"/audit/show/{line}", "/audit/list/", API, ONE, f"/api/v1/audit/{line}")
    for _times in range(2):
        for path in paths:
            answer = lin.get(path)
            assert answer.status_code == 200, path
            for phone in (OLD_PHONE, NEW_PHONE):
                assert phone not in answer.text, path
                assert f"{phone[:3]}****{phone[-4:]}" not in answer.text, path
        reveal(lin)


def reveal(client: Client, path: str = LIST) -> None:
    words = {"id": [PUPIL, TWIN], "reason": "核对户口簿", "next": path}
    assert client.post("/reveal/student", data=words).status_code == 302


def test_a_veiled_number_stays_masked_after_a_reveal(
    app: Flask, login: Login, limit: Callable[..., None]
) -> None:
    """The other numbers of the row are shown: the reveal went through."""
    number, student_no = cast.id_number(PUPIL), str(cast.student_no(PUPIL))
    masked = f"{number[0]}{'*' * 16}{number[-1]}"
    limit("lin", "clerk", *LIMITS)
    lin = login("lin")
    reveal(lin)
    shown = lin.get(ONE).json["result"]
    assert (shown["student_no"], shown["id_number"]) == (student_no, masked)
    for path in (LIST, SHOW, EDIT):
        page = lin.get(path).text.replace(student_no, "")
        assert number not in page, path
        assert masked in page or path == LIST, path


# --- asking by it -----------------------------------------------------------------------------------------

ASKED = (
    "ethnicity=01",
    "ethnicity=",
    "status=enrolled",
    "phone=14000000008",
    "phone=",
    "phone__from=1",
    "sort=status",
    "sort=-status",
    "sort=phone",
    "sort=ethnicity",
)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("base", [LIST, API], ids=["by_page", "by_program"])
def test_to_filter_or_sort_by_it_is_refused(
    app: Flask, login: Login, limit: Callable[..., None], base: str, asked: str
) -> None:
    is_open = asked.startswith(("ethnicity", "status", "sort=status", "sort=-status"))
    assert login("lin").get(f"{base}?{asked}").status_code == (200 if is_open else 400)
    limit("lin", "clerk", *LIMITS)
    lin = login("lin")
    answer, unknown = lin.get(f"{base}?{asked}"), lin.get(f"{base}?{asked.replace('phone', 'nonsense')}")
    assert (answer.status_code, unknown.status_code) == (400, 400)
    said = answer.json["message"] if base == API else text_of(answer)
    assert "不能按" in said


def found_ids(client: Client, typed: str) -> list[set[int]]:
    """What the search box, the API's search, its quick search and the look-up find."""
    posted = client.post("/search/students", data={"q": typed})
    page = client.get(posted.location).text if posted.status_code == 302 else ""
    by_page = {int(one) for one in re.findall(r"/students/show/(\d+)", page)}
    if opened_one := re.search(r"/students/show/(\d+)$", posted.location or ""):
        by_page = {int(opened_one[1])}
    exact = client.post(f"{API}search", json={"number": typed})
    by_number = {*exact.json["ids"]} if exact.status_code == 200 else set()
    quick = {*client.get(API, query_string={"q": typed}).json["ids"]}
    looked_up = client.post("/lookup/student", data={"q": typed}).json["items"]
    return [by_page, by_number, quick, {one["id"] for one in looked_up}]


def test_nobody_is_found_by_a_phone(app: Flask, login: Login, limit: Callable[..., None]) -> None:
    limit("lin", "clerk", *LIMITS)
    lin = login("lin")
    assert found_ids(lin, OLD_PHONE) == [set()] * 4
    right, wrong = (said_of_search(lin, phone) for phone in (OLD_PHONE, "14099999999"))
    assert right == wrong, "the box says the same of a phone that is right and of one that is not"


def said_of_search(client: Client, typed: str) -> str:
    return text_of(follow(client, client.post("/search/students", data={"q": typed}))).replace(typed, "")


def test_a_hidden_id_number_is_not_confirmed_by_the_search(
    app: Flask, login: Login, limit: Callable[..., None]
) -> None:
    """A veiled one still finds: whoever holds the card in his hand types it whole."""
    number, student_no = cast.id_number(PUPIL), str(cast.student_no(PUPIL))
    assert found_ids(login("lin"), number) == [{PUPIL}] * 4
    limit("lin", "clerk", *LIMITS)
    assert found_ids(login("lin"), number) == [{PUPIL}] * 4
    limit("lin", "clerk", "student:id_number:hide")
    lin = login("lin")
    assert found_ids(lin, number) == [set()] * 4
    assert said_of_search(lin, number) == said_of_search(lin, number[:-1] + "0")
    assert found_ids(lin, student_no) == [{PUPIL}] * 4, "what a pupil is called by is never hidden"


# --- writing it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("phone", LATEST_PHONE), ("ethnicity", "05"), ("status", "pending")]
)
def test_to_post_it_is_refused_and_nothing_is_written(
    app: Flask, login: Login, limit: Callable[..., None], name: str, value: str
) -> None:
    limit("lin", "clerk", *LIMITS)
    lin, before = login("lin"), now(app)
    typed = opened(lin, EDIT).values | {"address": "青岚县城关镇新街9号", name: value}
    page = lin.post(EDIT, data=typed)
    program = lin.put(ONE, json={"address": "青岚县城关镇新街9号", name: value}, headers={"If-Match": '"1"'})
    draft = lin.post("/drafts/keep", data=typed | {"draft_path": EDIT}, headers=JSON)
    assert (page.status_code, program.status_code) == (422, 422)
    assert f"没有“{name}”这一项" in text_of(page)
    assert program.json["complaints"] == [{"field": name, "message": f"没有“{name}”这一项。请删去后再提交。"}]
    assert now(app) == before
    if draft.status_code == 200:
        assert name not in opened(lin, EDIT).kinds, "a draft brings no field that its form has not"


def test_what_is_saved_without_it_leaves_it_as_it_is(
    app: Flask, login: Login, limit: Callable[..., None]
) -> None:
    limit("lin", "clerk", *LIMITS)
    lin = login("lin")
    typed = opened(lin, EDIT).values | {"address": "青岚县城关镇新街9号"}
    assert lin.post(EDIT, data=typed).status_code == 302
    assert now(app) == {
        "phone": OLD_PHONE,
        "ethnicity": "01",
        "status": "enrolled",
        "address": "青岚县城关镇新街9号",
        "version": 2,
    }


def test_the_comparison_with_what_another_saved_does_not_tell_it(
    app: Flask, login: Login, limit: Callable[..., None]
) -> None:
    limit("lin", "clerk", *LIMITS)
    lin = login("lin")
    typed = opened(lin, EDIT).values | {"address": "青岚县城关镇新街9号"}
    change_phone(app, LATEST_PHONE, address="青岚县城关镇老街1号", ethnicity="05")
    page = lin.post(EDIT, data=typed)
    program = lin.put(ONE, json={"address": "青岚县城关镇新街9号"}, headers={"If-Match": '"1"'})
    assert (page.status_code, program.status_code) == (409, 412)
    assert "青岚县城关镇老街1号" in page.text
    for answer in (page.text, program.get_data(as_text=True)):
        assert LATEST_PHONE not in answer
        assert f"{LATEST_PHONE[:3]}****{LATEST_PHONE[-4:]}" not in answer
    assert not {*HIDDEN} & {*program.json["current"]}
    assert '"ethnicity"' not in page.text


# --- what hangs on the row ---


def test_a_hidden_field_of_a_relative_is_on_no_page_of_the_pupil(
    app: Flask, login: Login, limit: Callable[..., None]
) -> None:
    pupil, father = cast.pupil("欧阳若曦"), cast.relative("欧阳明")
    of_pupil = f"140{pupil:08d}"
    phone = next(phone for child, _name, _relation, phone in cast.FAMILY if child == "欧阳若曦")
    assert phone == of_pupil, "both are hidden, or the one would hide behind the other"
    limit("lin", "clerk", "family_member:phone:hide", "student:phone:hide")
    lin = login("lin")
    pages = [f"/students/{way}/{pupil}" for way in ("show", "edit")]
    pages += [f"/family-members/{way}/{father}" for way in ("show", "edit")]
    for path in (*pages, "/api/v1/family-members/", f"/api/v1/family-members/{father}"):
        answer = lin.get(path)
        assert answer.status_code == 200, path
        assert "联系电话" not in answer.text, path
        assert '"phone"' not in answer.text, path
        assert f"140****{pupil:04d}" not in answer.text, path
    typed = opened(lin, pages[1]).values
    row = next(name.removesuffix("name") for name, value in typed.items() if value == "欧阳明")
    for words in ({row + "phone": NEW_PHONE}, {row + "phone": ""}):
        assert lin.post(pages[1], data=typed | words).status_code == 422
    assert lin.post(pages[1], data=typed | {row + "workplace": "青岚县供销社"}).status_code == 302


# --- the bureau's site ------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_limited", [False, True])
def test_the_bureaus_site_obeys_too(
    app: Flask, login: Login, limit: Callable[..., None], is_limited: bool
) -> None:
    if is_limited:
        limit("chen", "bureau_viewer", *LIMITS, "student:id_number:hide")
    chen = login("chen")
    listed, detail = (chen.get(f"/bureau/students/{tail}").text for tail in ("", f"show/{PUPIL}"))
    shown = labels(listed, r'data-label="([^"]+)"') | labels(detail, r"<dt>([^<]+)</dt>")
    assert shown == (set() if is_limited else {*HIDDEN})
    for asked in ("ethnicity=01", "sort=status"):
        assert chen.get(f"/bureau/students/?{asked}").status_code == (400 if is_limited else 200)
    typed = {"q": cast.id_number(PUPIL), "site": "bureau"}
    where = chen.post("/search/students", data=typed).location
    assert where == ("/bureau/students/?found=0" if is_limited else f"/bureau/students/show/{PUPIL}")


# --- two grants at once -----------------------------------------------------------------------------------


def test_where_another_grant_shows_it_it_is_shown_there_and_not_asked_by(
    app: Flask, login: Login, limit: Callable[..., None], session: Session
) -> None:
    """小周's own class in full beside the whole school without the phone."""
    limit("lin", "clerk", *LIMITS)
    system = rights.system("tests")
    with scope.acting(session, system):
        lin, role = (
            session.get_one(User, cast.person("lin")),
            session.get_one(Role, role_id(app, "class_teacher")),
        )
        own = Extent.of(cast.school(YIZHONG), None, None, [cast.class_of(YIZHONG, 7, 10)])
        grants.grant(session, system, lin, role, own)
        session.commit()
    client, other = login("lin"), cast.pupil("张一鸣")
    assert "phone" in client.get(ONE).json["result"]
    assert "phone" not in client.get(f"{API}{other}").json["result"]
    rows = {row["id"]: row for row in client.get(API).json["result"]}
    assert ("phone" in rows[PUPIL], "phone" in rows[other]) == (True, False)
    assert f"140****{PUPIL:04d}" in client.get(LIST).text
    assert f"140****{other:04d}" not in client.get(LIST).text
    for base in (LIST, API):
        assert client.get(f"{base}?ethnicity=01").status_code == 400
        assert client.get(f"{base}?sort=status").status_code == 400
