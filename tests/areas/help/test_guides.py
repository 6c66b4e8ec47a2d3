"""The guides: what they name is there, each person finds his own first, and 帮助 leads from a page to its section."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.areas.help import guides
from app.areas.help.guides import READERS
from tests import cast
from tests.client import Client

Login = Callable[..., Client]
ROOT = Path(__file__).resolve().parents[3]
SOURCES = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("app", "seeds")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".html", ".csv")
)


def text_of(key: str) -> str:
    return (guides.DOCS / f"guide-{key}.md").read_text(encoding="utf-8")


# --- what stands in them ------------------------------------------------------------------------------


def test_each_guide_has_its_readers() -> None:
    assert {path.stem.removeprefix("guide-") for path in guides.DOCS.glob("guide-*.md")} == set(READERS)


@pytest.mark.parametrize("key", READERS)
def test_what_is_set_in_bold_is_a_word_of_the_screen(key: str) -> None:
    bold = set(re.findall(r"\*\*(.+?)\*\*", text_of(key)))
    assert bold
    assert [word for word in sorted(bold) if word not in SOURCES] == []


@pytest.mark.parametrize("key", READERS)
def test_the_pages_of_a_section_exist(app: Flask, key: str) -> None:
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    pages = [page for section in guides.read(key).sections for page in section.pages]
    assert [page for page in pages if not any(rule.startswith(page) for rule in rules)] == []


@pytest.mark.parametrize("key", READERS)
def test_links_lead_to_a_section(key: str) -> None:
    for name, anchor in re.findall(r"\]\(guide-([\w-]+)\.md(?:#([^)]+))?\)", text_of(key)):
        anchors = [section.anchor for section in guides.read(name).sections]
        assert not anchor or anchor in anchors


@pytest.mark.parametrize("key", READERS)
def test_a_guide_has_no_html_of_its_own(key: str) -> None:
    assert re.sub(r"<!-- pages: [^>]+ -->", "", text_of(key)).count("<") == 0
    assert "pages:" not in guides.read(key).body


def test_html_in_a_text_does_not_reach_the_page() -> None:
    made = str(guides._page_of("# a\n\n<script>x</script>\n\nb <b>c</b> [d](javascript:e)\n"))
    assert "<script" not in made and "<b>" not in made and "javascript" not in made


# --- whom they are for --------------------------------------------------------------------------------

OWN = [
    ("li", "super-admin"),
    ("lin", "clerk"),
    ("zhou", "clerk"),
    ("zhao", "leader"),
    ("chen", "bureau-viewer"),
    ("sun", "bureau-viewer"),
    ("he", "bureau-admin"),
    ("ops", "everyone"),
]


@pytest.mark.parametrize(("username", "key"), OWN)
def test_the_own_guide_comes_first(session: Session, username: str, key: str) -> None:
    fit = guides.fit_for(cast.actor(session, username))
    assert fit[0].key == key
    assert fit[-1].key == "everyone"


SECTIONS = [  # (who, page, guide, section)
    ("lin", "/students/list/", "clerk", "找到一名学生"),
    ("lin", "/students/edit/12", "clerk", "修改地址、电话等普通项目"),
    ("zhao", "/students/show/12", "leader", "查看学生"),
    ("li", "/people/teachers/", "super-admin", "班主任安排"),
    ("li", "/people/show/3", "super-admin", "解锁、重置密码、停用"),
    ("li", "/account/", "everyone", "个人设置"),
    ("chen", "/bureau/students/show/12", "bureau-viewer", "逐级查看"),
    ("he", "/second-factor/", "bureau-admin", "规定两步登录"),
    ("lin", "/", "everyone", "首页"),
]


@pytest.mark.parametrize(("username", "path", "key", "title"), SECTIONS)
def test_help_leads_to_the_section_about_the_page(
    login: Login, username: str, path: str, key: str, title: str
) -> None:
    answer = login(username).get("/help/", query_string={"at": path})
    assert answer.status_code == 302
    assert unquote(answer.headers["Location"]) == f"/help/{key}#{guides.anchor_of(title)}"


@pytest.mark.parametrize("at", ["/terms/list/", "//evil.example/", "x", "/\x00", "/" + "a" * 3000])
def test_help_from_any_other_page_leads_to_all_guides(login: Login, at: str) -> None:
    answer = login("lin").get("/help/", query_string={"at": at})
    assert answer.status_code == 200
    titles = re.findall(r'<a href="/help/[\w-]+">([^<]+)</a></h2>', answer.text)
    assert titles[0] == guides.read("clerk").title


def test_each_page_has_the_link_to_help(login: Login) -> None:
    li = login("li")
    for path in ("/", "/people/list/", "/people/add", "/nowhere"):
        links = re.findall(r'<a class="top-link help-open" href="([^"]+)"', li.get(path).text)
        assert [html.unescape(link) for link in links] == [f"/help/?at={path}"]


# --- as pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", READERS)
def test_a_guide_is_shown_with_its_sections_and_pictures(login: Login, key: str) -> None:
    client = login("lin")
    page = client.get(f"/help/{key}").text
    for section in guides.read(key).sections:
        assert f'<h2 id="{section.anchor}">' in page
    for picture in re.findall(r'<img [^>]*src="([^"]+)"', page):
        assert picture.startswith("/help/images/")
    assert " style=" not in guides.read(key).body


def test_a_picture_is_served_and_nothing_beside_it(login: Login) -> None:
    client = login("lin")
    assert client.get("/help/images/students.png").mimetype == "image/png"
    for path in (
        "/help/images/none.png",
        "/help/images/..%2Frights.md",
        "/help/images/rights.md",
        "/help/none",
    ):
        assert client.get(path).status_code == 404
