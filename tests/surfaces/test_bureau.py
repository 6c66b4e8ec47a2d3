"""The bureau's site: who comes in, what each sees, that its figures are right, and that nothing can be written there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.areas.schools.models import year_name
from app.areas.students.models import today_here
from tests import cast
from tests.cast import CHENGGUAN, CITY, QINGLAN, SHIXI, SHIXI_ER, YIZHONG, class_of, pupil, school
from tests.client import Client

Login = Callable[[str], Client]
Acting = Callable[[str], Any]
READS = {"GET", "HEAD", "OPTIONS"}
REFUSED = "readonly database|read-only transaction|permission denied"


def reader_of(app: Flask) -> Engine:
    with app.app_context():
        return app.extensions["reading"]().get_bind()  # type: ignore[no-any-return]


def text_of(answer: TestResponse) -> str:
    """What a person reads: the page without its tags."""
    assert answer.status_code == 200, answer.status
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def link_to(page: str, label: str) -> str:
    """The address behind the first link with this label."""
    found = re.search(rf'<a[^>]* href="([^"]+)"[^>]*>{re.escape(label)}</a>', page)
    assert found, f"no link {label}"
    return found[1].replace("&amp;", "&")


def row_of(answer: TestResponse, name: str) -> dict[str, str]:
    """The table row that begins with `name`: column label → text."""
    for row in re.findall(r"<tr>(.*?)</tr>", answer.text, re.DOTALL):
        head = re.search(r'<th scope="row"[^>]*>(.*?)</th>', row, re.DOTALL)
        if head and _plain(head[1]) == name:
            return {
                label: _plain(cell)
                for label, cell in re.findall(r'data-label="([^"]*)"[^>]*>(.*?)</td>', row, re.DOTALL)
            }
    raise AssertionError(f"no row {name}")


def _plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html).strip()


@contextmanager
def statements_on(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def give(session: Session, acting: Acting) -> Callable[..., None]:
    """`give("chen", QINGLAN, "family_member:list", …)` grants rights over a region by a role of their own."""
    from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, User, ViewMenu

    from app.core import grants, powers, rights, saving

    def grant(username: str, region: str, *wanted: str) -> None:
        with acting("system") as by, saving.work():
            role = Role(name=f"more for {username}", label="另加的权限", level="bureau", region_code=region)
            session.add(role)
            for right in wanted:
                permission, view = powers.as_pair(right)
                pair = sa.select(PermissionView).join(Permission).join(ViewMenu)
                role.permissions.append(
                    session.scalars(pair.where(Permission.name == permission, ViewMenu.name == view)).one()
                )
            session.flush()
            taker = session.get_one(User, cast.person(username))
            for given in grants.held_grants(session, taker.id) if username == "ops" else ():
                grants.withdraw(session, by, given)  # who runs the machines holds nothing else
            grants.grant(session, by, taker, role, rights.Extent.of(None, region, None, None))

    return grant


# --- there is no way to write -------------------------------------------------------------------------


def rules_below_bureau(app: Flask) -> list[Any]:
    return [rule for rule in app.url_map.iter_rules() if str(rule).startswith("/bureau")]


def test_every_address_below_bureau_only_reads(app: Flask) -> None:
    rules = rules_below_bureau(app)

    assert len(rules) > 10
    assert [str(rule) for rule in rules if not rule.methods <= READS] == []


def test_each_entity_has_a_list_and_a_detail_and_nothing_else(app: Flask) -> None:
    from app.core.entity import registry

    paths = [e.__path__ for e in registry if e.__bureau__ or e.__bureau_private__]
    wanted = {"/bureau/"} | {f"/bureau/{p}/" for p in paths} | {f"/bureau/{p}/show/<int:pk>" for p in paths}

    assert {str(rule) for rule in rules_below_bureau(app)} == wanted


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_writing_method_is_not_supported(login: Login, method: str) -> None:
    chen = login("chen")

    for path in ("/bureau/", "/bureau/students/", f"/bureau/students/show/{pupil('欧阳若曦')}"):
        assert chen.open(path, method=method).status_code == 405


@pytest.mark.parametrize(
    "tail",
    [
        "new/",
        "edit/?id=1",
        "delete/",
        "action/",
        "export/csv/",
        "ajax/lookup/",
        "ajax/update/",
        "details/?id=1",
    ],
)
def test_what_flask_admin_brings_along_has_no_address(login: Login, tail: str) -> None:
    assert login("chen").get(f"/bureau/students/{tail}").status_code == 404


def test_no_asset_of_flask_admin_is_served_or_asked_for(login: Login) -> None:
    chen = login("chen")

    assert chen.get("/bureau/static/admin/js/helpers.js").status_code == 404
    assert "/bureau/static" not in chen.get("/bureau/students/").text


def test_the_database_itself_refuses_a_write_by_the_reading_engine(app: Flask) -> None:
    from app.areas.schools.models import School

    statement = sa.update(School.__table__).values(short_name="改").execution_options(unguarded=True)

    with app.app_context(), reader_of(app).connect() as connection, pytest.raises(DBAPIError, match=REFUSED):
        connection.execute(statement)


def test_a_transaction_that_declares_itself_writing_writes_nothing_either(app: Flask) -> None:
    from app.areas.schools.models import School

    engine = reader_of(app)
    free = {"unguarded": True}
    opens = {
        "sqlite": ["PRAGMA query_only=0", "PRAGMA writable_schema=1"],
        "postgresql": ["SET TRANSACTION READ WRITE"],
    }
    with app.app_context(), engine.connect() as connection:
        for words in opens[engine.dialect.name]:
            connection.execute(sa.text(words), execution_options=free)
        with pytest.raises(DBAPIError, match=REFUSED):
            connection.execute(sa.update(School.__table__).values(short_name="改"), execution_options=free)
        connection.rollback()
        names = connection.execute(sa.select(School.__table__.c.short_name), execution_options=free).scalars()
        assert set(names) == {None}


def test_the_site_reads_through_its_own_engine(app: Flask, login: Login) -> None:
    from app.extensions import db

    chen = login("chen")
    with app.app_context():
        main = db.engine
    with statements_on(reader_of(app)) as read, statements_on(main) as other:
        chen.get("/bureau/students/")

    assert any("FROM student" in statement for statement in read)
    assert not any("FROM student" in statement for statement in other)


def test_a_fault_in_a_page_is_not_tried_a_second_time(app: Flask) -> None:
    from app.surfaces.bureau import Overview

    calls = []

    def fails(view: object, **words: object) -> str:
        calls.append(words)
        raise TypeError("of the page, not of the call")

    with pytest.raises(TypeError, match="of the page"):
        Overview(endpoint="x", url="/x")._run_view(fails)
    assert calls == [{}]


# --- who comes in -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/bureau/", "/bureau/students/", "/bureau/schools/show/1"])
def test_nobody_comes_in_without_a_login(anonymous: Client, path: str) -> None:
    answer = anonymous.get(path)

    assert answer.status_code == 302
    assert answer.location == f"/login/?next={path.replace('/', '%2F')}"


@pytest.mark.parametrize("username", ["li", "lin", "zhao", "zhou", "wang"])
@pytest.mark.parametrize("path", ["/bureau/", "/bureau/schools/", "/bureau/students/"])
def test_people_of_a_school_are_told_that_the_site_is_the_bureaus(
    login: Login, username: str, path: str
) -> None:
    answer = login(username).get(path)

    assert answer.status_code == 403
    assert "只供主管部门人员使用" in answer.text


def test_a_person_of_the_bureau_without_any_right_here_is_told_which_is_missing(login: Login) -> None:
    answer = login("ops").get("/bureau/")

    assert answer.status_code == 403
    assert "查看列表“学校”" in answer.text


def test_an_entity_without_the_right_is_refused_with_its_name(login: Login) -> None:
    answer = login("he").get("/bureau/students/")

    assert answer.status_code == 403
    assert "查看列表“学生”" in answer.text


def test_the_viewer_opens_every_list_that_the_role_names(login: Login) -> None:
    chen = login("chen")

    for path in ("schools", "school-stages", "grades", "classes", "students", "stays", "changes"):
        assert chen.get(f"/bureau/{path}/").status_code == 200, path


# --- what each sees -----------------------------------------------------------------------------------


def test_the_county_sees_its_schools_and_no_other(login: Login) -> None:
    page = text_of(login("chen").get("/bureau/schools/"))

    assert YIZHONG in page
    assert CHENGGUAN in page
    assert SHIXI_ER not in page


def test_the_county_sees_no_name_of_the_seniors_whom_the_city_decides_over(login: Login) -> None:
    chen, cheng = login("chen"), login("cheng")

    assert "赵雅婷" not in text_of(chen.get("/bureau/students/"))
    assert chen.get(f"/bureau/students/show/{pupil('赵雅婷')}").status_code == 404
    assert "赵雅婷" in text_of(cheng.get(f"/bureau/students/show/{pupil('赵雅婷')}"))


@pytest.mark.parametrize(
    "path",
    [
        f"/bureau/students/show/{pupil('胡俊熙')}",
        f"/bureau/schools/show/{school(SHIXI_ER)}",
        f"/bureau/classes/show/{class_of(SHIXI_ER, 7, 1)}",
        "/bureau/students/show/999999",
        "/bureau/students/show/99999999999999999999999",
        "/bureau/changes/show/0",
    ],
)
def test_out_of_scope_is_not_found(login: Login, path: str) -> None:
    assert login("chen").get(path).status_code == 404


def test_the_other_county_does_not_see_the_change_of_this_one(login: Login) -> None:
    assert login("chen").get(f"/bureau/changes/show/{cast.CHANGE}").status_code == 200
    assert login("xu").get(f"/bureau/changes/show/{cast.CHANGE}").status_code == 404


def test_junk_in_the_address_of_a_list_is_a_complaint(login: Login) -> None:
    chen = login("chen")

    for junk in ("school_id=abc", "after=x"):
        assert chen.get(f"/bureau/students/?{junk}").status_code == 422, junk
    for hidden in ("nonsense=1", "sort=id_number", "id_number=5"):
        answer = chen.get(f"/bureau/students/?{hidden}")
        assert answer.status_code == 400, hidden
        assert "不能按" in answer.text


def test_there_is_nothing_to_change_on_a_pupils_page(login: Login) -> None:
    page = login("chen").get(f"/bureau/students/show/{pupil('欧阳若曦')}").text

    assert "欧阳若曦" in page
    assert "/students/edit/" not in page
    assert "/students/delete/" not in page


# --- masks and what is private ------------------------------------------------------------------------


def test_numbers_are_masked_in_list_and_detail(login: Login) -> None:
    chen, id_ = login("chen"), pupil("欧阳若曦")

    for path in ("/bureau/students/", f"/bureau/students/show/{id_}"):
        page = chen.get(path).text
        assert cast.id_number(id_) not in page
        assert cast.student_no(id_) not in page
        assert f"140{id_:08d}" not in page


def test_a_number_is_revealed_for_a_reason_stated_outside_the_site_and_the_page_comes_back(
    login: Login,
) -> None:
    chen, id_ = login("chen"), pupil("欧阳若曦")
    here = f"/bureau/students/show/{id_}"
    assert 'action="/reveal/student"' in chen.get(here).text

    answer = chen.post("/reveal/student", data={"reason": "核对来信", "id": id_, "next": here})

    assert answer.status_code == 302
    assert answer.location == here
    assert cast.id_number(id_) in chen.get(here).text


def test_an_exact_number_finds_the_pupil_and_stays_out_of_the_address(login: Login) -> None:
    chen, id_ = login("chen"), pupil("欧阳若曦")

    answer = chen.post("/search/students", data={"q": cast.id_number(id_), "site": "bureau"})

    assert answer.status_code == 302
    assert answer.location == f"/bureau/students/show/{id_}"


def test_a_name_is_found_on_the_bureaus_list(login: Login) -> None:
    chen = login("chen")

    answer = chen.post("/search/students", data={"q": "欧阳", "site": "bureau"})

    assert answer.location.startswith("/bureau/students/?")
    page = text_of(chen.get(answer.location))
    assert "欧阳若曦" in page
    assert "张一鸣" not in page


def test_family_and_health_are_hidden_from_the_viewer(login: Login) -> None:
    chen = login("chen")
    page = chen.get(f"/bureau/students/show/{pupil('欧阳若曦')}").text

    for word in ("欧阳明", "家庭成员", "健康状况", "残疾类型", "随班就读", "佐证材料"):
        assert word not in page, word
    assert chen.get("/bureau/family-members/").status_code == 403
    assert chen.get(f"/bureau/family-members/show/{cast.relative('欧阳明')}").status_code == 403
    assert chen.get("/bureau/evidence-files/").status_code == 403
    assert chen.get("/bureau/students/?disability=1").status_code == 400


def test_family_and_health_are_shown_to_a_viewer_who_was_granted_them(
    login: Login, give: Callable[..., None]
) -> None:
    give("chen", QINGLAN, "family_member:list", "family_member:show", "student:health")
    chen = login("chen")

    page = chen.get(f"/bureau/students/show/{pupil('欧阳若曦')}").text
    assert "健康状况" in page
    assert link_to(page, "欧阳明") == f"/bureau/family-members/show/{cast.relative('欧阳明')}"
    assert "欧阳明" in text_of(chen.get(f"/bureau/family-members/show/{cast.relative('欧阳明')}"))
    listed = text_of(chen.get("/bureau/family-members/"))
    assert "欧阳明" in listed
    assert "胡建军" not in listed
    assert chen.get(f"/bureau/family-members/show/{cast.relative('胡建军')}").status_code == 404


def test_the_time_line_names_rows_of_the_past_from_the_sites_own_engine(
    app: Flask, session: Session, acting: Acting, login: Login
) -> None:
    from app.areas.students.models import Student
    from app.core import saving
    from app.core.authority import Authority
    from app.extensions import db

    id_, to = pupil("欧阳若曦"), cast.class_of(YIZHONG, 7, 2)
    with acting("lin") as by, saving.work():
        saving.edit(session.get_one(Student, id_), {"class_id": to}, by, authority=Authority("placement"))
    sun = login("sun")
    with app.app_context():
        main = db.engine
    with statements_on(main) as seen:
        page = text_of(sun.get(f"/bureau/students/show/{id_}"))
    assert "七年级（1）班 → 改为 七年级（2）班" in page
    assert [one for one in seen if "FROM school_class" in one or "FROM grade" in one] == []


# --- the overview -------------------------------------------------------------------------------------


def test_the_county_reads_its_figures_school_by_school(login: Login) -> None:
    answer = login("chen").get("/bureau/")

    assert row_of(answer, YIZHONG) == {
        "在校": "9", "在籍": "10", "男": "2", "女": "7", "班级数": "4", "备用班": "0",
        "正常": "4", "接近上限": "0", "已满": "0", "大班额": "0", "超大班额": "0", "在办业务": "0",
    }  # fmt: skip
    assert row_of(answer, CHENGGUAN)["在校"] == "4"
    assert cards_of(answer) == {
        "学校数": "2",
        "在校学生": "13",
        "在籍学生": "14",
        "班级数": "6",
        "大班额班级": "0",
        "在办业务": "0",
    }


def cards_of(answer: TestResponse) -> dict[str, str]:
    pairs = re.findall(
        r'<span class="number[^"]*">([^<]*)</span><span class="name">([^<]*)</span>', answer.text
    )
    return {name: number for number, name in pairs}


def test_the_city_reads_its_counties_and_the_schools_it_runs_itself(login: Login) -> None:
    answer = login("cheng").get("/bureau/")

    assert row_of(answer, "青岚县")["学校数"] == "2"
    assert row_of(answer, "青岚县")["在校"] == "13"
    assert row_of(answer, "石溪县") | {"正常": ""} == {
        "学校数": "1", "在校": "3", "在籍": "3", "男": "2", "女": "1", "班级数": "1", "备用班": "0",
        "正常": "", "接近上限": "0", "已满": "0", "大班额": "0", "超大班额": "0", "在办业务": "0",
    }  # fmt: skip
    assert row_of(answer, YIZHONG)["在校"] == "2"  # its seniors alone


def test_a_school_that_county_and_city_share_counts_once(login: Login) -> None:
    cards = cards_of(login("cheng").get("/bureau/"))

    assert cards["学校数"] == "3"
    assert cards["在校学生"] == "18"


def test_a_school_of_another_authority_is_counted_where_it_stands_without_a_name(login: Login) -> None:
    page = text_of(login("chen").get("/bureau/"))

    assert "由其他主管部门管理的学校1所：在校2人，在籍2人，男生1人，女生1人" in page
    assert "另有驻地" not in text_of(login("xu").get("/bureau/"))


def test_the_city_narrows_to_a_county_and_reads_what_the_county_reads(login: Login) -> None:
    of_city, of_county = login("cheng").get(f"/bureau/?region={QINGLAN}"), login("chen").get("/bureau/")

    assert cards_of(of_city) == cards_of(of_county)
    assert row_of(of_city, CHENGGUAN) == row_of(of_county, CHENGGUAN)


@pytest.mark.parametrize(
    "region", [SHIXI, CITY, "510000", "519925", "51992", "519921' OR 1=1", "\0", "青岚县", "9" * 5_000]
)
def test_a_region_outside_the_readers_range_is_not_found(login: Login, region: str) -> None:
    assert login("chen").get("/bureau/", query_string={"region": region}).status_code == 404


def test_a_region_that_does_not_exist_is_not_found(login: Login) -> None:
    assert login("cheng").get("/bureau/?region=519955").status_code == 404


def test_grants_narrower_than_the_own_region_bound_the_overview(
    login: Login, give: Callable[..., None]
) -> None:
    keys = ("school", "school_stage", "grade", "school_class", "student", "change")
    give("ops", QINGLAN, *(f"{key}:list" for key in keys))
    ops = login("ops")

    answer = ops.get("/bureau/")
    assert cards_of(answer)["在校学生"] == "13"
    assert "石溪县" not in answer.text
    assert "另有驻地" not in answer.text
    assert "另有驻地" in ops.get(f"/bureau/?region={QINGLAN}").text
    assert ops.get(f"/bureau/?region={SHIXI}").status_code == 404


def test_a_province_reads_its_prefectures(session: Session) -> None:
    from flask import current_app

    from app.areas.reports.overview import Below, Sees, overview
    from app.core import databases, rights, scope

    keys = ("school", "school_stage", "school_class", "grade", "student", "change")
    extent = rights.Extent.of(None, "510000", None, None)
    held = rights.Holding(0, "", frozenset(f"{key}:list" for key in keys), extent, True, False, None)
    by = rights.Actor(None, "省厅", (held,), region_code="510000")
    reading = databases.reading_session(current_app)

    with scope.acting(reading, by):
        made = overview(reading, Below("510000"), Sees.of(by))

    assert list(made.regions) == [CITY]
    assert made.schools == {}
    assert (made.total.schools, made.total.enrolled, made.total.classes) == (3, 18, 8)


def test_the_changes_of_twelve_months_stand_beside_each_other_and_lead_to_their_cases(login: Login) -> None:
    chen = login("chen")
    trend = re.search(r'<table class="trend">.*?</table>', chen.get("/bureau/").text, re.DOTALL)
    assert trend

    months = re.findall(r'<th scope="col">(.*?)</th>', trend[0])
    cells = [_plain(cell) for cell in re.findall(r"<td>(.*?)</td>", trend[0], re.DOTALL)]
    today = today_here()
    assert months[-1] == f"{today.month}月"
    assert len(set(months)) == 12
    assert dict(zip(months, cells, strict=True)) == {m: "1" if m == "10月" else "0" for m in months}
    assert "陈思远" in chen.get(link_to(trend[0], "1")).text


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 12, 31), date(2026, 1, 1), date(2026, 12, 1)),
        (date(2027, 1, 1), date(2026, 2, 1), date(2027, 1, 1)),
        (date(2028, 2, 29), date(2027, 3, 1), date(2028, 2, 1)),
    ],
)
def test_a_trend_has_twelve_months_the_present_one_the_last(day: date, first: date, last: date) -> None:
    from app.areas.reports.overview import months_to

    months = months_to(day)
    assert (months[0], months[-1], len(months)) == (first, last, 12)


def test_the_years_of_schooling_are_drawn_from_the_youngest(login: Login) -> None:
    page = login("chen").get("/bureau/").text
    chart = page[page.index("各年级在校学生") : page.index(">学籍状态</h2>")]
    numbers = [int(n) for n in re.findall(r'<td class="num">(\d+)</td>', chart)]
    years = re.findall(r'<th scope="row">(.*?)</th>', chart)

    assert years == sorted(years, key=[year_name(n) for n in range(1, 13)].index)
    assert sum(numbers) == int(cards_of(login("chen").get("/bureau/"))["在校学生"])


def test_open_cases_are_counted_where_their_pupil_is(login: Login, session: Session, acting: Acting) -> None:
    from app.areas.changes.models import Change, ChangeState
    from app.core import saving
    from app.core.authority import Authority

    with acting("system") as by, saving.work():
        change = session.get_one(Change, cast.CHANGE)
        saving.edit(change, {"state": ChangeState.AT_AUTHORITY}, by, authority=Authority("test"))
    answer = login("chen").get("/bureau/")

    assert row_of(answer, YIZHONG)["在办业务"] == "1"
    assert row_of(answer, CHENGGUAN)["在办业务"] == "0"
    assert cards_of(answer)["在办业务"] == "1"


def test_classes_are_counted_by_size(app: Flask, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "CLASS_CAP", {"2": 3})
    monkeypatch.setitem(app.config, "CLASS_WARN", {"2": 2})
    chen = login("chen")

    row = row_of(chen.get("/bureau/"), YIZHONG)
    assert (row["正常"], row["接近上限"], row["已满"]) == ("0", "3", "1")
    assert row_of(chen.get("/bureau/classes/"), "七年级（1）班")["班额"] == "已满"


def test_a_spare_class_is_counted_apart_and_a_graduated_one_not_at_all(login: Login, acting: Acting) -> None:
    from app.areas.schools.models import Grade, SchoolClass
    from app.core import saving

    place = {"school_id": school(CHENGGUAN), "stage": "2"}
    with acting("system") as by, saving.work():
        left = saving.create(Grade, {**place, "entry_year": 2023, "level": 3, "is_graduated": True}, by)
        saving.create(SchoolClass, {"grade_id": left.id, "number": 1}, by)
        saving.create(SchoolClass, {"grade_id": cast.grade(CHENGGUAN, 7), "number": 20}, by)
    chen = login("chen")

    row = row_of(chen.get("/bureau/"), CHENGGUAN)
    assert (row["班级数"], row["备用班"]) == ("2", "1")
    spare = row_of(chen.get("/bureau/classes/"), "七年级（20）班")
    assert (spare["在校人数"], spare["班额"]) == ("0", "")


def test_one_county_does_not_count_into_the_figures_of_the_other(login: Login) -> None:
    answer = login("xu").get("/bureau/")

    assert cards_of(answer)["在校学生"] == "3"
    assert YIZHONG not in answer.text
    assert CHENGGUAN not in answer.text


def test_every_size_of_class_has_its_column(app: Flask) -> None:
    from app.areas.reports.pages import BAND_TONES
    from app.areas.schools import seats

    with app.test_request_context():
        assert {seats.band(n) for n in range(120)} == set(seats.BANDS) == set(BAND_TONES)


def test_who_may_not_see_pupils_is_shown_no_figures_of_them(login: Login) -> None:
    answer = login("he").get("/bureau/")

    assert row_of(answer, YIZHONG) == {}
    assert cards_of(answer) == {"学校数": "2"}
    assert "在校" not in text_of(answer)


def test_an_empty_region_says_what_will_be_here(login: Login, session: Session, acting: Acting) -> None:
    from app.areas.regions.models import Region
    from app.core import saving

    with acting("system") as by, saving.work():
        saving.create(Region, {"code": "519930", "name": "澜川高新区", "parent_code": CITY}, by)

    assert "本区域还没有学校" in text_of(login("cheng").get("/bureau/?region=519930"))


@pytest.mark.parametrize(("username", "most"), [("chen", 7), ("cheng", 8)])
def test_the_overview_takes_few_statements(app: Flask, login: Login, username: str, most: int) -> None:
    client = login(username)

    with statements_on(reader_of(app)) as seen:
        assert client.get("/bureau/").status_code == 200

    assert len([s for s in seen if s.startswith("SELECT")]) <= most, seen


# --- drilling down ------------------------------------------------------------------------------------


def test_the_city_drills_down_from_region_to_pupil(login: Login) -> None:
    cheng = login("cheng")

    county = cheng.get(link_to(cheng.get("/bureau/").text, "青岚县")).text
    its_school = cheng.get(link_to(county, CHENGGUAN)).text
    its_class = cheng.get(link_to(its_school, "七年级（1）班")).text
    assert f"/bureau/students/show/{pupil('马欣妍')}" not in its_class  # of another class
    its_pupil = cheng.get(link_to(its_class, "吴佳怡"))

    assert its_pupil.status_code == 200
    assert "吴佳怡" in its_pupil.text
    assert "/bureau/classes/show/" in its_pupil.text


def test_a_school_shows_its_classes_with_their_head_counts(login: Login) -> None:
    answer = login("chen").get(f"/bureau/schools/show/{school(YIZHONG)}")

    assert row_of(answer, "七年级（1）班")["在校人数"] == "3"
    assert row_of(answer, "七年级（2）班")["在校人数"] == "2"
    classes = answer.text.partition("<h2>班级</h2>")[2]
    assert link_to(classes, "七年级（10）班") == f"/bureau/classes/show/{class_of(YIZHONG, 7, 10)}"


def test_lists_show_head_counts_that_lead_to_the_pupils(login: Login) -> None:
    chen = login("chen")

    assert row_of(chen.get("/bureau/schools/"), "3451000001")["在校人数"] == "9"
    grade = row_of(chen.get(f"/bureau/grades/?school_id={school(YIZHONG)}"), "七年级")
    assert (grade["班级数"], grade["在校人数"]) == ("3", "7")
    classes = chen.get(f"/bureau/classes/?school_id={school(CHENGGUAN)}")
    pupils = chen.get(link_to(classes.text, "2"))
    assert "2条" in text_of(pupils)
    assert "吴佳怡" in text_of(pupils)
    assert "朱梓萱" not in text_of(pupils)  # a draft


def test_head_counts_take_one_statement_for_a_page_of_classes(app: Flask, login: Login) -> None:
    chen = login("chen")

    with statements_on(reader_of(app)) as seen:
        chen.get("/bureau/classes/")

    assert len([s for s in seen if "count(student.id)" in s]) == 1
