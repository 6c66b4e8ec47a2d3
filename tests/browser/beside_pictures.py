"""Beside each picture in docs/images stands what its page said when it was taken, as a screen reader meets it: where a page
says something else today, the picture is out of date, and the difference reads as words.

Only words are compared, as typefaces differ from machine to machine. Days, times, addresses and whatever else differs in
the next run or the next school year are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
TAKE_ANEW = (
    "UPDATE_PICTURES=1 pytest --database sqlite tests/browser/test_guides.py tests/browser/test_pictures.py"
)

PASSING = (
    r"\d{4}[-年/]\d{1,2}[-月/]\d{1,2}日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?",
    r"(?m)\b20\d\d(?=[年级—\"]|$)|(?<=—)20\d\d(?=学年)",  # of the school year that is on
    r"\b\d{1,2}:\d{2}\b",
    r"127\.0\.0\.1(?::\d+)?",
)
LEFT_OUT = re.compile(
    r"/\w+"  # addresses, hints inside empty inputs
    r'|region ".*学籍变动"'  # counted from the first day of the school year that is on
    r"|(?:text|paragraph): (?:有未保存的修改|已暂存)"  # either of them, a matter of seconds
)
SAYS_ITS_WORDS = frozenset(
    {"cell", "definition", "group", "listitem", "paragraph", "status", "strong", "term", "text", "time"}
)
TOLD_BY_ITS_ROW = SAYS_ITS_WORDS | {"columnheader", "link", "rowheader"}


def words_of(page: Page) -> str:
    """What the page says, an element a line."""
    page.wait_for_load_state()  # a walk may end with words that came before the rest of their page
    snapshot = page.locator("body").aria_snapshot()
    said = "".join(f"{line}\n" for line in _lines(yaml.load(snapshot, yaml.BaseLoader)))
    for pattern in PASSING:
        said = re.sub(pattern, "…", said)
    return said


def _lines(elements: list[Any], within: str = "") -> Iterator[str]:
    """The elements with words of their own. A row of a table is one line, and one more for what is ticked or typed in it."""
    for one in elements:
        [(element, content)] = one.items() if isinstance(one, dict) else [(one, "")]
        inside, words = (content, "") if isinstance(content, list) else ([], content)
        role, _space, name = element.partition(" ")
        if LEFT_OUT.match(f"{element}: {words}") or (
            within == "combobox" and not name.endswith("[selected]")
        ):
            continue
        if within != "row" or (role not in TOLD_BY_ITS_ROW and (words or "[" in name)):
            yield from _line(element, words)
        yield from _lines(inside, "row" if "row" in (role, within) else role)


def _line(element: str, words: str) -> Iterator[str]:
    if words:
        yield words if element in SAYS_ITS_WORDS else f"{element}: {words}"
    elif '"' in element:
        yield element


def take_or_compare(page: Page, picture: Path) -> None:
    """Takes the picture where that is wanted; fails where there is none, or it shows what the page no longer says."""
    beside, words = picture.with_suffix(".txt"), words_of(page)
    if os.environ.get("UPDATE_PICTURES"):
        picture.parent.mkdir(exist_ok=True)
        page.screenshot(path=picture)
        beside.write_text(words, encoding="utf-8")
    kept = beside.read_text(encoding="utf-8") if picture.exists() and beside.exists() else ""
    if words != kept:
        differences = unified_diff(
            kept.splitlines(), words.splitlines(), "in the picture", "today", lineterm="", n=1
        )
        raise AssertionError(
            f"docs/images/{picture.name} is out of date. Look whether the page is right; "
            f"if it is, take the pictures anew: {TAKE_ANEW}\n" + "\n".join(differences)
        )
