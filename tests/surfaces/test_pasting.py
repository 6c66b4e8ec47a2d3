"""Many names or numbers pasted at once: exactly those rows, what was not found by name, nothing of it in an address."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.core.errors import Invalid
from app.surfaces import pasting
from tests import cast
from tests.client import Client

Login = Callable[..., Client]
FIND = "/lists/find/students"


def paste(client: Client, *lines: str, **words: str) -> TestResponse:
    return client.post(FIND, data={"pasted": "\r\n".join(lines), **words})


def names_on(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.status
    return re.findall(r'<th scope="row"[^>]*><a[^>]*>([^<]*)', answer.text)


def notes_on(answer: TestResponse) -> list[tuple[str, list[str]]]:
    """(sentence, what it names) above the rows."""
    found = re.findall(
        r'role="status"><svg.*?</svg><div><p>(.*?)</p>(.*?)</div></div>', answer.text, re.DOTALL
    )
    return [(says, re.findall(r"<li>(.*?)</li>", rest)) for says, rest in found]


def box_on(answer: TestResponse) -> str:
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


# --- what is found ------------------------------------------------------------------------------------


def test_names_and_numbers_find_exactly_those_and_the_rest_is_named(login: Login) -> None:
    number, card = str(cast.student_no(cast.pupil("张一鸣"))), cast.id_number(cast.pupil("周小雨"))
    answer = paste(
        login("lin"), "李思琪", number, "赵六六", card, "欧阳若曦", "钱七七", "G51990120000101999X"
    )
    assert set(names_on(answer)) == {"李思琪", "张一鸣", "周小雨", "欧阳若曦"}
    assert notes_on(answer) == [
        (
            "有3个没有找到。请核对是否写错；不在您管理范围内的也查不到。",
            ["赵六六", "钱七七", "G51990120000101999X"],
        )
    ]
    assert box_on(answer).split() == [
        "李思琪",
        number,
        "赵六六",
        card,
        "欧阳若曦",
        "钱七七",
        "G51990120000101999X",
    ]


def test_a_part_of_a_name_finds_nobody(login: Login) -> None:
    answer = paste(login("lin"), "思琪", "lsq")
    assert names_on(answer) == []
    assert notes_on(answer)[0][1] == ["思琪", "lsq"]


def test_a_row_of_a_spreadsheet_is_read_cell_by_cell(login: Login) -> None:
    answer = paste(login("lin"), " '李思琪\t欧阳若曦 ", "", "李思琪")
    assert set(names_on(answer)) == {"李思琪", "欧阳若曦"}
    assert notes_on(answer) == [("全部找到。", [])]


def test_namesakes_are_all_listed_and_named(login: Login, app: Flask) -> None:
    twice = [one.name for one in cast.PUPILS if one.at[0] == cast.YIZHONG]
    name = next(one for one in twice if twice.count(one) > 1)
    answer = paste(login("lin"), name)
    assert names_on(answer) == [name] * twice.count(name)
    assert notes_on(answer)[0][1] == [f"{name}（{twice.count(name)}条）"]


def test_what_can_be_done_with_a_list_can_be_done_with_these(login: Login) -> None:
    page = paste(login("lin"), "李思琪").text
    assert re.search(r'<a class="[^"]*" href="/students/add">', page)
    assert f"found={cast.pupil('李思琪')}" in page
    assert 'href="/students/add"' not in paste(login("chen"), "李思琪", site="bureau").text


def test_no_number_stands_in_an_address(login: Login) -> None:
    number = str(cast.student_no(cast.pupil("张一鸣")))
    answer = paste(login("lin"), number)
    addresses = re.findall(r'(?:href|action)="([^"]*)"', answer.text)
    assert any("found=" in one for one in addresses)
    assert not any(number in one or "%E5" in one for one in addresses)
    assert answer.text.count(number) == 1, "in the box alone: the list masks it"


# --- what is seen -------------------------------------------------------------------------------------


def test_pupils_of_another_school_are_told_like_pupils_who_do_not_exist(login: Login) -> None:
    number = str(cast.student_no(cast.pupil("李思琪")))
    answer = paste(login("wang"), "李思琪", number, "无此人", "G51990120000101999X")
    assert names_on(answer) == []
    assert notes_on(answer)[0][1] == ["李思琪", number, "无此人", "G51990120000101999X"]


def test_a_hidden_id_number_finds_nobody(login: Login, limit: Callable[..., None]) -> None:
    card = cast.id_number(cast.pupil("周小雨"))
    assert names_on(paste(login("lin"), card)) == ["周小雨"]
    limit("lin", "clerk", "student:id_number:hide")
    assert notes_on(paste(login("lin"), card))[0][1] == [card]


def test_the_bureau_finds_on_its_own_site(login: Login) -> None:
    answer = paste(login("chen"), "李思琪", site="bureau")
    assert names_on(answer) == ["李思琪"]
    assert re.search(r'<th scope="row"[^>]*><a href="/bureau/students/show/', answer.text)
    assert 'name="site" value="bureau"' in answer.text


def test_nobody_of_a_school_comes_to_the_bureaus_site_this_way(login: Login) -> None:
    assert "/bureau/" not in paste(login("lin"), "李思琪", site="bureau").text


def test_who_may_not_list_pupils_may_not_find_them(login: Login) -> None:
    assert paste(login("li"), "李思琪").status_code == 403
    assert login("lin").post("/lists/find/nothing", data={"pasted": "1"}).status_code == 404
    assert login("lin").post("/lists/find/audit-log", data={"pasted": "1"}).status_code in (403, 404)


def test_every_list_with_a_search_has_the_box(login: Login) -> None:
    answer = login("lin").post("/lists/find/schools", data={"pasted": f"{cast.YIZHONG}\n无此校"})
    assert len(names_on(answer)) == 1
    assert f">{cast.YIZHONG}<" in answer.text
    assert notes_on(answer)[0][1] == ["无此校"]


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "请粘贴要查找的姓名或号码，每行一个。"),
        (" \n\t,，\n", "请粘贴要查找的姓名或号码，每行一个。"),
        ("\n".join(f"甲{n}" for n in range(201)), "一次最多查找200个，现有201个。请分几次查找。"),
        ("王\0子涵", "“王子涵”不是姓名或号码。请删去后再查。"),
        ("王" * 61, "“王王王王王王王王王王王王王王王王王王王王”不是姓名或号码。请删去后再查。"),
        ("王\n" * 20_001, "粘贴的内容太长。请分几次查找，每次最多200个。"),
    ],
    ids=["nothing", "blanks", "too many", "NUL", "too long a name", "huge"],
)
def test_junk_is_told_and_stays_in_the_box(login: Login, text: str, says: str) -> None:
    answer = login("lin").post(FIND, data={"pasted": text, "size": "x", "nothing": "1"})
    assert answer.status_code == 422
    assert says in answer.text
    if "\0" not in text:
        assert box_on(answer).split() == text.replace("\0", "").split()


def test_too_many_namesakes_are_not_cut_off_in_silence(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pasting, "FOUND_MOST", 2)
    assert paste(login("lin"), "李思琪", "张一鸣").status_code == 200
    monkeypatch.setattr(pasting, "FOUND_MOST", 1)
    monkeypatch.setattr(pasting, "read", lambda text: text.split())
    answer = paste(login("lin"), "李思琪", "张一鸣")
    assert answer.status_code == 422
    assert "同名的太多，一次最多列出1条记录。请改用号码查找，或减少姓名。" in answer.text


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_read_or_refused(text: str) -> None:
    try:
        typed = pasting.read(text)
    except Invalid:
        return
    assert typed
    assert len(typed) == len(set(typed))
    assert all(part in text and part == part.strip() for part in typed)
