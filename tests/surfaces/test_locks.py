"""Why a field is greyed: said whole at the head of its section, once for all fields of one reason, and by each of them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import cast
from tests.cast import YIZHONG
from tests.client import Client
from tests.forms import opened

Login = Callable[..., Client]
Limit = Callable[..., None]
PUPIL = cast.pupil("欧阳若曦")
FORM = f"/students/edit/{PUPIL}"
KEY_DATA = (
    "“姓名”“性别”“出生日期”“身份证件类型”“身份证件号”属于关键数据，不能直接修改。"
    "请到“日常管理—关键数据变更申请”办理，并上传身份证或户口簿图片。"
)
SEAT = "“年级”“班级”不能直接修改。请到“日常管理—学生调班”办理。"
CSS = Path(__file__).parents[2] / "app" / "static" / "app.css"


def parts(page: str) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Of each section of the form its text, the sentences at its head by id, and the greyed inputs with what they point at."""
    for part in re.split(r'(?=<section class="panel)', page)[1:]:
        part = part.partition("</section>")[0]
        notes = dict(re.findall(r'<p class="lock-note" id="([\w-]+)">.*?<span>(.*?)</span></p>', part))
        greyed = re.findall(
            r'<input class="form-control is-locked" id="f-([\w-]+)"[^>]* aria-describedby="([\w-]+)', part
        )
        yield part, {id_: html.unescape(text) for id_, text in notes.items()}, dict(greyed)


def said(page: str) -> list[str]:
    return [sentence for _part, notes, _greyed in parts(page) for sentence in notes.values()]


def assert_each_greyed_input_is_told_of(page: str) -> None:
    ids = [id_ for _part, notes, _greyed in parts(page) for id_ in notes]
    assert len(ids) == len(set(ids)) > 0
    for part, notes, greyed in parts(page):
        assert set(greyed.values()) == set(notes)
        assert len(set(notes.values())) == len(notes)
        assert part.count("lock-mark") == len(greyed) == part.count("is-locked")
        assert not notes or part.index("lock-note") < part.index('class="field')
        for name, id_ in greyed.items():
            label = re.search(rf'<label class="form-label" for="f-{name}">(.*?)</label>', part)
            assert label is not None
            assert label[1] in notes[id_], name


def test_fields_greyed_for_one_reason_share_one_whole_sentence(login: Login) -> None:
    page = login("lin").get(FORM).text
    assert said(page)[:2] == [KEY_DATA, SEAT]
    assert_each_greyed_input_is_told_of(page)


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("lin", f"/schools/edit/{cast.school(YIZHONG)}"),
        ("lin", f"/classes/edit/{cast.class_of(YIZHONG, 7, 1)}"),
        ("lin", FORM),
        ("zhou", FORM),
    ],
)
def test_every_form_tells_of_each_field_it_greys(login: Login, who: str, path: str) -> None:
    answer = login(who).get(path)
    assert answer.status_code == 200
    assert_each_greyed_input_is_told_of(answer.text)


def test_pages_that_are_no_entitys_say_their_sentence_alike(login: Login) -> None:
    page = login("lin").get("/account/edit").text
    assert said(page) == ["姓名用于操作记录的署名，由管理员修改。"]
    assert_each_greyed_input_is_told_of(page)


def test_the_sentences_stand_where_a_form_was_refused_and_where_two_people_met(login: Login) -> None:
    lin, zhou = login("lin"), login("zhou")
    begun = opened(zhou, FORM).values
    assert lin.post(FORM, data=opened(lin, FORM).values | {"address": "澜江路9号"}).status_code == 302
    met = zhou.post(FORM, data=begun | {"address": "澜江路7号"})
    refused = lin.post(FORM, data=opened(lin, FORM).values | {"post_code": "1"})
    assert (met.status_code, refused.status_code) == (409, 422)
    for answer in (met, refused):
        assert said(answer.text)[:2] == [KEY_DATA, SEAT]
        assert_each_greyed_input_is_told_of(answer.text)


def test_whoever_reads_english_reads_one_english_sentence(login: Login) -> None:
    lin = login("lin")
    lin.set_cookie("language", "en")
    page = lin.get(FORM).text
    assert said(page)[1] == (
        "“Grade”, “Class” cannot be edited directly. Please go to “Daily work, Class transfers”."
    )
    assert_each_greyed_input_is_told_of(page)


def test_what_a_role_withholds_is_named_with_its_fields_in_rows_as_well(login: Login, limit: Limit) -> None:
    """Twice for the pupil, in two sections; once for all rows of the family."""
    names = ("student:phone", "student:email", "student:talent", "family_member:phone", "family_member:name")
    limit("lin", "clerk", *(f"{name}:lock" for name in names))
    page = login("lin").get(FORM).text
    withheld = [one for one in said(page) if "权限" in one]
    assert [re.findall("“[^权]*”的权限", one)[0] for one in withheld] == [
        "“修改“学生”的“特长””的权限",
        "“修改“学生”的“联系电话”“电子信箱””的权限",
        "“修改“家庭成员或监护人”的“姓名”“联系电话””的权限",
    ]
    assert_each_greyed_input_is_told_of(page)


def test_no_style_cuts_a_sentence() -> None:
    assert "line-clamp" not in CSS.read_text(encoding="utf-8")
