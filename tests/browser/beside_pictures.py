"""Beside each picture in docs/images stands what the page said when it was taken, as a screen reader meets it: a page that
has changed since is noticed, and the difference reads as words.

Days, times, addresses and figures of the school year are left out: they differ from run to run.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
PASSING = (
    (re.compile(r"\d{4}[-年/]\d{1,2}[-月/]\d{1,2}日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?"), "…"),
    (re.compile(r"\b20\d\d(?=[年级—\"])|(?<=—)20\d\d(?=学年)"), "…"),  # of the school year that is on
    (re.compile(r"\b\d{1,2}:\d{2}\b"), "…"),
    (re.compile(r"127\.0\.0\.1(?::\d+)?"), "…"),
)


OF_THE_YEAR = re.compile("学籍变动$")
UNSEEN = re.compile(r"^ *- /url:.*\n", re.M)
CLOSED = re.compile(r"(^ *- combobox [^\n]*:\n)((?: *- option [^\n]*\n)+)", re.M)


def words_of(page: Page) -> str:
    """What the page says, an element a line; of a closed choice what is chosen. Takes figures of the year off the page."""
    page.locator("section.panel", has=page.get_by_role("heading", name=OF_THE_YEAR)).evaluate_all(
        "(panels) => panels.forEach((panel) => panel.remove())"
    )
    text = UNSEEN.sub("", page.locator("body").aria_snapshot() + "\n")
    text = CLOSED.sub(lambda found: found[1] + _chosen(found[2]), text)
    for pattern, mark in PASSING:
        text = pattern.sub(mark, text)
    return text


def _chosen(options: str) -> str:
    return "".join(line for line in options.splitlines(keepends=True) if "[selected]" in line)


def is_wanted(picture: Path) -> bool:
    return bool(os.environ.get("UPDATE_PICTURES")) or not picture.exists()


def take_or_compare(page: Page, picture: Path) -> None:
    """Takes the picture where that is wanted; fails where it shows what the page no longer says."""
    beside, is_taken = picture.with_suffix(".txt"), is_wanted(picture)
    if is_taken:
        picture.parent.mkdir(exist_ok=True)
        page.screenshot(path=picture)
    words = words_of(page)
    if is_taken:
        beside.write_text(words, encoding="utf-8")
    kept = beside.read_text(encoding="utf-8") if beside.exists() else ""
    assert words == kept, f"docs/images/{picture.name} is out of date: run again with UPDATE_PICTURES=1"
