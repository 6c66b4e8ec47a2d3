"""The picture in the README: the list of pupils as 林老师 sees it in the demo district.

Taken anew with UPDATE_PICTURES=1, or where it is missing; otherwise a run compares what the page says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.beside_pictures import IMAGES, take_or_compare
from tests.browser.conftest import serving
from tests.browser.windows import DESK, Window
from tests.sites import make_app

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PICTURE = IMAGES / "students.png"
DAY = date(2026, 11, 2)


@pytest.fixture
def district(tmp_path: Path) -> Iterator[str]:
    """Where the demo district is served."""
    from flask_migrate import upgrade

    from app.core import rights, saving, scope
    from app.extensions import db
    from seeds import demo

    app = make_app(f"sqlite:///{tmp_path / 'demo.db'}", tmp_path)
    with app.app_context():
        upgrade()
        with scope.acting(db.session(), rights.system("tests")), saving.work() as work:
            rights.sync(work.session)
        demo.build(db.session(), seed=1, on=DAY)
        db.session.remove()
    with serving(app) as address:
        yield address


def test_the_readme_shows_the_list_of_pupils(district: str, chromium: Browser) -> None:
    assert "docs/images/students.png" in (ROOT / "README.md").read_text()
    _walk(chromium, district)
    head = PICTURE.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    assert struct.unpack(">II", head[16:24]) == DESK


def _walk(chromium: Browser, address: str) -> None:
    from seeds.demo import PASSWORD

    window = Window(chromium, address)
    window.log_in("lin", PASSWORD)
    window.choose_in_menu("学生花名册")
    expect(window.page.locator("tbody tr")).to_have_count(50)
    take_or_compare(window.page, PICTURE)
    assert window.troubles == []
    window.close()
