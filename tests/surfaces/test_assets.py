"""Files of the pages: versions in addresses, caching, Bootstrap cut down, compression, and how much is sent in all."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.surfaces import assets
from tests import cast
from tests.cast import YIZHONG
from tests.client import Client

Login = Callable[..., Client]
PACKED = {"Accept-Encoding": "gzip, br"}
OWN_PAGE = {**PACKED, "Sec-Fetch-Site": "same-origin"}
TEMPLATES = Path(assets.__file__).parents[1] / "templates"


def addresses_in(page: TestResponse) -> list[str]:
    """What a browser asks for on its own when it shows the page."""
    tags = re.findall(r"<(?:link|script|img)\b[^>]*?(?:href|src)=\"([^\"]+)\"", page.text)
    return list(
        dict.fromkeys(
            [*tags, *(one.partition("#")[0] for one in re.findall(r'<use href="([^"]+)"', page.text))]
        )
    )


# --- one file, one address ----------------------------------------------------------------------------


def test_every_file_of_a_page_carries_a_version_and_is_kept_for_a_year(login: Login) -> None:
    lin = login("lin")
    found = addresses_in(lin.get("/students/list/"))
    assert len(found) == 5  # icon of the window, two style sheets, script, icons
    for address in found:
        assert re.search(r"\?v=[0-9a-f]{12}$", address), address
        answer = lin.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable", address


@pytest.mark.parametrize("name", ["app.css", "app.js", "icons.svg", "bootstrap.css"])
@pytest.mark.parametrize("version", ["", "?v=", "?v=000000000000", "?v=../../x"])
def test_a_file_asked_for_by_another_version_is_not_kept_for_long(
    anonymous: Client, name: str, version: str
) -> None:
    """An old page that asks a new server would otherwise keep the new file under the old name."""
    answer = anonymous.get(f"/static/{name}{version}")
    assert answer.status_code == 200
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_a_file_that_changes_gets_another_address(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "static_folder", str(tmp_path))
    file = tmp_path / "a.css"
    seen = set()
    with app.test_request_context():
        for content in ("a{}", "b{}", "ab{}"):
            file.write_text(content)
            seen.add(app.url_for("static", filename="a.css"))
        assert app.url_for("static", filename="nothing.css") == "/static/nothing.css"
        assert app.url_for("static", filename="../conftest.py").startswith("/static/")
    assert len(seen) == 3


def test_no_page_asks_another_host(login: Login) -> None:
    for page in (
        Client(login("lin").application).get("/login/"),
        login("lin").get("/"),
        login("chen").get("/bureau/"),
    ):
        assert all(not urlsplit(address).netloc for address in addresses_in(page))


# --- Bootstrap ----------------------------------------------------------------------------------------


def classes_in(template: str) -> set[str]:
    """Of attributes only; what Jinja puts in counts where it is quoted."""
    quoted = re.compile(r"\{[{%].*?[%}]\}")
    plain = quoted.sub(lambda tag: " ".join(re.findall(r"'([^']*)'", tag[0])), template)
    return {name for words in re.findall(r'class="([^"]*)"', plain) for name in words.split()}


def test_bootstrap_keeps_every_class_that_templates_use() -> None:
    whole = assets.STYLES.read_text("utf-8")
    cut_away = set(assets._CLASS.findall(whole)) - set(assets._CLASS.findall(assets.cut(whole)))
    own = set(assets._CLASS.findall((TEMPLATES.parent / "static/app.css").read_text("utf-8")))
    used = {name for path in TEMPLATES.rglob("*.html") for name in classes_in(path.read_text("utf-8"))}
    assert {"btn", "form-control", "visually-hidden"} <= used
    assert (used & cut_away) - own == set()


@pytest.mark.parametrize(
    ("styles", "kept"),
    [
        (".btn{a:b}.card{c:d}", ".btn{a:b}"),
        ("h1,.h1{a:b}", "h1{a:b}"),
        (".btn:not(.card,.x),.btn{a:b}", ".btn{a:b}"),
        ("@media print{.card{a:b}}", ""),
        ("@media print{.btn{a:b}.card{c:d}}", "@media print{.btn{a:b}}"),
        ('@charset "UTF-8";/*! of .whom */a{b:c}', "a{b:c}"),
        ("@keyframes x{0%{a:b}}a{b:url(data:x.card)}", "a{b:url(data:x.card)}"),
    ],
)
def test_what_is_left_of_a_style_sheet(styles: str, kept: str) -> None:
    assert assets.cut(styles) == kept


# --- compression --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/static/app.css", "/static/app.js", "/static/icons.svg", "/static/bootstrap.css"]
)
def test_a_file_is_sent_compressed_to_whoever_takes_it(anonymous: Client, path: str) -> None:
    plain, packed = anonymous.get(path), anonymous.get(path, headers=PACKED)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    assert gzip.decompress(packed.data) == plain.data


def test_a_compressed_file_is_not_sent_again_to_whoever_has_it(anonymous: Client) -> None:
    first = anonymous.get("/static/app.css", headers=PACKED)
    again = anonymous.get("/static/app.css", headers={**PACKED, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_a_part_of_a_file_is_sent_as_it_is(anonymous: Client) -> None:
    part = anonymous.get("/static/app.css", headers={**PACKED, "Range": "bytes=0-9"})
    assert (part.status_code, len(part.data)) == (206, 10)
    assert "Content-Encoding" not in part.headers


SITES = [  # (Sec-Fetch-Site, over TLS, compressed)
    ("same-origin", True, True),
    ("none", True, True),
    ("cross-site", True, False),
    ("same-site", True, False),
    ("strange", True, False),
    ("", True, False),  # a browser too old to say so
    ("cross-site", False, False),
    ("", False, True),  # nothing to guess where everything is read anyway
]


@pytest.mark.parametrize(("site_", "is_secure", "is_packed"), SITES)
def test_a_page_is_compressed_only_where_no_other_site_can_have_asked_for_it(
    login: Login, site_: str, is_secure: bool, is_packed: bool
) -> None:
    headers = {**PACKED, **({"Sec-Fetch-Site": site_} if site_ else {})}
    base = "https://localhost" if is_secure else "http://localhost"
    page = login("lin").get("/students/list/?q=王", headers=headers, base_url=base)
    assert page.status_code == 200
    assert page.headers.get("Content-Encoding") == ("gzip" if is_packed else None)
    assert {"Accept-Encoding", "Sec-Fetch-Site"} <= set(page.vary)
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/find", "/api/v1/students/", "/healthz"])
def test_answers_to_scripts_and_programs_are_sent_as_they_are(login: Login, path: str) -> None:
    lin = login("lin")
    headers = {**OWN_PAGE, "Accept": "application/json"}
    answer = (
        lin.post(path, data={"q": "王"}, headers=headers)
        if path == "/find"
        else lin.get(path, headers=headers)
    )
    assert answer.is_json
    assert "Content-Encoding" not in answer.headers


def test_asking_for_the_head_gives_no_body(login: Login) -> None:
    answer = login("lin").head("/students/list/", headers=OWN_PAGE)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Content-Encoding" not in answer.headers


# --- how much -----------------------------------------------------------------------------------------

SCRIPTS_AND_STYLES_MOST = 250_000  # bytes, uncompressed
PAGE_MOST = 60_000  # bytes, compressed


def test_scripts_and_styles_are_small(login: Login) -> None:
    lin = login("lin")
    sizes = {}
    for address in addresses_in(lin.get("/students/list/")):
        if urlsplit(address).path.endswith((".css", ".js")):
            plain, packed = lin.get(address), lin.get(address, headers=PACKED)
            sizes[urlsplit(address).path] = (len(plain.data), len(packed.data))
    whole, sent = (sum(column) for column in zip(*sizes.values(), strict=True))
    print(sizes, f"{whole} bytes, {sent} as sent")
    assert len(sizes) == 3
    assert whole < SCRIPTS_AND_STYLES_MOST


LISTS = {  # who → lists of fifty rows, the broadest there are
    "lin": ("/students/list/", "/students/list/?q=学", "/stays/list/"),
    "chen": ("/bureau/students/",),
    "he": ("/people/list/",),
}


def test_a_list_of_fifty_rows_is_small(app: Flask, acting: Callable[..., Any], login: Login) -> None:
    with acting("system") as by:
        _fill(by)
    sizes = {}
    for username, paths in LISTS.items():
        client = login(username)
        for path in paths:
            plain, packed = client.get(path), client.get(path, headers=OWN_PAGE)
            assert packed.headers["Content-Encoding"] == "gzip"
            assert plain.text.count('<th scope="row"') == 50, path
            sizes[f"{username} {path}"] = (len(plain.data), len(packed.data))
    print(sizes)
    assert max(sent for _whole, sent in sizes.values()) < PAGE_MOST


def _fill(by: Any) -> None:
    """Sixty pupils of the broadest kind, each with a time at the school, and sixty accounts."""
    from app.areas.people.accounts import Home, open_account
    from app.areas.students.models import Stay
    from app.core import logins, saving

    password = logins.hash_password(cast.PASSWORD)
    school_id = cast.school(YIZHONG)
    with saving.work() as work:
        for n in range(60):
            made = cast.add_pupil(by, name=f"学生{chr(0x4E00 + n)}", class_id=None)
            words = {"student_id": made.id, "student_name": made.name, "entry_grade_id": made.grade_id}
            saving.create(Stay, {**words, "entered_on": date(2026, 9, 1), "way": "11"}, by)
            typed = {"username": f"person{n}", "name": f"老师{chr(0x4E00 + n)}", "phone": f"140{n:08}"}
            open_account(work.session, by, Home(school_id), typed, "", hashed=password)
