"""The first page: every number is that of the list it leads to, for everybody, on both sites; nothing is shown of what
somebody may not see."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import cast
from tests.cast import CHENGGUAN, YIZHONG, pupil
from tests.client import Client
from tests.surfaces.test_bureau import reader_of, statements_on

Login = Callable[[str], Client]
PEOPLE = [one.username for one in cast.PEOPLE]
BUREAU = [one.username for one in cast.PEOPLE if one.at.isdecimal()]


@pytest.fixture
def busy(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Full classes, a problem, leaves that end and have ended, a term that is on, changes of this school year; of zhou a draft,
    and a grant that lapses."""
    from app.areas.schools.models import AcademicYear, Term
    from app.areas.students.models import Status, Student, today_here
    from app.core import rights, saving, scope
    from app.core.authority import Authority

    monkeypatch.setitem(app.config, "CLASS_CAP", {"1": 3, "2": 3, "3": 3})
    monkeypatch.setitem(app.config, "CLASS_WARN", {"1": 2, "2": 2, "3": 2})
    today = today_here()
    leaves = (("周小雪", today + timedelta(10)), ("李思琪", today - timedelta(5)), ("郭诗涵", today))
    with scope.acting(session, rights.system("tests")) as by, saving.work():
        year = {"name": f"{today.year}-{today.year + 1}", "starts_on": today - timedelta(90)}
        year |= {"ends_on": today.replace(year=today.year + 1)}
        saving.many(AcademicYear, [year], by)
        days = {"starts_on": today - timedelta(30), "ends_on": today + timedelta(30)}
        saving.many(Term, [{"academic_year_id": 1, "number": "1", **days}], by)
        for name, until_on in leaves:
            child = session.get_one(Student, pupil(name))
            saving.edit(child, {"status": Status.SUSPENDED}, by, authority=Authority("tests"))
            _grant_leave(child, until_on, by)
        child = session.get_one(Student, pupil("吴佳怡"))
        words = {"verification": "problem", "problem_note": "待核实"}
        saving.edit(child, words, by, authority=Authority("tests"))
        _leave_unfinished(session, cast.person("zhou"))


def _leave_unfinished(session: Session, person_id: int) -> None:
    from app.core import drafts
    from app.core.rights import Grant

    typed = drafts.Typed((("address", "学府街"),), (("现住址", "学府街"),))
    drafts.keep(session, person_id, "/students/add", "新增学生", typed)
    soon = datetime.now(UTC) + timedelta(days=10)
    session.execute(sa.update(Grant).where(Grant.person_id == person_id).values(until=soon))


def _grant_leave(child: Any, until_on: Any, by: Any) -> None:
    from app.areas.changes.models import Change, ChangeParty, ChangeState
    from app.areas.students.models import today_here
    from app.core import saving
    from tests.flows.world import _create, _moment

    words = {"kind": "SUSPEND", "state": ChangeState.DONE, "student_id": child.id, "student_name": child.name}
    words |= {"school_id": child.school_id, "school_name": cast.SCHOOLS[child.school_id - 1].name}
    words |= {
        "started_by": "教务",
        "started_at": _moment(),
        "until_on": until_on,
        "effective_on": today_here(),
    }
    made = _create(Change, words, by)
    parties = (("starter", child.school_id, None), ("authority", None, child.authority_code))
    rows = [
        {"change_id": made.id, "role": role, "school_id": school_id, "authority_code": code}
        for role, school_id, code in parties
    ]
    saving.many(ChangeParty, rows, by)


def cards_of(page: TestResponse) -> dict[str, tuple[str, str]]:
    """Label → (number, address) of the cards that lead somewhere."""
    pairs = re.findall(
        r'<a class="card-link" href="([^"]+)"><span class="number[^"]*">([^<]*)</span><span class="name">([^<]*)<',
        page.text,
    )
    return {name: (number, html.unescape(url)) for url, number, name in pairs}


def figures_of(page: TestResponse) -> Iterator[tuple[str, str]]:
    """(number, address) of every figure in a table or chart that leads to a list."""
    for url, number in re.findall(r'<td(?: [^>]*)?><a href="([^"]+)">([\d\s\u00a0]+)</a>', page.text):
        yield number, html.unescape(url)


def count_of(answer: TestResponse) -> str | None:
    """How many a list says it has, in digits."""
    assert answer.status_code == 200, answer.status
    found = re.search(r"共([\d\s,\u00a0]+)条", html.unescape(re.sub(r"<[^>]+>", "", answer.text)))
    return re.sub(r"\D", "", found[1]) if found else None


def labels(client: Client) -> set[str]:
    return set(cards_of(client.get("/")))


# --- numbers are those of their lists -----------------------------------------------------------------


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("username", PEOPLE)
def test_each_number_on_home_is_that_of_the_list_it_leads_to(login: Login, username: str) -> None:
    client = login(username)
    page = client.get("/")
    asked = {url: number for number, url in [*cards_of(page).values(), *figures_of(page)]}
    for url, number in asked.items():
        assert count_of(client.get(url)) == re.sub(r"\D", "", number), url


@pytest.mark.usefixtures("busy")
def test_drafts_and_grants_that_lapse_are_among_the_numbers(login: Login) -> None:
    found = cards_of(login("zhou").get("/"))
    assert found["草稿"] == ("1", "/drafts/")
    assert any(name.startswith("我的授权即将到期，") for name in found)
    assert any(name.startswith("即将到期的授权，") for name in labels(login("li")))


@pytest.mark.usefixtures("busy")
def test_full_classes_are_told_above_one_authority_as_well(login: Login) -> None:
    told = {name: cards_of(login(name).get("/")) for name in ("lin", "chen", "cheng")}
    school, county, city = (int(cards["班级接近或超过上限"][0]) for cards in told.values())
    assert (school, county) == (3, 4)
    assert city >= county


@pytest.mark.usefixtures("busy")
def test_home_of_a_bureau_shows_the_pictures_of_its_overview(login: Login) -> None:
    chen = login("chen")
    home, whole = chen.get("/"), chen.get("/bureau/")
    assert '<a class="more" href="/bureau/">查看总览</a>' in home.text
    for title in ("班额分布", "各年级在校学生", "学籍状态"):
        assert _chart(home, title) == _chart(whole, title) != []
    city = login("cheng").get("/").text
    assert "查看总览" in city
    assert "班额分布" not in city
    assert "查看总览" not in login("lin").get("/").text


def _chart(page: TestResponse, title: str) -> list[str]:
    panel = page.text[page.text.index(f">{title}</h2>") :]
    return re.findall(r'<tr class="tone-.*?</tr>', panel[: panel.index("</section>")], re.DOTALL)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("username", BUREAU)
@pytest.mark.parametrize("region", ["", "?region=519921"])
def test_each_figure_of_the_overview_is_that_of_the_list_it_leads_to(
    login: Login, username: str, region: str
) -> None:
    client = login(username)
    page = client.get("/bureau/" + region)
    if page.status_code != 200:
        assert username in ("ops", "xu")
        return
    asked = {url: number for number, url in [*figures_of(page), *cards_of(page).values()]}
    for url, number in asked.items():
        assert count_of(client.get(url)) == re.sub(r"\D", "", number), url
    assert username == "he" or len(asked) > 10


@pytest.mark.usefixtures("busy")
def test_the_clerk_reads_what_the_day_brings(login: Login) -> None:
    found = {name: number for name, (number, _url) in cards_of(login("lin").get("/")).items()}
    assert found == {
        "待核准的学生": "1",
        "休学已到期未复学": "1",
        "休学30天内到期": "1",
        "班级接近或超过上限": "3",
        "缺监护人或其电话": "6",
        "本学期未核查": "9",
    }


@pytest.mark.usefixtures("busy")
def test_everybody_is_told_of_what_he_may_see_alone(login: Login) -> None:
    assert "问题学籍" not in labels(login("lin"))  # the problem is another school's
    assert cards_of(login("wang").get("/"))["问题学籍"][0] == "1"
    assert labels(login("li")) & {"待核准的学生", "本学期未核查", "班级接近或超过上限"} == set()
    assert cards_of(login("gao").get("/"))["休学30天内到期"][0] == "1"  # ends today
    assert labels(login("ops")) == set()
    assert cards_of(login("chen").get("/"))["待核准的学生"] == ("2", "/bureau/students/?status=pending")


@pytest.mark.usefixtures("busy")
def test_whose_right_over_pupils_is_narrowed_is_not_told_of_classes_he_cannot_count(login: Login) -> None:
    zhou = login("zhou")
    assert "班级接近或超过上限" not in labels(zhou)
    assert zhou.get("/classes/list/?band=near_up").status_code == 400
    assert cards_of(zhou.get("/"))["待核准的学生"][0] == "1"


def test_home_is_calm_where_there_is_nothing_to_do(login: Login) -> None:
    assert cards_of(login("tang").get("/")).keys() == {"待核准的学生", "缺监护人或其电话"}


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(("username", "most"), [("lin", 6), ("chen", 9), ("li", 7)])
def test_home_takes_few_statements(app: Flask, login: Login, username: str, most: int) -> None:
    from app.extensions import db

    client = login(username)
    client.get("/")  # a new connection asks the server about itself
    with app.app_context():
        main = db.engine
    with statements_on(main) as own, statements_on(reader_of(app)) as read:
        assert client.get("/").status_code == 200
    asked = [one for one in (*own, *read) if one.lstrip("( ").startswith(("SELECT", "WITH"))]
    assert len(asked) <= most, asked


# --- what lists can be asked beyond their columns -----------------------------------------------------


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    ("url", "n"),
    [
        ("/api/v1/classes/?band=near", 2),
        ("/api/v1/classes/?band=full", 1),
        ("/api/v1/classes/?band=in_use", 5),
        ("/api/v1/classes/?band=near_up", 3),
        ("/api/v1/students/?leave_end=soon", 1),
        ("/api/v1/students/?leave_end=overdue", 1),
        ("/api/v1/students/?lacks=class", 0),
        ("/api/v1/students/?authority_code=519900", 2),
        ("/api/v1/students/?authority_code__from=519900&authority_code__to=519999", 14),
    ],
)
def test_programs_ask_lists_the_same(login: Login, url: str, n: int) -> None:
    assert login("lin").get(url).json["count"] == n


@pytest.mark.parametrize("word", ["band=0", "band=full%27", "leave_end=never", "lacks=%00"])
def test_what_is_no_answer_to_a_question_is_refused_with_a_sentence(login: Login, word: str) -> None:
    path = "classes" if word.startswith("band") else "students"
    answer = login("lin").get(f"/{path}/list/?{word}")
    assert answer.status_code == 422
    assert "不在代码表" in answer.text


def test_a_program_is_told_what_it_may_ask(login: Login) -> None:
    names = {one["name"] for one in login("lin").get("/api/v1/classes/_info").json["filters"]}
    assert "band" in names
    assert "band" not in {one["name"] for one in login("zhou").get("/api/v1/classes/_info").json["filters"]}


@pytest.mark.usefixtures("declarations")
def test_a_question_may_not_be_called_as_a_column_is() -> None:
    from app.areas.students.models import Student
    from app.core.questions import Question, ask

    for name, label in (("status", "别的"), ("other", "学籍状态"), ("other", "缺少资料")):
        with pytest.raises(ValueError, match="already"):
            ask(Student, Question(name=name, label=label, table="yes_no", where=lambda _code: None))  # type: ignore[arg-type, return-value]


@pytest.mark.usefixtures("busy")
def test_changes_of_the_school_year_are_told_school_by_school(login: Login) -> None:
    page = login("chen").get("/bureau/").text
    table = page[page.rindex("学年学籍变动") :]
    assert re.search(rf">{YIZHONG}</a></th><td[^>]*><a[^>]*>3</a>", table)
    assert re.search(rf">{CHENGGUAN}</a></th><td[^>]*>0<", table)
