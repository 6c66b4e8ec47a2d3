"""Two people edit one pupil's family, in the pupil's form and by REST: rows in a row are locked like the row itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests import cast
from tests.client import Client
from tests.flows import world
from tests.forms import Form

Login = Callable[[str], Client]
PUPIL, FATHER = cast.pupil("欧阳若曦"), cast.relative("欧阳明")
FORM, PUPIL_API = f"/students/edit/{PUPIL}", f"/api/v1/students/{PUPIL}"
FATHER_API = f"/api/v1/family-members/{FATHER}"
OURS, THEIRS, ADDRESS = "14011112222", "14033334444", "青岚县城关镇东街9号"
ROW = "family_member-0-"


@pytest.fixture
def two(login: Login) -> tuple[Client, Client]:
    """林老师, and the class teacher 小周 who has the form open first and saves last."""
    return login("lin"), login("zhou")


def opened(person: Client, **typed: str) -> dict[str, str]:
    """The form as a browser would send it back, with `typed` in it."""
    page = person.get(FORM).get_data(as_text=True)
    sent = {"version": _value(page, "version")}
    sent |= {ROW + name: _value(page, ROW + name) for name in ("id", "version")}
    return sent | typed


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}"[^>]*? value="([^"]*)"', page)
    assert found is not None, name
    return found[1]


def phone_of(app: Flask) -> str:
    return str(world.all_rows(app)["family_member", FATHER]["phone"])


def address_of(app: Flask) -> str:
    return str(world.all_rows(app)["student", PUPIL]["address"])


def by_rest(person: Client, url: str, **values: Any) -> TestResponse:
    return person.put(url, json=values, headers={"If-Match": person.get(url).headers["ETag"]})


def told(answer: TestResponse) -> str:
    """The page that says who was first. What was typed, and the versions to decide upon, stand in its form."""
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert re.search(r"林老师于\d{4}-\d\d-\d\d \d\d:\d\d修改过这条记录", page)
    return page


def test_a_row_changed_by_rest_meanwhile_is_not_overwritten_by_the_page(
    app: Flask, two: tuple[Client, Client]
) -> None:
    lin, zhou = two
    sent = opened(zhou, address=ADDRESS, **{ROW + "phone": OURS})
    assert by_rest(lin, FATHER_API, phone=THEIRS).status_code == 200
    page = told(zhou.post(FORM, data=sent))
    assert _value(page, ROW + "phone") == OURS, "what was typed is kept"
    assert _value(page, "address") == ADDRESS
    assert (phone_of(app), address_of(app)) == (THEIRS, world.PLAIN["address"]), "nothing is half saved"


def test_a_row_changed_by_page_meanwhile_is_not_overwritten_by_the_page(
    app: Flask, two: tuple[Client, Client]
) -> None:
    lin, zhou = two
    sent = opened(zhou, **{ROW + "phone": OURS})
    assert lin.post(FORM, data=opened(lin, **{ROW + "phone": THEIRS})).status_code == 302
    told(zhou.post(FORM, data=sent))
    assert phone_of(app) == THEIRS


def test_a_row_changed_by_page_meanwhile_is_not_overwritten_by_rest(
    app: Flask, two: tuple[Client, Client]
) -> None:
    lin, zhou = two
    tag = zhou.get(FATHER_API).headers["ETag"]
    assert lin.post(FORM, data=opened(lin, **{ROW + "phone": THEIRS})).status_code == 302
    answer = zhou.put(FATHER_API, json={"phone": OURS}, headers={"If-Match": tag})
    assert answer.status_code == 412
    assert "林老师于" in answer.json["message"]
    assert answer.json["current"]["phone"] == "140****4444"
    assert phone_of(app) == THEIRS


def test_the_comparison_is_about_the_row_and_not_about_the_pupil(two: tuple[Client, Client]) -> None:
    """Both have a phone and an address. What is compared is the father's."""
    lin, zhou = two
    sent = opened(zhou, address=ADDRESS, **{ROW + "workplace": "澜川市邮政局"})
    assert by_rest(lin, FATHER_API, workplace="青岚县气象站").status_code == 200
    lines = compared(told(zhou.post(FORM, data=sent)))
    assert list(lines) == ["家庭成员或监护人“欧阳明”：工作单位"]
    assert lines["家庭成员或监护人“欧阳明”：工作单位"] == ["青岚县气象站", "澜川市邮政局"]


def test_pupil_and_row_changed_together_are_both_compared(app: Flask, two: tuple[Client, Client]) -> None:
    """Being told of one must not hide the other: the next save knows the versions of both."""
    lin, zhou = two
    sent = opened(zhou, address=ADDRESS, **{ROW + "workplace": "澜川市邮政局"})
    changed = {"address": "青岚县城关镇西街1号", ROW + "workplace": "青岚县气象站"}
    assert lin.post(FORM, data=opened(lin, **changed)).status_code == 302
    page = told(zhou.post(FORM, data=sent))
    assert set(compared(page)) == {"现住址", "家庭成员或监护人“欧阳明”：工作单位"}
    assert _value(page, ROW + "workplace") == "澜川市邮政局"
    assert _value(page, ROW + "id") == str(FATHER), "the row is still in the form"
    again = Form(page).values | {ROW + "workplace": "澜川市邮政局"}
    assert zhou.post(FORM, data=again).status_code == 409, "both changed it: somebody has to decide"
    assert (
        zhou.post(
            FORM, data=again | {ROW + "workplace__choice": "mine", "address__choice": "theirs"}
        ).status_code
        == 302
    )
    rows = world.all_rows(app)
    assert rows["family_member", FATHER]["workplace"] == "澜川市邮政局"
    assert rows["student", PUPIL]["address"] == "青岚县城关镇西街1号"


def compared(page: str) -> dict[str, list[str]]:
    """Label → what it was (a column that is left out where it was always empty), what it is, what was typed."""
    block = page.partition('class="panel conflict"')[2].partition("</section>")[0]
    rows = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', block, re.DOTALL)
    return {
        label: [re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells)]
        for label, cells in rows
    }


def test_a_pupil_changed_meanwhile_loses_no_row_that_was_typed(
    app: Flask, two: tuple[Client, Client]
) -> None:
    """A new grandmother is on the page when the pupil turns out to have been changed."""
    lin, zhou = two
    mother = {"name": "陈秀英", "relation": "61", "phone": OURS, "is_guardian": "0"}
    sent = opened(zhou, **{f"family_member-1-{name}": value for name, value in mother.items()})
    assert by_rest(lin, PUPIL_API, address=ADDRESS).status_code == 200
    page = told(zhou.post(FORM, data=sent))
    assert "陈秀英" in page
    assert zhou.post(FORM, data=Form(page).values).status_code == 302
    assert "陈秀英" in {row.get("name") for row in world.all_rows(app).values()}


def test_a_row_deleted_meanwhile_keeps_what_was_typed_and_says_so(
    app: Flask, two: tuple[Client, Client]
) -> None:
    lin, zhou = two
    mother = {"name": "周丽", "relation": "52", "phone": OURS, "is_guardian": True, "student_id": PUPIL}
    made = lin.post("/api/v1/family-members/", json=mother)
    assert made.status_code == 201, made.json
    sent = opened(zhou, **{ROW + "workplace": "澜川市邮政局"})
    gone = lin.delete(FATHER_API, headers={"If-Match": lin.get(FATHER_API).headers["ETag"]})
    assert gone.status_code == 204
    answer = zhou.post(FORM, data=sent)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "已被其他人删除" in page
    assert "澜川市邮政局" in page
    assert ("family_member", FATHER) not in world.all_rows(app), "nobody brings it back unasked"


def test_a_row_without_its_version_is_not_written(app: Flask, two: tuple[Client, Client]) -> None:
    """A form that names no version cannot know what it overwrites."""
    _lin, zhou = two
    before = phone_of(app)
    for version in (None, "", "x", "9" * 30):
        sent = opened(zhou, **{ROW + "phone": OURS})
        sent = {name: value for name, value in sent.items() if name != ROW + "version"}
        answer = zhou.post(FORM, data=sent if version is None else sent | {ROW + "version": version})
        assert answer.status_code in (409, 422)
    assert phone_of(app) == before


def test_a_row_is_not_removed_by_whoever_did_not_see_it_change(app: Flask, login: Login) -> None:
    first, second = login("lin"), login("lin")
    sent = opened(second, **{ROW + "gone": "1"})
    assert by_rest(first, FATHER_API, phone=THEIRS).status_code == 200
    told(second.post(FORM, data=sent))
    assert phone_of(app) == THEIRS


def test_two_people_may_each_add_a_row(app: Flask, two: tuple[Client, Client]) -> None:
    lin, zhou = two
    for person, name, relation in ((lin, "周丽", "52"), (zhou, "陈秀英", "61")):
        row = {"name": name, "relation": relation, "phone": OURS, "is_guardian": "1"}
        sent = opened(person) | {f"family_member-1-{word}": value for word, value in row.items()}
        assert person.post(FORM, data=sent).status_code == 302
    names = {
        row["name"]
        for key, row in world.all_rows(app).items()
        if key[0] == "family_member" and row["student_id"] == PUPIL
    }
    assert names == {"欧阳明", "周丽", "陈秀英"}


def test_a_row_deleted_while_the_pupil_was_changed_is_told_as_well(
    app: Flask, two: tuple[Client, Client]
) -> None:
    lin, zhou = two
    mother = {"name": "周丽", "relation": "52", "phone": OURS, "is_guardian": True, "student_id": PUPIL}
    assert lin.post("/api/v1/family-members/", json=mother).status_code == 201
    sent = opened(zhou, **{ROW + "workplace": "澜川市邮政局"})
    assert (
        lin.delete(FATHER_API, headers={"If-Match": lin.get(FATHER_API).headers["ETag"]}).status_code == 204
    )
    assert by_rest(lin, PUPIL_API, address=ADDRESS).status_code == 200
    page = told(zhou.post(FORM, data=sent))
    assert "已被其他人删除" in page
    assert "澜川市邮政局" in page


@pytest.mark.parametrize(
    "name", ["family_member-0-nothing", "family_member-x-phone", "family_member-0", "family_member-0000-name"]
)
def test_a_row_takes_no_name_that_it_does_not_have(app: Flask, two: tuple[Client, Client], name: str) -> None:
    answer = two[1].post(FORM, data=opened(two[1]) | {name: "1"})
    assert answer.status_code == 422
    assert f"没有“{name}”这一项" in answer.get_data(as_text=True)


def test_more_rows_than_a_form_takes_are_refused_and_kept(app: Flask, two: tuple[Client, Client]) -> None:
    rows = {f"family_member-{n}-name": f"家人{n}" for n in range(1, 22)}
    answer = two[1].post(FORM, data=opened(two[1]) | rows)
    assert answer.status_code == 422
    assert "最多20行" in answer.get_data(as_text=True)
    assert "家人21" in answer.get_data(as_text=True)
