"""How a person likes a list: columns, their order, density, page size; and what is said under it.

Nothing of it shows what is hidden or reveals what is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app import areas
from app.areas.changes import photos
from app.areas.changes.models import EvidenceFile
from app.areas.students.models import Student
from app.core import list_views, rights, scope
from app.core.entity import Entity, registry
from app.core.fields import Key
from app.core.list_views import Comforts, Liking
from app.extensions import db
from app.surfaces import listing, worklist
from app.surfaces.listing import Listing, choosable
from app.surfaces.site import Site
from app.surfaces.viewmodels import ListPage
from tests import cast
from tests.client import Client
from tests.flows import world
from tests.forms import Form
from tests.photos import give_photo, opened
from tests.surfaces.test_list_views import headings

areas.load()  # every entity has a list

Login = Callable[..., Client]
Limit = Callable[..., None]
LIST, COLUMNS, LOOK = "/students/list/", "/lists/columns/students", "/lists/look/students"
PUPIL = cast.pupil("周小雨")
LISTED = [entity for entity in registry if entity.__path__ and "list" in entity.__actions__]


def choose(client: Client, *names: str, path: str = COLUMNS, **words: str) -> Any:
    places = {f"at-{name}": str(n) for n, name in enumerate(names, 1)}
    return client.post(path, data={"column": list(names), **places, **words})


def shown(session: Session, username: str, entity: Any, liking: Liking, **args: str) -> ListPage:
    by = cast.actor(session, username)
    scope.set_actor(session, by)
    return worklist.page(Listing(entity, Site(by, session), args, Comforts(liking)))


@pytest.fixture
def in_a_request(app: Flask, session: Session) -> Iterator[None]:
    """What a page reveals is kept in the request's cookie."""
    with app.test_request_context():
        yield


# --- columns ----------------------------------------------------------------------------------------------


def test_columns_come_in_the_order_that_was_asked_for_behind_the_name(login: Login) -> None:
    lin = login("lin")
    answer = choose(lin, "born_on", "ethnicity", "class_id", asks="gender=2")
    assert (answer.status_code, answer.location) == (302, f"{LIST}?gender=2")
    assert headings(lin.get(LIST).text) == ["姓名", "出生日期", "民族", "班级"]
    assert headings(login("zhao").get(LIST).text) != headings(lin.get(LIST).text), "each his own"
    assert headings(lin.get("/classes/list/").text)[1:3] == ["年级", "班号"], "of this list alone"


def test_a_name_that_no_column_holds_stays_first(login: Login) -> None:
    lin = login("lin")
    choose(lin, "teacher_id", "number", path="/lists/columns/classes")
    assert headings(lin.get("/classes/list/").text) == ["班级", "班主任", "班号", "在校人数", "班额"]


def test_columns_hold_on_both_fronts(login: Login) -> None:
    chen = login("chen")
    answer = choose(chen, "gender", "school_id", site="bureau")
    assert answer.location == "/bureau/students/"
    for path in ("/bureau/students/", LIST):
        assert headings(chen.get(path).text) == ["姓名", "性别", "学校"]


def test_without_numbers_columns_stand_as_they_were(login: Login) -> None:
    lin = login("lin")
    lin.post(COLUMNS, data={"column": ["ethnicity", "class_id", "gender"], "at-class_id": "1"})
    assert headings(lin.get(LIST).text) == ["姓名", "班级", "性别", "民族"]


def test_the_default_comes_back(login: Login) -> None:
    lin = login("lin")
    before = headings(lin.get(LIST).text)
    choose(lin, "gender")
    assert lin.post(COLUMNS, data={"reset": "1"}).status_code == 302
    assert headings(lin.get(LIST).text) == before


def test_the_form_shows_what_is_chosen_and_keeps_what_was_typed(login: Login) -> None:
    lin = login("lin")
    choose(lin, "ethnicity", "gender")
    form = lin.get(COLUMNS).text
    assert re.findall(r'name="column" value="(\w+)" checked', form) == ["ethnicity", "gender"]
    refused = lin.post(COLUMNS, data={"column": ["gender", "phone"], "at-gender": "二", "asks": "gender=2"})
    assert refused.status_code == 422
    assert "“性别”" in refused.text or "性别" in refused.text
    assert set(re.findall(r'name="column" value="(\w+)" checked', refused.text)) == {"gender", "phone"}
    assert Form(refused.text).values["at-gender"] == "二"
    assert headings(lin.get(LIST).text) == ["姓名", "民族", "性别"]


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"column": []},
        {"column": ["nothing"]},
        {"column": ["gender", "deleted_at"]},
        {"column": ["gender", "authority_code"]},
        {"column": ["gender"], "at-gender": "-1"},
        {"column": ["gender"], "at-gender": "1" * 50},
        {"column": ["gender"], "at-nothing": "1"},
        {"column": ["gender"], "size": "20"},
        {"column": ["gender\0"]},
        {"column": ["gender"], "asks": "gender"},
    ],
    ids=str,
)
def test_junk_chooses_nothing(login: Login, words: dict[str, Any]) -> None:
    lin = login("lin")
    before = headings(lin.get(LIST).text)
    assert lin.post(COLUMNS, data=words).status_code in (400, 422)
    assert headings(lin.get(LIST).text) == before


def test_more_than_thirty_columns_are_refused(login: Login) -> None:
    lin = login("lin")
    names = re.findall(r'name="column" value="(\w+)"', lin.get(COLUMNS).text)
    assert len(names) > 31
    assert choose(lin, *names[:31]).status_code == 422
    assert choose(lin, *names[:30]).status_code == 302
    assert len(headings(lin.get(LIST).text)) == 31


# --- what columns never show ------------------------------------------------------------------------------


def test_a_hidden_field_is_neither_offered_nor_taken_nor_shown(login: Login, limit: Limit) -> None:
    lin = login("lin")
    choose(lin, "phone", "ethnicity", "gender")
    limit("lin", "clerk", "student:phone:hide", "student:ethnicity:hide", "student:id_number:veil")
    lin = login("lin")
    page = lin.get(LIST).text
    assert headings(page) == ["姓名", "性别"], "chosen before it was hidden"
    for word in ("联系电话", "民族", f"140****{PUPIL:04d}"):
        assert word not in page
        assert word not in lin.get(COLUMNS).text
    assert choose(lin, "phone", "gender").status_code == 422


def test_where_all_that_was_chosen_is_hidden_the_list_has_its_own_columns(login: Login, limit: Limit) -> None:
    choose(login("lin"), "phone")
    limit("lin", "clerk", "student:phone:hide")
    assert headings(login("lin").get(LIST).text)[:3] == ["姓名", "性别", "身份证件号"]


@pytest.mark.parametrize("username", ["lin", "zhou"])
def test_private_groups_are_no_columns_since_each_look_is_noted(login: Login, username: str) -> None:
    person = login(username)
    assert "health" not in re.findall(r'name="column" value="(\w+)"', person.get(COLUMNS).text)
    assert choose(person, "health", "gender").status_code == 422


def test_masked_columns_stay_masked_and_are_revealed_for_a_reason(login: Login, limit: Limit) -> None:
    number = cast.id_number(PUPIL)
    choose(login("lin"), "id_number", "student_no", "phone")
    for limits, is_revealed in (([], True), (["student:id_number:veil"], False)):
        if limits:
            limit("lin", "clerk", *limits)
        lin = login("lin")
        page = lin.get(LIST).text
        assert number not in page
        assert f"140{PUPIL:08d}" not in page
        lin.post("/reveal/student", data={"id": str(PUPIL), "reason": "核对户口簿", "next": LIST})
        page = lin.get(LIST).text
        assert f"140{PUPIL:08d}" in page
        assert (f">{number}<" in page) is is_revealed


def test_a_column_that_is_seen_on_some_rows_only_is_blank_on_the_others(
    app: Flask, login: Login, limit: Limit, session: Session
) -> None:
    """Two grants: the whole school without the phone, one class with it."""
    from flask_appbuilder.security.sqla.models import Role, User

    from app.core import grants
    from app.core.rights import Extent
    from tests.accounts import role_id

    limit("lin", "clerk", "student:phone:hide")
    system = rights.system("tests")
    with scope.acting(session, system):
        lin = session.get_one(User, cast.person("lin"))
        role = session.get_one(Role, role_id(app, "class_teacher"))
        own = Extent.of(cast.school(cast.YIZHONG), None, None, [cast.class_of(cast.YIZHONG, 7, 10)])
        grants.grant(session, system, lin, role, own)
        session.commit()
    client, other = login("lin"), cast.pupil("张一鸣")
    choose(client, "phone", "gender")
    page = client.get(LIST).text
    assert f"140****{PUPIL:04d}" in page
    assert f"140****{other:04d}" not in page


# --- photos -----------------------------------------------------------------------------------------------


def test_photos_are_a_column_of_small_pictures(app: Flask, login: Login) -> None:
    pk, lin = give_photo(app, "欧阳若曦"), login("lin")
    choose(lin, "photo_id", "gender")
    page = lin.get(LIST).text
    [(src, alt)] = re.findall(r'<img class="small-face" src="([^"]+)" alt="([^"]+)"[^>]*loading="lazy"', page)
    assert src.startswith(f"/students/{pk}/photo/small?v=")
    assert alt == "欧阳若曦的照片"
    answer = lin.get(src)
    assert opened(answer.data).size == photos.SMALL
    assert len(answer.data) < 6_000
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = lin.get(src, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    whole = lin.get(f"/students/{pk}/photo")
    assert whole.headers["ETag"] != answer.headers["ETag"]
    assert "small-face" not in login("zhao").get(LIST).text, "where it is chosen"


def test_who_does_not_see_photos_gets_none(app: Flask, login: Login, limit: Limit) -> None:
    pk = give_photo(app, "欧阳若曦")
    choose(login("lin"), "photo_id", "gender")
    limit("lin", "clerk", "student:photo_id:hide")
    lin = login("lin")
    assert "small-face" not in lin.get(LIST).text
    assert 'value="photo_id"' not in lin.get(COLUMNS).text
    assert lin.get(f"/students/{pk}/photo/small").status_code == 403


# --- density and size -------------------------------------------------------------------------------------


def test_density_and_size_are_remembered_for_a_list(login: Login) -> None:
    lin = login("lin")
    answer = lin.post(LOOK, data={"density": "compact", "size": "20", "asks": "sort=name&size=100&after=3"})
    assert (answer.status_code, answer.location) == (302, f"{LIST}?sort=name")
    page = lin.get(LIST).text
    assert re.search(r'class="sheet[^"]* is-dense"', page)
    assert "<option selected>20</option>" in page
    assert "is-dense" not in lin.get("/classes/list/").text, "each list has its own"
    assert "is-dense" not in login("zhao").get(LIST).text
    lin.post(LOOK, data={"density": "comfortable", "size": "50"})
    assert "is-dense" not in lin.get(LIST).text


@pytest.mark.usefixtures("in_a_request")
def test_the_address_overrides_the_size(session: Session) -> None:
    by = cast.actor(session, "lin")
    scope.set_actor(session, by)
    liking = Comforts(Liking(size=20))
    assert Listing(Student, Site(by, session), {}, liking).asked.size == 20
    assert Listing(Student, Site(by, session), {"size": "100"}, liking).asked.size == 100
    assert Listing(Student, Site(by, session), {}).asked.size == listing.PAGE_SIZE


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"density": "compact"},
        {"size": "20"},
        {"density": "tiny", "size": "20"},
        {"density": "compact", "size": "21"},
        {"density": "compact", "size": "20", "columns": "x"},
    ],
    ids=str,
)
def test_junk_changes_no_liking(app: Flask, login: Login, words: dict[str, str]) -> None:
    lin = login("lin")
    assert lin.post(LOOK, data=words).status_code == 422
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(list_views.ListPreference.id))) == 0
        db.session.remove()


def test_columns_and_size_do_not_take_each_other_away(login: Login) -> None:
    lin = login("lin")
    choose(lin, "ethnicity")
    lin.post(LOOK, data={"density": "compact", "size": "20"})
    choose(lin, "gender")
    page = lin.get(LIST).text
    assert headings(page) == ["姓名", "性别"]
    assert re.search(r'class="sheet[^"]* is-dense"', page)


# --- sums -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_a_request")
def test_figures_beside_rows_are_summed_under_the_list(session: Session) -> None:
    entity = registry["school_class"]
    page = shown(session, "lin", entity, Liking())
    beside = sum(int(row.cells[-2].text) for row in page.rows)
    assert [(one.label, one.cell.text) for one in page.sums] == [("在校人数", str(beside))]
    narrowed = shown(session, "lin", entity, Liking(size=20), grade_id=str(cast.grade(cast.YIZHONG, 7)))
    assert 0 < int(narrowed.sums[0].cell.text) < beside


@pytest.mark.usefixtures("in_a_request")
@pytest.mark.parametrize("username", ["li", "zhou", "cheng"])
def test_figures_are_summed_for_those_alone_who_may_count_them_all(session: Session, username: str) -> None:
    """李老师 sees no pupil, 小周 those of one class, 程科员 those of several authorities."""
    assert shown(session, username, registry["school_class"], Liking()).sums == []


@pytest.fixture
def furnished(app: Flask) -> Flask:
    world.furnish(app)
    return app


@pytest.mark.usefixtures("furnished", "in_a_request")
def test_columns_declared_as_sums_are_summed_where_they_are_shown(session: Session) -> None:
    assert shown(session, "lin", EvidenceFile, Liking()).sums == []
    page = shown(session, "lin", EvidenceFile, Liking(("byte_count", "pages")))
    with scope.acting(session, cast.actor(session, "lin")):
        sizes = session.scalars(sa.select(EvidenceFile.byte_count)).all()
    assert [one.label for one in page.sums] == ["字节数", "页数"]
    assert int(page.sums[0].cell.text.replace("\u00a0", "")) == sum(sizes)
    assert page.sums_of == ""


@pytest.mark.usefixtures("furnished", "in_a_request")
def test_beyond_the_cap_sums_say_of_how_many_rows(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_CAP", 1)
    page = shown(session, "lin", EvidenceFile, Liking(("byte_count",)))
    first = session.scalars(sa.select(EvidenceFile.byte_count).order_by(EvidenceFile.id).limit(1)).one()
    assert page.sums_of == "前1条"
    assert int(page.sums[0].cell.text.replace("\u00a0", "")) == first


def test_sums_count_the_rows_of_the_reader_alone(login: Login, furnished: Flask) -> None:
    names = ("byte_count", "pages")
    for username in ("lin", "wang"):
        choose(login(username), *names, path="/lists/columns/evidence-files")
    totals = [
        re.search(r'<p class="sums">.*?</p>', login(name).get("/evidence-files/list/").text)
        for name in ("lin", "wang")
    ]
    assert all(totals)
    assert totals[0][0] != totals[1][0]  # type: ignore[index]


# --- cost -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("furnished", "in_a_request")
@pytest.mark.parametrize("entity", LISTED, ids=lambda entity: entity.key())
def test_no_choice_of_columns_costs_a_statement_for_each_row(session: Session, entity: type[Entity]) -> None:
    """All that may be chosen at once, on a page of one row and on one of many."""
    by = cast.actor(session, "lin")
    if not by.has(f"{entity.key()}:list"):
        by = cast.actor(session, "he" if cast.actor(session, "he").has(f"{entity.key()}:list") else "sun")
    scope.set_actor(session, by)
    liking = Comforts(Liking(tuple(choosable(entity, by))))
    asked: list[int] = []
    seen: list[str] = []
    sa.event.listen(
        session.get_bind(), "before_cursor_execute", lambda c, cur, text, *rest: seen.append(text)
    )
    for size in (1, 200):
        session.expunge_all()
        one = Listing(entity, Site(by, session), {}, liking)
        one.asked.size = size
        seen.clear()
        page = worklist.page(one)
        asked.append(len(seen))
        keys = [name for name, f in choosable(entity, by).items() if isinstance(f, Key)]
        assert {c.name for c in page.columns} >= set(keys)
    assert asked[1] <= asked[0] + 1, seen
