"""The page of a conflict: base, theirs and mine, field by field, and what is chosen is what is saved."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask

from tests import cast
from tests.client import Client
from tests.flows import world
from tests.forms import Form, opened

Login = Callable[[str], Client]
PUPIL, FATHER = cast.pupil("欧阳若曦"), cast.relative("欧阳明")
FORM, ROW = f"/students/edit/{PUPIL}", "family_member-0-"
THEIR_PHONE, THEIR_PLACE = "14033334444", "青岚县气象站"


@pytest.fixture
def zhou(login: Login) -> Client:
    return login("zhou")


@pytest.fixture
def phone(app: Flask) -> str:
    """The pupil's, as it was before."""
    return str(pupil(app)["phone"])


@pytest.fixture
def met(login: Login, zhou: Client, phone: str) -> str:
    """小周 opened first and saved last; meanwhile 林老师 changed both addresses, the phone and the father's workplace."""
    mine = opened(zhou, FORM).values | {"address": "小周的地址", "talent": "书法"}
    theirs = {
        "address": "林老师的地址",
        "phone": THEIR_PHONE,
        "post_code": "646001",
        ROW + "workplace": THEIR_PLACE,
    }
    lin = login("lin")
    assert lin.post(FORM, data=opened(lin, FORM).values | theirs).status_code == 302
    answer = zhou.post(FORM, data=mine)
    assert answer.status_code == 409
    return answer.text


def pupil(app: Flask) -> dict[str, object]:
    return world.all_rows(app)["student", PUPIL]


def father(app: Flask) -> dict[str, object]:
    return world.all_rows(app)["family_member", FATHER]


def test_what_only_one_changed_is_chosen_already(met: str) -> None:
    values = Form(met).values
    chosen = {name: side for name, side in values.items() if name.endswith("__choice")}
    assert chosen == {
        "talent__choice": "mine",
        "phone__choice": "theirs",
        "post_code__choice": "theirs",
        ROW + "workplace__choice": "theirs",
    }
    assert 'name="address__choice"' in met
    assert (values["address"], values["post_code"]) == ("小周的地址", "646001")


def test_nothing_is_saved_until_both_sides_changes_are_decided(app: Flask, zhou: Client, met: str) -> None:
    values = Form(met).values
    answer = zhou.post(FORM, data=values)
    assert answer.status_code == 409
    assert "还有1项没有选择。" in answer.text
    assert pupil(app)["address"] == "林老师的地址"
    for junk in ("", "both", "x" * 5000):
        assert zhou.post(FORM, data=values | {"address__choice": junk}).status_code == 409


@pytest.mark.parametrize(("side", "address"), [("theirs", "林老师的地址"), ("mine", "小周的地址")])
def test_each_side_can_be_kept(app: Flask, zhou: Client, met: str, side: str, address: str) -> None:
    assert zhou.post(FORM, data=Form(met).values | {"address__choice": side}).status_code == 302
    found = pupil(app)
    assert (found["address"], found["talent"], found["phone"]) == (address, "书法", THEIR_PHONE)
    assert father(app)["workplace"] == THEIR_PLACE


def test_what_the_other_changed_can_be_put_back_behind_its_mask_too(
    app: Flask, zhou: Client, phone: str, met: str
) -> None:
    choices = {"address__choice": "theirs", "phone__choice": "before", ROW + "workplace__choice": "before"}
    assert zhou.post(FORM, data=Form(met).values | choices).status_code == 302
    assert pupil(app)["phone"] == phone
    assert father(app)["workplace"] is None
    assert THEIR_PHONE not in met
    assert phone not in met


def test_a_third_value_may_be_typed(app: Flask, zhou: Client, met: str) -> None:
    third = {"address": "商量后的地址", "address__choice": "mine"}
    assert zhou.post(FORM, data=Form(met).values | third).status_code == 302
    assert pupil(app)["address"] == "商量后的地址"


def test_what_the_other_wrote_may_be_typed_by_hand(app: Flask, zhou: Client, met: str) -> None:
    """It is what was typed that counts then, not what stood there before the two."""
    typed = {"address": "林老师的地址", "address__choice": "mine"}
    assert zhou.post(FORM, data=Form(met).values | typed).status_code == 302
    assert pupil(app)["address"] == "林老师的地址"


def test_numbers_that_look_alike_behind_the_mask_are_both_changed(
    app: Flask, login: Login, zhou: Client, phone: str
) -> None:
    theirs, mine = phone[:3] + "5555" + phone[7:], phone[:3] + "6666" + phone[7:]
    begun, lin = opened(zhou, FORM).values | {"phone": mine}, login("lin")
    assert lin.post(FORM, data=opened(lin, FORM).values | {"phone": theirs}).status_code == 302
    answer = zhou.post(FORM, data=begun)
    assert 'name="phone__choice"' in answer.text
    assert "phone__choice" not in Form(answer.text).values
    assert zhou.post(FORM, data=Form(answer.text).values).status_code == 409
    assert pupil(app)["phone"] == theirs


def test_choices_stay_on_the_page_when_something_else_is_refused(
    app: Flask, zhou: Client, phone: str, met: str
) -> None:
    refused = {
        "address__choice": "theirs",
        "post_code": "1",
        "post_code__choice": "mine",
        "phone__choice": "before",
    }
    answer = zhou.post(FORM, data=Form(met).values | refused)
    assert answer.status_code == 422
    assert "邮政编码应为6位数字。" in answer.text
    values = Form(answer.text).values
    assert (values["address__choice"], values["phone__choice"]) == ("theirs", "before")
    assert zhou.post(FORM, data=values | {"post_code": "646002"}).status_code == 302
    found = pupil(app)
    assert (found["address"], found["post_code"]) == ("林老师的地址", "646002")
    assert found["phone"] == phone


def test_whoever_saves_once_more_meanwhile_is_compared_once_more(
    app: Flask, zhou: Client, login: Login, met: str
) -> None:
    lin = login("lin")
    again = opened(lin, FORM).values | {"address": "林老师又改的"}
    assert lin.post(FORM, data=again).status_code == 302
    answer = zhou.post(FORM, data=Form(met).values | {"address__choice": "mine"})
    assert answer.status_code == 409
    assert "林老师又改的" in answer.text
    assert pupil(app)["address"] == "林老师又改的"
    assert zhou.post(FORM, data=Form(answer.text).values).status_code == 302
    assert pupil(app)["address"] == "小周的地址"


def test_locked_fields_are_no_choice(met: str) -> None:
    assert not re.search(r'name="(name|id_number|grade_id|class_id)__choice"', met)
