"""The REST API: the same rights, scope, checks, masks and locks as the pages, and one shape of error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from tests import cast
from tests.cast import (
    CHENGGUAN,
    SHIXI_ER,
    YIZHONG,
    class_of,
    grade,
    id_number,
    pupil,
    relative,
    school,
    student_no,
)
from tests.client import Client
from tests.flows.world import take_right

STUDENTS, FAMILY, CLASSES = "/api/v1/students/", "/api/v1/family-members/", "/api/v1/classes/"
Login = Callable[[str], Client]


def at(student_id: int) -> str:
    return f"{STUDENTS}{student_id}"


ZIHAN, RUOXI, DRAFT = at(pupil("王子涵")), at(pupil("欧阳若曦")), at(pupil("刘浩然"))


@pytest.fixture
def lin(login: Login) -> Client:
    """林老师, record clerk of the first school."""
    return login("lin")


def tagged(client: Client, url: str) -> dict[str, str]:
    return {"If-Match": client.get(url).headers["ETag"]}


def put(client: Client, url: str, values: Any, **headers: str) -> Any:
    return client.put(url, json=values, headers=headers or tagged(client, url))


def complaints(answer: Any) -> dict[str, str]:
    return {one["field"]: one["message"] for one in answer.json["complaints"]}


def new_pupil(**words: Any) -> dict[str, Any]:
    """A new pupil as JSON with a guardian, complete and without fault."""
    values = cast.plain(id_type="1", id_number="519921201404041018", gender="1", **words)
    from app.areas.students import numbers

    first = values["id_number"][:17]
    return values | {
        "id_number": first + numbers.check_digit(first),
        "born_on": values["born_on"].isoformat(),
        "family_member": [cast.GUARDIAN],
    }


@pytest.fixture
def rows(app: Flask) -> Callable[..., Any]:
    """`rows("student", id)` → all column values of a row as the database has them; without an id, how many there are."""

    def read(table: str, id_: int | None = None) -> Any:
        from app.core import rights, scope
        from app.core.entity import registry
        from app.extensions import db

        entity = registry[table]
        with (
            app.app_context(),
            scope.acting(db.session(), rights.system("tests")),
            scope.with_deleted(db.session()),
        ):
            if id_ is None:
                return db.session.scalar(sa.select(sa.func.count()).select_from(entity))
            found = db.session.get(entity, id_)
            return (
                None
                if found is None
                else {a.key: getattr(found, a.key) for a in sa.inspect(entity).column_attrs}
            )

    return read


@pytest.fixture
def last_audit(rows: Callable[..., Any]) -> Callable[[], dict[str, Any]]:
    return lambda: rows("audit_entry", rows("audit_entry"))


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    from app.extensions import db

    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def notice(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", notice)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", notice)


# --- who may, and where -------------------------------------------------------------------------------


def test_without_a_login_every_route_answers_401_in_the_one_shape(anonymous: Client) -> None:
    for method, url in (
        ("get", STUDENTS),
        ("get", ZIHAN),
        ("post", STUDENTS),
        ("put", ZIHAN),
        ("delete", ZIHAN),
    ):
        answer = getattr(anonymous, method)(url)
        assert answer.status_code == 401, (method, url)
        assert answer.json["error"] == "unauthorized"
        assert answer.json["message"]
        assert answer.json["complaints"] == []


@pytest.mark.parametrize(
    ("username", "method", "url", "code"),
    [
        ("lin", "get", STUDENTS, 200),
        ("lin", "get", ZIHAN, 200),
        ("lin", "get", f"{STUDENTS}_info", 200),
        ("lin", "get", at(pupil("吴佳怡")), 404),  # another school's
        ("wang", "get", ZIHAN, 404),
        ("wang", "put", ZIHAN, 404),
        ("wang", "delete", DRAFT, 404),
        ("gao", "get", ZIHAN, 404),  # another county's
        ("zhou", "get", ZIHAN, 200),  # of his class
        ("zhou", "get", at(pupil("陈思远")), 404),  # of the class next door
        ("zhou", "post", STUDENTS, 403),
        ("zhou", "delete", DRAFT, 403),
        ("zhao", "get", ZIHAN, 200),
        ("zhao", "put", ZIHAN, 403),
        ("chen", "get", ZIHAN, 200),
        ("chen", "get", at(pupil("吴佳怡")), 200),
        ("chen", "get", at(pupil("胡俊熙")), 404),  # another county's
        ("chen", "get", at(pupil("赵雅婷")), 404),  # a senior high pupil is the city's
        ("cheng", "get", at(pupil("赵雅婷")), 200),
        ("chen", "put", ZIHAN, 403),
        ("chen", "get", FAMILY, 403),
        ("chen", "get", f"{FAMILY}1", 403),
        ("li", "get", STUDENTS, 403),
        ("li", "get", ZIHAN, 403),
        ("ops", "get", STUDENTS, 403),
        ("lin", "post", f"{STUDENTS}search", 422),
        ("li", "post", f"{STUDENTS}search", 403),
        ("lin", "put", "/api/v1/stays/1", 405),  # no such action
        ("lin", "delete", f"/api/v1/schools/{school(YIZHONG)}", 405),
        ("lin", "patch", ZIHAN, 405),
    ],
)
def test_rights_and_scope(login: Login, username: str, method: str, url: str, code: int) -> None:
    answer = getattr(login(username), method)(url, **({} if method == "get" else {"json": {}}))
    assert answer.status_code == code
    if code >= 400:
        assert answer.json["message"].endswith("。")
        assert answer.json["error"] in ("denied", "missing", "invalid")


def test_a_refusal_names_the_right_and_who_can_give_it(login: Login) -> None:
    message = put(login("zhao"), ZIHAN, {"talent": "围棋"}, **{"If-Match": '"1"'}).json["message"]
    assert "修改“学生”" in message
    assert "本校总管理员" in message


def test_the_list_holds_the_rows_in_scope_and_no_others(login: Login) -> None:
    own = {n for n, one in enumerate(cast.PUPILS, 1) if one.at[0] == YIZHONG}
    assert set(login("lin").get(STUDENTS).json["ids"]) == own
    of_the_class = {n for n, one in enumerate(cast.PUPILS, 1) if one.at == (YIZHONG, 7, 1)}
    assert set(login("zhou").get(STUDENTS).json["ids"]) == of_the_class


# --- lists --------------------------------------------------------------------------------------------


def test_a_list_gives_raw_values_and_the_labels_of_links(lin: Client) -> None:
    page = lin.get(f"{STUDENTS}?class_id={class_of(YIZHONG, 7, 1)}&sort=name").json
    first = page["result"][0]
    assert (page["count"], page["count_is_exact"], len(page["ids"])) == (4, True, 4)
    assert first["name"] == "阿依古丽·买买提"
    assert (first["id"], first["version"], first["gender"], first["status"]) == (
        pupil("阿依古丽·买买提"),
        1,
        "2",
        "enrolled",
    )
    assert (first["class_id"], first["school_class"]) == (class_of(YIZHONG, 7, 1), "七年级（1）班")


def test_pages_follow_each_other_without_gap_or_double(lin: Client, app: Flask) -> None:
    from app.surfaces import listing

    seen: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "PAGE_SIZES", (3, 50))
        page = lin.get(f"{STUDENTS}?size=3&sort=-name").json
        assert page["previous"] is None
        while True:
            seen += page["ids"]
            if page["next"] is None:
                break
            page = lin.get(f"{STUDENTS}?size=3&sort=-name&after={page['next']}").json
        back = lin.get(f"{STUDENTS}?size=3&sort=-name&before={page['previous']}").json
    assert seen == lin.get(f"{STUDENTS}?sort=-name").json["ids"]
    assert len(seen) == len(set(seen)) == 14
    assert back["ids"] == seen[-len(page["ids"]) - 3 : -len(page["ids"])]


def test_filters_and_search_are_those_of_the_page(lin: Client) -> None:
    assert lin.get(f"{STUDENTS}?status=suspended").json["ids"] == [pupil("陈思远")]
    assert lin.get(f"{STUDENTS}?q=oyrx").json["ids"] == [pupil("欧阳若曦")]
    assert lin.get(f"{STUDENTS}?born_on__from=2014-05-01").json["ids"] == [pupil("刘浩然")]
    assert lin.get(f"{STUDENTS}?found={pupil('李思琪')},{pupil('吴佳怡')}").json["ids"] == [pupil("李思琪")]


@pytest.mark.parametrize(
    "query",
    [
        "status=no such",
        "born_on__from=yesterday",
        "class_id=x",
        "class_id=" + "9" * 5_000,
        "q=" + "9" * 5_000,
        "q=%00",
        "name=%00",
        "after=x",
        "before=-1",
        "q=(filters:!((col:name,opr:ct,value:x)))" + "x" * 50,
    ],
)
def test_a_list_refuses_what_it_does_not_know_with_a_sentence(lin: Client, query: str) -> None:
    answer = lin.get(f"{STUDENTS}?{query}")
    assert answer.status_code == 422
    assert answer.json["error"] == "invalid"
    assert answer.json["complaints"]
    assert all(one["message"].endswith("。") for one in answer.json["complaints"])


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "phone=14000000001",  # masked
        f"id_number={id_number(1)}",
        "student_no=G5",
        "name_key=a",  # the program's own
        "sort=phone",
        "sort=id_number",
        "sort=foo",
        "gender__from=1",
    ],
)
def test_asking_by_what_is_not_shown_is_refused_whichever_it_is(lin: Client, query: str) -> None:
    answer = lin.get(f"{STUDENTS}?{query}")
    assert (answer.status_code, answer.json["error"]) == (400, "unreadable")
    assert answer.json["message"].startswith("不能按")


def test_a_list_takes_few_statements(lin: Client, app: Flask) -> None:
    for url in (STUDENTS, FAMILY, CLASSES, "/api/v1/grades/", "/api/v1/school-stages/"):
        with counted(app) as statements:
            assert lin.get(url).status_code == 200
        assert len(statements) <= 10, (url, statements)


# --- masks and private fields -------------------------------------------------------------------------


def secrets_of(student_id: int) -> list[str]:
    return [id_number(student_id), str(student_no(student_id)), f"140{student_id:08d}"]


def assert_hides(answer: Any, student_id: int) -> None:
    for secret in secrets_of(student_id):
        assert secret not in answer.text
        assert secret[6:14] not in answer.text  # the birth date in the middle of a number


def test_numbers_are_masked_in_list_row_and_answer_to_a_change(lin: Client) -> None:
    id_ = pupil("王子涵")
    assert_hides(lin.get(STUDENTS), id_)
    assert_hides(lin.get(ZIHAN), id_)
    changed = put(lin, ZIHAN, {"talent": "围棋"})
    assert changed.status_code == 200
    assert_hides(changed, id_)
    assert changed.json["result"]["phone"] == "140****0001"
    assert changed.json["result"]["talent"] == "围棋"


def test_the_answer_to_a_new_row_is_masked(lin: Client) -> None:
    sent = new_pupil()
    answer = lin.post(STUDENTS, json=sent)
    assert answer.status_code == 201
    assert sent["id_number"] not in answer.text
    assert sent["phone"] not in answer.text


def test_the_mask_sent_back_changes_nothing(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("student", pupil("王子涵"))
    shown = lin.get(ZIHAN).json["result"]
    answer = put(lin, ZIHAN, {name: shown[name] for name in ("phone", "id_number", "student_no")})
    assert answer.status_code == 200
    assert rows("student", pupil("王子涵")) == before


def test_a_whole_row_sent_back_changes_nothing(lin: Client, rows: Callable[..., Any]) -> None:
    for url, table, id_ in (
        (ZIHAN, "student", pupil("王子涵")),
        (f"{FAMILY}1", "family_member", 1),
        (f"{CLASSES}1", "school_class", 1),
    ):
        shown, before, version = lin.get(url).json["result"], rows(table, id_), tagged(lin, url)
        audits = rows("audit_entry")
        answer = put(lin, url, shown, **version)
        assert answer.status_code == 200, answer.text
        assert rows(table, id_) == before
        assert rows("audit_entry") == audits


def test_a_mask_that_is_not_the_current_one_is_never_stored(lin: Client, rows: Callable[..., Any]) -> None:
    url = f"{FAMILY}{relative('王建国')}"
    for sent in (
        {"phone": "140****9999"},
        {"phone": "*"},
        {"id_type": "Z", "id_number": "5***************1"},
    ):
        answer = put(lin, url, sent)
        assert answer.status_code == 422, sent
        assert "*" not in str(rows("family_member", relative("王建国")))


def test_a_reveal_shows_the_values_to_that_login_only(lin: Client, login: Login) -> None:
    id_ = pupil("王子涵")
    other = login("lin")
    lin.post("/reveal/student", data={"id": str(id_), "reason": "核对户口簿", "next": "/"})
    assert lin.get(ZIHAN).json["result"]["id_number"] == id_number(id_)
    assert_hides(lin.get(RUOXI), pupil("欧阳若曦"))
    assert_hides(other.get(ZIHAN), id_)
    known = lin.get(ZIHAN, headers={"If-None-Match": '"1"'})
    assert known.status_code == 200, "the version is the same, what is shown is not"
    mask = put(lin, ZIHAN, {"phone": "140****0001"})
    assert mask.json["result"]["phone"] == "14000000001"


def test_private_fields_are_nowhere_for_who_lacks_their_right(login: Login) -> None:
    zhou = login("zhou")
    for name in ("health", "disability", "in_class_special"):
        assert name not in zhou.get(ZIHAN).json["result"]
        assert name not in {one["name"] for one in zhou.get(f"{STUDENTS}_info").json["fields"]}
        assert zhou.get(f"{STUDENTS}?{name}=1").status_code == 400
        answer = put(zhou, ZIHAN, {name: "10"})
        assert answer.status_code == 422
        assert "没有“" in complaints(answer)[name]


def test_who_may_write_and_not_see_learns_nothing_from_the_answer(app: Flask, login: Login) -> None:
    take_right(app, "zhou", "can_show", "student")
    zhou = login("zhou")
    assert zhou.get(ZIHAN).status_code == 403
    assert put(zhou, ZIHAN, {"talent": "围棋"}, **{"If-Match": '"1"'}).json == {"id": pupil("王子涵")}
    stale = put(zhou, ZIHAN, {"talent": "象棋"}, **{"If-Match": '"1"'})
    assert (stale.status_code, stale.json["current"]) == (412, None)
    assert "address" not in zhou.get(STUDENTS).json["result"][0]


# --- one row and its version --------------------------------------------------------------------------


def test_a_row_carries_its_version_as_etag(lin: Client) -> None:
    answer = lin.get(ZIHAN)
    assert answer.headers["ETag"] == '"1"'
    assert answer.json["id"] == answer.json["result"]["id"] == pupil("王子涵")
    same = lin.get(ZIHAN, headers={"If-None-Match": '"1"'})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", '"1"')
    assert lin.get(ZIHAN, headers={"If-None-Match": '"7"'}).status_code == 200


def test_a_change_touches_only_what_was_sent_and_is_audited(
    lin: Client, rows: Callable[..., Any], last_audit: Callable[[], dict[str, Any]]
) -> None:
    before = rows("student", pupil("王子涵"))
    answer = put(lin, ZIHAN, {"address": "青岚县城关镇人民路2号"})
    after = rows("student", pupil("王子涵"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert {name for name in after if after[name] != before[name]} == {"address", "version"}
    entry = last_audit()
    assert (entry["action"], entry["entity"], entry["row_id"]) == ("edit", "student", pupil("王子涵"))
    assert (entry["actor_name"], entry["after"]) == ("林老师", {"address": "青岚县城关镇人民路2号"})


def test_a_value_is_emptied_by_null(lin: Client, rows: Callable[..., Any]) -> None:
    put(lin, ZIHAN, {"talent": "围棋"})
    assert put(lin, ZIHAN, {"talent": None}).json["result"]["talent"] is None
    assert rows("student", pupil("王子涵"))["talent"] is None
    assert "address" in complaints(put(lin, ZIHAN, {"address": None}))


@pytest.mark.parametrize("method", ["put", "delete"])
@pytest.mark.parametrize("tag", [None, "*", '"1", "2"', ""])
def test_a_write_without_a_version_is_428(
    lin: Client, rows: Callable[..., Any], method: str, tag: str | None
) -> None:
    headers = {} if tag is None else {"If-Match": tag}
    answer = getattr(lin, method)(DRAFT, json={"talent": "围棋"}, headers=headers)
    assert answer.status_code == 428
    assert "If-Match" in answer.json["message"]
    assert rows("student", pupil("刘浩然"))["version"] == 1


def test_the_second_of_two_is_told_and_overwrites_nothing(
    lin: Client, login: Login, rows: Callable[..., Any]
) -> None:
    zhou, seen = login("zhou"), tagged(lin, ZIHAN)
    assert put(zhou, ZIHAN, {"address": "青岚县城关镇人民路2号"}, **seen).status_code == 200
    answer = put(lin, ZIHAN, {"address": "青岚县城关镇和平路3号"}, **seen)
    assert (answer.status_code, answer.json["error"], answer.headers["ETag"]) == (412, "stale", '"2"')
    assert "小周" in answer.json["message"]
    assert answer.json["current"]["address"] == "青岚县城关镇人民路2号"
    assert_hides(answer, pupil("王子涵"))
    assert rows("student", pupil("王子涵"))["address"] == "青岚县城关镇人民路2号"
    assert (
        put(
            lin, ZIHAN, {"address": "青岚县城关镇和平路3号"}, **{"If-Match": answer.headers["ETag"]}
        ).status_code
        == 200
    )


@pytest.mark.parametrize("tag", ['"0"', '"2"', '"x"', '"' + "9" * 5_000 + '"', '"-1"', "７"])
def test_a_version_that_is_not_the_current_one_is_412(
    lin: Client, rows: Callable[..., Any], tag: str
) -> None:
    answer = lin.put(ZIHAN, json={"talent": "围棋"}, headers={"If-Match": tag.encode().decode("latin-1")})
    assert answer.status_code == 412
    assert rows("student", pupil("王子涵"))["talent"] is None


def test_a_tag_that_a_proxy_weakened_still_counts(lin: Client) -> None:
    assert put(lin, ZIHAN, {"talent": "围棋"}, **{"If-Match": 'W/"1"'}).status_code == 200


# --- what may not be typed ----------------------------------------------------------------------------


def test_key_data_is_refused_at_its_field_and_the_procedure_is_named(
    lin: Client, rows: Callable[..., Any]
) -> None:
    before = rows("student", pupil("王子涵"))
    answer = put(
        lin,
        ZIHAN,
        {"name": "王紫涵", "id_number": id_number(2), "class_id": 2, "status": "graduated", "talent": "围棋"},
    )
    found = complaints(answer)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")
    assert "日常管理—关键数据变更申请" in found["name"]
    assert "日常管理—关键数据变更申请" in found["id_number"]
    assert "日常管理—学生调班" in found["class_id"]
    assert "日常管理—学籍异动申请" in found["status"]
    assert rows("student", pupil("王子涵")) == before


def test_what_the_program_settles_is_refused(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("student", pupil("王子涵"))
    sent = {
        "school_id": school(CHENGGUAN),
        "authority_code": "519922",
        "stage": "3",
        "name_key": "x",
        "name_initials": "x",
        "student_no": "G519921201403050021",
        "verification": "verified",
        "id": 99,
        "version": 99,
        "school": "城关初级中学",
    }
    answer = put(lin, ZIHAN, sent)
    assert answer.status_code == 422
    assert set(complaints(answer)) == set(sent)
    assert rows("student", pupil("王子涵")) == before


def test_a_new_pupil_cannot_begin_with_a_status_or_a_number(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("student")
    answer = lin.post(
        STUDENTS, json=new_pupil() | {"status": "enrolled", "student_no": "G519921201404041018"}
    )
    assert answer.status_code == 422
    assert set(complaints(answer)) == {"status", "student_no"}
    assert rows("student") == before


def test_school_fields_from_above_are_locked_for_the_school(lin: Client) -> None:
    answer = put(
        lin,
        f"/api/v1/schools/{school(YIZHONG)}",
        {"name": "青岚县第一高级中学", "office_phone": "0830-1234567"},
    )
    assert answer.status_code == 422
    assert "由主管部门下达" in complaints(answer)["name"]


def test_unknown_fields_are_each_named(lin: Client, rows: Callable[..., Any]) -> None:
    answer = put(lin, ZIHAN, {"foo": 1, "x" * 5_000: 2, "deleted_at": "2026-01-01", "\ud800": 3})
    assert answer.status_code == 422
    assert {"foo", "x" * 40, "deleted_at"} <= set(complaints(answer))
    assert len(answer.json["complaints"]) == 4
    assert rows("student", pupil("王子涵"))["version"] == 1


# --- new rows -----------------------------------------------------------------------------------------


def test_a_new_pupil_is_pending_and_answered_with_address_and_version(
    lin: Client, rows: Callable[..., Any]
) -> None:
    answer = lin.post(STUDENTS, json=new_pupil())
    assert answer.status_code == 201
    id_ = answer.json["id"]
    assert answer.headers["Location"].endswith(at(id_))
    assert answer.headers["ETag"] == '"1"'
    made = rows("student", id_)
    assert (made["status"].value, made["school_id"], made["authority_code"]) == (
        "pending",
        school(YIZHONG),
        cast.QINGLAN,
    )
    pupil_, guardian = (rows("audit_entry", rows("audit_entry") - n) for n in (1, 0))
    assert (pupil_["action"], pupil_["entity"], pupil_["row_id"], pupil_["actor_name"]) == (
        "create",
        "student",
        id_,
        "林老师",
    )
    assert (guardian["entity"], guardian["student_id"]) == ("family_member", id_)


def test_every_complaint_about_a_new_row_comes_at_once(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("student")
    answer = lin.post(STUDENTS, json={"name": "王😀", "born_on": "20261301", "distance_km": "很远"})
    found = complaints(answer)
    assert answer.status_code == 422
    assert {"name", "born_on", "distance_km", "gender", "grade_id", "phone", "address"} <= set(found)
    assert rows("student") == before


def test_links_to_rows_of_another_school_are_not_found(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("student")
    for name, value in (
        ("grade_id", grade(CHENGGUAN, 7)),
        ("class_id", class_of(SHIXI_ER, 7, 1)),
        ("grade_id", 10**17),
    ):
        answer = lin.post(STUDENTS, json=new_pupil(**{name: value}))
        assert answer.status_code == 422
        assert "没有找到" in complaints(answer)[name]
    assert rows("student") == before


def test_a_pupil_without_a_number_comes_with_a_relative_who_has_one(
    lin: Client, rows: Callable[..., Any]
) -> None:
    sent = new_pupil() | {"id_type": "Z", "id_number": None}
    father = {name: value for name, value in cast.GUARDIAN.items() if not name.startswith("id_")}
    refused = lin.post(STUDENTS, json=sent | {"family_member": [father]})
    assert refused.status_code == 422
    assert "家庭成员的身份证件号" in complaints(refused)[""]
    answer = lin.post(STUDENTS, json=sent | {"family_member": [cast.GUARDIAN]})
    assert answer.status_code == 201, answer.text
    made = lin.get(f"{FAMILY}?student_id={answer.json['id']}").json["result"]
    assert [one["name"] for one in made] == ["高建军"]


def test_faults_in_rows_sent_along_are_named_with_their_place(lin: Client, rows: Callable[..., Any]) -> None:
    students, members = rows("student"), rows("family_member")
    for sent in ("x", "", 0, False, {"name": "x"}, {}, [1], [[]], [{}] * 21):
        answer = lin.post(STUDENTS, json=new_pupil() | {"family_member": sent})
        assert answer.status_code == 422, sent
        assert "family_member" in complaints(answer)
    rest = {"relation": "51", "phone": "14000000077", "is_guardian": True}
    answer = lin.post(
        STUDENTS,
        json=new_pupil()
        | {"family_member": [{"name": "高建军"} | rest, {"name": "😀", "foo": 1, "student_id": 1} | rest]},
    )
    assert set(complaints(answer)) == {f"family_member-1-{name}" for name in ("name", "foo", "student_id")}
    assert (rows("student"), rows("family_member")) == (students, members)


def test_a_grade_and_a_class_are_added_in_the_own_school(lin: Client, rows: Callable[..., Any]) -> None:
    made = lin.post("/api/v1/grades/", json={"stage": "2", "entry_year": 2024, "level": 3})
    assert made.status_code == 201, made.text
    assert rows("grade", made.json["id"])["school_id"] == school(YIZHONG)
    new = lin.post(CLASSES, json={"grade_id": made.json["id"], "number": 1})
    assert new.json["result"]["grade"] == "九年级"


def test_a_row_cannot_be_put_into_another_school(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("campus")
    campus = {"name": "北校区", "area_code": "519921", "address": "青岚县北大街9号"}
    answer = lin.post("/api/v1/campuses/", json=campus | {"school_id": school(CHENGGUAN)})
    assert answer.status_code == 422
    assert "没有找到" in complaints(answer)["school_id"]
    assert rows("campus") == before


def test_the_authority_lifts_a_cap_and_the_school_does_not(lin: Client, login: Login) -> None:
    url = f"{CLASSES}{class_of(YIZHONG, 7, 1)}"
    assert "由主管部门下达" in complaints(put(lin, url, {"cap_lifted_to": 58}))["cap_lifted_to"]
    answer = put(login("sun"), url, {"cap_lifted_to": 58})
    assert (answer.status_code, answer.json["result"]["cap_lifted_to"]) == (200, 58)


def test_a_new_class_brings_no_lifted_cap_along(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("school_class")
    answer = lin.post(CLASSES, json={"grade_id": grade(YIZHONG, 7), "number": 5, "cap_lifted_to": 99})
    assert answer.status_code == 422
    assert "由主管部门下达" in complaints(answer)["cap_lifted_to"]
    assert rows("school_class") == before
    told = {one["name"]: one for one in lin.get(f"{CLASSES}_info").json["fields"]}["cap_lifted_to"]
    assert (told["on_add"], told["on_edit"]) == ("locked", "locked")


# --- rows inside a row --------------------------------------------------------------------------------


def mother(of: str = "欧阳若曦", **words: Any) -> dict[str, Any]:
    return {
        "student_id": pupil(of),
        "name": "张秀英",
        "relation": "52",
        "phone": "14000000088",
        "is_guardian": True,
    } | words


def test_a_family_member_says_whose_it_is_and_takes_the_place_from_there(
    lin: Client, rows: Callable[..., Any]
) -> None:
    answer = lin.post(FAMILY, json=mother())
    assert answer.status_code == 201, answer.text
    made = rows("family_member", answer.json["id"])
    assert (made["student_id"], made["school_id"], made["authority_code"]) == (
        pupil("欧阳若曦"),
        school(YIZHONG),
        cast.QINGLAN,
    )


def test_a_family_member_of_another_schools_pupil_is_not_found(
    lin: Client, login: Login, rows: Callable[..., Any]
) -> None:
    before = rows("family_member")
    for client, of in ((lin, "吴佳怡"), (login("zhou"), "陈思远"), (login("wang"), "欧阳若曦")):
        answer = client.post(FAMILY, json=mother(of))
        assert answer.status_code == 422
        assert "没有找到" in complaints(answer)["student_id"]
    for sent in (mother(student_id=None), {n: v for n, v in mother().items() if n != "student_id"}):
        assert complaints(lin.post(FAMILY, json=sent)).keys() == {"student_id"}
    assert rows("family_member") == before


def test_a_family_member_does_not_move_to_another_pupil(lin: Client, rows: Callable[..., Any]) -> None:
    answer = put(lin, f"{FAMILY}1", {"student_id": pupil("欧阳若曦")})
    assert answer.status_code == 422
    assert set(complaints(answer)) == {"student_id"}
    assert rows("family_member", 1)["student_id"] == pupil("王子涵")


def test_what_a_family_must_be_together_holds_for_its_single_rows(
    lin: Client, rows: Callable[..., Any]
) -> None:
    url = f"{FAMILY}{relative('欧阳明')}"
    assert "监护人" in complaints(put(lin, url, {"is_guardian": False}))[""]
    assert "没有家庭成员" in complaints(lin.delete(url, headers=tagged(lin, url)))[""]
    assert lin.post(FAMILY, json=mother(is_guardian=False)).status_code == 201
    assert "监护人" in complaints(lin.delete(url, headers=tagged(lin, url)))[""]
    assert rows("family_member", relative("欧阳明"))["is_guardian"] is True


def test_a_new_pupil_brings_a_guardian(
    app: Flask, lin: Client, login: Login, rows: Callable[..., Any]
) -> None:
    """Whoever may not add family members is not asked for one."""
    before, sent = rows("student"), new_pupil()
    del sent["family_member"]
    for family in ({}, {"family_member": []}, {"family_member": [cast.GUARDIAN | {"is_guardian": False}]}):
        answer = lin.post(STUDENTS, json=sent | family)
        assert answer.status_code == 422
        assert "监护人" in complaints(answer)[""]
    assert rows("student") == before
    take_right(app, "lin", "can_add", "family_member")
    assert login("lin").post(STUDENTS, json=sent).status_code == 201


def test_who_may_not_see_the_family_is_not_asked_about_it(app: Flask, lin: Client, login: Login) -> None:
    made = lin.post(STUDENTS, json=new_pupil() | {"id_type": "Z", "id_number": None})
    for right in ("can_list", "can_show"):
        take_right(app, "lin", right, "family_member")
    assert put(login("lin"), at(made.json["id"]), {"talent": "围棋"}).status_code == 200


# --- deletion -----------------------------------------------------------------------------------------


def test_a_draft_goes_to_the_recycle_bin(
    lin: Client, rows: Callable[..., Any], last_audit: Callable[[], dict[str, Any]]
) -> None:
    answer = lin.delete(DRAFT, headers=tagged(lin, DRAFT))
    assert (answer.status_code, answer.data) == (204, b"")
    assert lin.get(DRAFT).status_code == 404
    assert rows("student", pupil("刘浩然"))["deleted_at"] is not None
    assert (last_audit()["action"], last_audit()["row_id"]) == ("delete", pupil("刘浩然"))


def test_a_pupil_is_not_deleted_and_the_procedure_is_named(lin: Client, rows: Callable[..., Any]) -> None:
    answer = lin.delete(ZIHAN, headers=tagged(lin, ZIHAN))
    assert (answer.status_code, answer.json["error"]) == (422, "invalid")
    assert "问题学籍处理" in answer.json["message"]
    assert rows("student", pupil("王子涵"))["deleted_at"] is None


def test_a_class_with_pupils_is_not_deleted(lin: Client) -> None:
    url = f"{CLASSES}{class_of(YIZHONG, 7, 1)}"
    answer = lin.delete(url, headers=tagged(lin, url))
    assert answer.status_code == 422
    assert "调班" in answer.json["message"]


def test_a_stale_version_does_not_delete(lin: Client, rows: Callable[..., Any]) -> None:
    answer = lin.delete(DRAFT, headers={"If-Match": '"7"'})
    assert (answer.status_code, answer.headers["ETag"]) == (412, '"1"')
    assert rows("student", pupil("刘浩然"))["deleted_at"] is None


# --- exact numbers ------------------------------------------------------------------------------------


def test_a_number_finds_its_pupil_and_stands_in_no_address(lin: Client, login: Login) -> None:
    id_ = pupil("王子涵")
    for number in (id_number(id_), student_no(id_), f" {id_number(id_).lower()} "):
        page = lin.post(f"{STUDENTS}search", json={"number": number}).json
        assert (page["ids"], page["count"], page["next"]) == ([id_], 1, None)
        assert page["result"][0]["id_number"] == "5****************X"
    assert login("wang").post(f"{STUDENTS}search", json={"number": id_number(id_)}).json["ids"] == []


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"number": 1},
        {"number": ""},
        {"number": "王子涵"},
        {"number": "1" * 51},
        {"number": "5\0"},
        {"number": ["5"]},
        {"number": "51992120140305002X", "more": 1},
    ],
)
def test_the_search_takes_a_number_and_nothing_else(lin: Client, sent: dict[str, Any]) -> None:
    answer = lin.post(f"{STUDENTS}search", json=sent)
    assert answer.status_code == 422
    assert set(complaints(answer)) == {"number"}


def test_only_entities_with_personal_numbers_have_the_search(lin: Client) -> None:
    assert lin.post("/api/v1/classes/search", json={"number": "51992120140305002X"}).status_code in (404, 405)


# --- what a program may ask about the resource --------------------------------------------------------


def test_the_info_tells_fields_options_locks_filters_and_sorts(lin: Client) -> None:
    told = lin.get(f"{STUDENTS}_info").json
    fields = {one["name"]: one for one in told["fields"]}
    assert told["actions"] == ["list", "show", "add", "edit", "delete", "reveal"]
    assert {"value": "1", "label": "男"}.items() <= fields["gender"]["options"][0].items()
    assert (fields["name"]["required"], fields["name"]["on_add"], fields["name"]["on_edit"]) == (
        True,
        "open",
        "locked",
    )
    assert "关键数据变更申请" in fields["name"]["locked"]
    assert (fields["student_no"]["on_add"], fields["student_no"]["masked"]) == ("locked", True)
    assert (fields["address"]["on_edit"], fields["address"]["max_length"]) == ("open", 100)
    assert (fields["class_id"]["target"], fields["class_id"]["lookup"]) == (CLASSES, "/lookup/school_class")
    filters = {one["name"]: one for one in told["filters"]}
    assert filters["born_on"]["parameters"] == ["born_on", "born_on__from", "born_on__to"]
    assert not {"phone", "id_number", "student_no"} & set(filters)
    assert "-name" in told["sorts"]


def test_every_filter_the_info_names_is_taken(lin: Client) -> None:
    for path in ("students", "classes", "grades", "stays", "changes", "audit", "evidence-files"):
        for one in lin.get(f"/api/v1/{path}/_info").json["filters"]:
            for name in one["parameters"]:
                assert lin.get(f"/api/v1/{path}/?{name}=").status_code == 200, (path, name)


def test_an_audit_row_opens_by_rest_for_whoever_has_it_in_the_list(app: Flask, login: Login) -> None:
    """A pupil who came from another school brought the lines of that school along."""
    from app.areas.students.models import Student
    from app.core import rights, saving, scope
    from app.core.authority import Authority
    from app.extensions import db

    by, moved = rights.system("tests"), pupil("吴佳怡")
    words = {"grade_id": grade(YIZHONG, 7), "class_id": class_of(YIZHONG, 7, 1)}
    with app.app_context():
        with scope.acting(db.session(), by), saving.work():
            saving.edit(db.session.get_one(Student, moved), words, by, authority=Authority("transfer"))
        db.session.remove()
    lin = login("lin")
    listed = lin.get("/api/v1/audit/?entity=student&size=200").json["ids"]
    found = [id_ for id_ in listed if lin.get(f"/api/v1/audit/{id_}").json["result"]["row_id"] == moved]
    assert len(found) == 2, "written at the other school, and here"
    assert {lin.get(f"/audit/show/{id_}").status_code for id_ in found} == {200}


# --- junk ---------------------------------------------------------------------------------------------

JUNK_BODIES = {
    "empty": b"",
    "no JSON": b"name=x",
    "half": b'{"talent": ',
    "list": b'[{"talent": "x"}]',
    "text": b'"talent"',
    "number": b"1",
    "null": b"null",
    "NaN": b'{"distance_km": NaN}',
    "Infinity": b'{"distance_km": -Infinity}',
    "beyond a float": b'{"distance_km": 1e999}',
    "5000 digits": b'{"distance_km": ' + b"9" * 5_000 + b"}",
    "5000 digits below": b'{"distance_km": -' + b"9" * 5_000 + b"}",
    "double": b'{"talent": "x", "talent": "y"}',
    "deep": b'{"talent": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not UTF-8": b'{"talent": "\xff\xfe"}',
    "latin": '{"talent": "é"}'.encode("latin-1"),
    "many names": json.dumps({f"f{n}": 1 for n in range(1_000)}).encode(),
}


@pytest.mark.parametrize("what", JUNK_BODIES)
@pytest.mark.parametrize("method", ["post", "put"])
def test_a_body_that_is_no_object_of_values_is_400(
    lin: Client, rows: Callable[..., Any], method: str, what: str
) -> None:
    before = rows("student"), rows("student", pupil("王子涵")), rows("audit_entry")
    answer = getattr(lin, method)(
        STUDENTS if method == "post" else ZIHAN,
        data=JUNK_BODIES[what],
        content_type="application/json",
        headers={"If-Match": '"1"'},
    )
    assert (answer.status_code, answer.json["error"]) == (400, "unreadable")
    assert answer.json["message"].endswith("。")
    assert (rows("student"), rows("student", pupil("王子涵")), rows("audit_entry")) == before


@pytest.mark.parametrize(
    ("size", "type_", "code"),
    [
        (10 * 2**20, "application/json", 413),
        (300_000, "application/json", 413),
        (10, "text/plain", 415),
        (10, "application/x-www-form-urlencoded", 415),
        (10 * 2**20, "multipart/form-data; boundary=x", 413),
    ],
)
def test_bodies_too_large_or_of_another_type_are_refused(
    lin: Client, rows: Callable[..., Any], size: int, type_: str, code: int
) -> None:
    before = rows("student")
    answer = lin.post(STUDENTS, data=b'{"name": "' + b"x" * size + b'"}', content_type=type_)
    assert answer.status_code == code
    assert answer.json["error"] == "unreadable"
    assert answer.json["message"].endswith("。")
    assert rows("student") == before


JUNK_VALUES = [
    *(
        ("talent", value)
        for value in (
            "=1+1",
            "@x",
            "+x",
            "-x",
            "😀",
            "a\0b",
            "\0",
            "\ud800",
            "\u202e",
            "9" * 5_000,
            [],
            {},
            ["x"],
            {"a": 1},
            True,
            1,
            1.5,
        )
    ),
    *(
        ("distance_km", value)
        for value in ("=1+1", "x", -1, 10**6, 10**17, 1.5, True, [1], {"a": 1}, "😀", "１e3", "9" * 5_000, "")
    ),
    *(("is_orphan", value) for value in ("maybe", 2, 1.0, [], {}, "\0", "😀")),
    *(("ethnicity", value) for value in ("no such", 1, True, [], {}, "\0", "=1+1", "9" * 5_000, "\ud800")),
    *(("entry_month", value) for value in ("2026", "202613", 202609, "\0", [], "=1+1", "9" * 5_000)),
    *(("photo_id", value) for value in (1, "x", -1, [], {}, True)),
    *(("phone", value) for value in ("x", 14000000001, "=1+1", "😀", "9" * 5_000, "\0")),
    *(("email", value) for value in ("x", "a@b", "=1+1", [], "\0@x.cn")),
]


@pytest.mark.parametrize(("name", "value"), JUNK_VALUES)
def test_a_value_of_the_wrong_kind_is_refused_at_its_field(
    lin: Client, rows: Callable[..., Any], name: str, value: object
) -> None:
    before = rows("student", pupil("王子涵")), rows("audit_entry")
    answer = put(lin, ZIHAN, {name: value, "address": "青岚县城关镇人民路2号"}, **{"If-Match": '"1"'})
    assert answer.status_code == 422, answer.text
    assert set(complaints(answer)) == {name}
    assert complaints(answer)[name].endswith("。")
    assert (rows("student", pupil("王子涵")), rows("audit_entry")) == before


def test_an_address_of_5000_digits_is_refused(lin: Client) -> None:
    answer = lin.get(f"{STUDENTS}{'9' * 5_000}")
    assert (answer.status_code in (404, 405), answer.json["error"]) == (True, "missing")


@pytest.mark.parametrize(
    "path", ["x", "1.5", "-1", "9" * 30, "1;DROP", "%00", "😀", "9223372036854775808", "0"]
)
def test_an_address_that_names_no_row_is_404(lin: Client, path: str) -> None:
    for method in ("get", "put", "delete"):
        answer = getattr(lin, method)(
            f"{STUDENTS}{path}", **({"json": {}, "headers": {"If-Match": '"1"'}} if method == "put" else {})
        )
        assert (answer.status_code, answer.json["error"]) == (404, "missing"), (method, path)


# --- cookies and tokens -------------------------------------------------------------------------------


def test_a_write_by_cookie_needs_the_form_token(lin: Client, rows: Callable[..., Any]) -> None:
    before = rows("student", pupil("王子涵")), rows("student")
    for method, url in (("post", STUDENTS), ("put", ZIHAN), ("delete", DRAFT), ("post", f"{STUDENTS}search")):
        answer = getattr(lin, method)(url, json={}, headers={"If-Match": '"1"'}, csrf=False)
        assert (answer.status_code, answer.json["error"]) == (400, "denied"), (method, url)
        assert "X-CSRFToken" in answer.json["message"]
    assert (rows("student", pupil("王子涵")), rows("student")) == before


def test_a_write_by_token_needs_none(anonymous: Client, rows: Callable[..., Any]) -> None:
    given = anonymous.post("/api/v1/security/login", json={"username": "lin", "password": cast.PASSWORD})
    bearer = {"Authorization": f"Bearer {given.json['access_token']}"}
    row = anonymous.get(ZIHAN, headers=bearer)
    assert_hides(row, pupil("王子涵"))
    answer = anonymous.put(
        ZIHAN, json={"talent": "围棋"}, headers={**bearer, "If-Match": row.headers["ETag"]}, csrf=False
    )
    assert answer.status_code == 200, answer.text
    assert rows("student", pupil("王子涵"))["talent"] == "围棋"


@pytest.mark.parametrize("token", ["x", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", ""])
def test_a_token_that_is_none_is_401_in_the_one_shape(anonymous: Client, token: str) -> None:
    answer = anonymous.get(STUDENTS, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json["error"], answer.json["complaints"]) == (401, "unauthorized", [])


# --- faults -------------------------------------------------------------------------------------------


def test_a_fault_is_answered_without_its_text(
    lin: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from app.surfaces import rest

    def fail(*args: Any) -> None:
        raise KeyError(id_number(1))

    monkeypatch.setattr(rest, "as_given", fail)
    answer = lin.get(ZIHAN)
    assert (answer.status_code, answer.json["error"]) == (500, "fault")
    assert id_number(1) not in answer.text
    assert id_number(1) not in caplog.text


def test_a_clash_in_the_database_becomes_a_sentence(lin: Client, rows: Callable[..., Any]) -> None:
    sent = {"grade_id": grade(YIZHONG, 7), "number": 2}
    before = rows("school_class")
    answer = lin.post(CLASSES, json=sent)
    assert answer.status_code == 422
    assert "UNIQUE" not in answer.text.upper()
    assert answer.json["message"].endswith("。")
    assert rows("school_class") == before
