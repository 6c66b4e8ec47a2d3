"""Area codes are shown with the names of their counties on every surface; forms and REST hold the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.areas.regions.models import Region
from app.areas.students.models import FamilyMember, Student
from app.core import rights, saving
from app.core.fields import show_ends
from tests import cast, pdfs
from tests.client import Client

Acting = Callable[[str], Any]
Login = Callable[[str], Client]
SHOWN = "澜川市青岚县（519921000000）"
ASKS_ZONES = "FROM region"


@contextmanager
def statements(*engines: Any) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


def plain(page: str) -> str:
    """What a person reads of it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def found(person: Client, typed: str) -> list[str]:
    return [one["label"] for one in person.post("/lookup/area", data={"q": typed}).json["items"]]


def add_zone(acting: Acting) -> None:
    with acting("system") as by, saving.work():
        words = {"code": "519971", "name": "澜川高新区", "parent_code": cast.CITY}
        saving.create(Region, words, by)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("510104001002", "成都市锦江区（510104001002）"),
        ("510100000000", "四川省成都市（510100000000）"),
        ("510000000000", "四川省（510000000000）"),
        ("110101000000", "北京市东城区（110101000000）"),  # not 市辖区东城区
        ("429004000000", "湖北省仙桃市（429004000000）"),
        ("510125001000", "四川省成都市（510125001000）"),  # a county that was abolished: what it lay in
        ("999999000000", "999999000000"),
    ],
)
@pytest.mark.usefixtures("declarations")
def test_an_area_is_shown_with_its_name_and_read_back(code: str, shown: str) -> None:
    one = Student.fields()["birthplace_code"]
    assert one.show(code) == shown
    assert one.dump(code) == code
    if not code.startswith("99"):
        assert one.parse(shown) == code


@pytest.mark.usefixtures("declarations")
def test_a_masked_area_keeps_to_its_code_so_that_no_name_gives_it_away() -> None:
    masked = replace(Student.fields()["birthplace_code"], mask=show_ends(2, 0))
    assert masked.show("510104001002") == "510104001002"


def test_a_zone_that_was_added_has_its_name_too(session: Session, acting: Acting) -> None:
    add_zone(acting)
    with acting("lin"):
        shown = Student.fields()["birthplace_code"].show("519971000000")
    assert shown == "澜川市澜川高新区（519971000000）"


def test_a_zone_has_its_new_name_in_the_next_request(session: Session, acting: Acting, login: Login) -> None:
    add_zone(acting)
    lin = login("lin")
    assert found(lin, "519971") == ["澜川市澜川高新区（519971000000）"]
    with acting("system") as by, saving.work():
        zone = session.scalars(sa.select(Region).where(Region.code == "519971")).one()
        saving.edit(zone, {"name": "临江新区"}, by)
    assert found(lin, "519971") == ["澜川市临江新区（519971000000）"]


# --- where it stands ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("username", "path"),
    [("lin", "/students/show/{id}"), ("chen", "/bureau/students/show/{id}")],
)
def test_the_pupils_page_says_the_name(login: Login, username: str, path: str) -> None:
    page = login(username).get(path.format(id=cast.pupil("欧阳若曦"))).text
    assert SHOWN in page


@pytest.mark.parametrize("path", ["/students/list/", "/bureau/students/"])
def test_a_list_says_it_and_asks_for_zones_once(app: Flask, login: Login, path: str) -> None:
    from app.extensions import db

    person = login("lin" if path.startswith("/students") else "chen")
    with app.app_context():
        main, reader = db.engine, app.extensions["reading"].session_factory.kw["bind"]
    chosen = {
        "column": ["birthplace_code", "residence_code"],
        "at-birthplace_code": "1",
        "at-residence_code": "2",
    }
    person.post("/lists/columns/students", data=chosen)
    own, other = (reader, main) if path.startswith("/bureau") else (main, reader)
    with statements(own) as seen, statements(other) as elsewhere:
        page = person.get(path).text
    assert page.count(SHOWN) > 8
    assert sum(ASKS_ZONES in one for one in seen) == 1
    assert not any(ASKS_ZONES in one and "is_added" in one for one in elsewhere)


def test_codes_of_the_standard_ask_nothing(session: Session, acting: Acting) -> None:
    with acting("lin"), statements(session.get_bind()) as seen:
        Student.fields()["birthplace_code"].show("510104001002")
    assert seen == []


def test_the_form_holds_the_code_with_the_name_beneath_it(login: Login) -> None:
    page = login("lin").get(f"/students/edit/{cast.pupil('欧阳若曦')}").text
    assert 'name="birthplace_code"' in page
    assert 'value="519921000000" autocomplete="off"' in page
    assert f'id="f-birthplace_code-name" role="status">{SHOWN}</p>' in page


def test_what_was_typed_and_refused_keeps_its_name(login: Login) -> None:
    typed = {"birthplace_code": "510104", "residence_code": "青岚"}
    answer = login("lin").post("/students/add", data=typed)
    assert answer.status_code == 422
    assert 'id="f-birthplace_code-name" role="status">成都市锦江区（510104000000）</p>' in answer.text
    assert 'id="f-residence_code-name" role="status"></p>' in answer.text
    assert "区划代码应为12位数字" in answer.text


def test_a_clerk_may_save_what_the_page_shows(session: Session, acting: Acting, login: Login) -> None:
    id_ = cast.pupil("欧阳若曦")
    with acting("lin"):
        version = session.get_one(Student, id_).version
    session.rollback()
    typed = {"version": str(version), "residence_code": "成都市锦江区（510104001002）"}
    lin = login("lin")
    assert lin.post(f"/students/edit/{id_}", data=typed).status_code == 302
    page = plain(lin.get(f"/students/show/{id_}").text)
    assert "户口所在地 成都市锦江区（510104001002）" in page
    assert f"{SHOWN} → 改为 成都市锦江区（510104001002）" in page


def test_rest_keeps_the_code_alone(login: Login) -> None:
    one = login("lin").get(f"/api/v1/students/{cast.pupil('欧阳若曦')}").json
    assert "519921000000" in str(one)
    assert "澜川市青岚县（" not in str(one)


def test_the_conflict_page_names_both_sides(session: Session, acting: Acting, login: Login) -> None:
    id_ = cast.pupil("欧阳若曦")
    with acting("lin") as by:
        version = session.get_one(Student, id_).version
        with saving.work():
            saving.edit(session.get_one(Student, id_), {"residence_code": "510104001002"}, by)
    typed = {"version": str(version), "residence_code": "110101"}
    answer = login("lin").post(f"/students/edit/{id_}", data=typed)
    assert answer.status_code == 409
    for text in (SHOWN, "成都市锦江区（510104001002）", "北京市东城区（110101000000）"):
        assert text in answer.text
    assert 'data-fill="510104001002"' in answer.text
    assert 'data-fill="110101"' in answer.text


@pytest.mark.parametrize("word", ["card", "sheet"])
def test_prints_say_the_name(login: Login, word: str) -> None:
    printed = pdfs.text(login("lin").post(f"/print/student/{cast.pupil('欧阳若曦')}/{word}"))
    assert SHOWN in re.sub(r"\s", "", printed)


def test_in_english_the_name_stands_as_it_is(login: Login) -> None:
    lin = login("lin")
    lin.set_cookie("language", "en")
    page = lin.get(f"/students/show/{cast.pupil('欧阳若曦')}").text
    assert "Place of birth 澜川市青岚县 (519921000000)" in plain(page)


# --- looked up ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("青岚", SHOWN),
        ("qlx", SHOWN),
        ("qing lan", SHOWN),
        ("QINGLANXIAN", SHOWN),
        ("5199", SHOWN),
        ("５１９９２１", SHOWN),
        ("519921100009", "澜川市青岚县（519921100009）"),
        ("锦江", "成都市锦江区（510104000000）"),
        ("成都市锦江", "成都市锦江区（510104000000）"),
        ("chengdu", "四川省成都市（510100000000）"),
        ("仙桃", "湖北省仙桃市（429004000000）"),
    ],
)
def test_a_region_is_found_by_name_pinyin_or_digits(login: Login, typed: str, label: str) -> None:
    items = login("lin").post("/lookup/area", data={"q": typed}).json["items"]
    assert {"id": label[-13:-1], "label": label} in items
    assert len(items) <= 20


@pytest.mark.parametrize("typed", ["", "   ", "vvvv", "没有这个县", "999999", "\0", "％%_", "1" * 50])
def test_nothing_is_found_by_what_means_no_region(login: Login, typed: str) -> None:
    answer = login("lin").post("/lookup/area", data={"q": typed})
    assert (answer.status_code, answer.json["items"]) == (200, [])


def test_the_county_itself_comes_before_what_lies_in_it(login: Login) -> None:
    labels = found(login("lin"), "成都")
    assert labels[0] == "四川省成都市（510100000000）"
    assert "成都市锦江区（510104000000）" in labels


def test_what_lies_near_ones_school_comes_first(login: Login) -> None:
    """sx: 石溪县 beside 涉县, 寿县 and many others."""
    assert found(login("lin"), "sx")[0].startswith("澜川市石溪县")
    assert found(login("he"), "石")[0].startswith("澜川市石溪县")


def test_whoever_reads_no_pupil_finds_regions_too(session: Session, login: Login) -> None:
    assert not rights.may(cast.actor(session, "ops"), f"{FamilyMember.key()}:show")
    assert SHOWN in found(login("ops"), "qlx")
