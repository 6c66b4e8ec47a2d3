"""`make words`: brings the English catalogue up to the words in the source, and says what is not translated yet.

A word is every Chinese string of app/ that is no docstring, whatever is passed to `_`, and the labels of the code
tables and of the default roles. So nothing has to be marked to be found, and tests/test_words.py sees that all of it is translated.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = ROOT / "app" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
HAN = re.compile(r"[\u3400-\u9fff]")
NO_WORDS = frozenset({"app/core/names.py", "app/areas/regions/area_names.py", "app/areas/regions/gb2260.py"})
"""Modules whose Chinese strings are characters to compare with, but for whole sentences."""
NOT_SHOWN = frozenset({"一二三四五六七八九", "—–~至"})


def collect() -> dict[str, list[str]]:
    """Word → the files it stands in, in the order of files."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "app").rglob("*")):
        where = path.relative_to(ROOT).as_posix()
        words: Iterable[str] = ()
        if path.suffix == ".py":
            words = words_of(path.read_text(encoding="utf-8"))
            words = (one for one in words if where not in NO_WORDS or one.endswith("。"))
        elif path.suffix == ".html":
            words = (
                str(message) for _n, message, *_rest in extract_from_file("jinja2.ext:babel_extract", path)
            )
        for word in words:
            found.setdefault(word, []).append(where)
    for path in (*sorted((ROOT / "seeds" / "codes").glob("*.csv")), ROOT / "seeds" / "roles.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["label"], []).append(path.relative_to(ROOT).as_posix())
    return found


def words_of(source: str) -> Iterator[str]:
    """The strings of one module that people may read, in the order of the source. A place in the menu ("组 › 项") is two."""
    tree = ast.parse(source)
    left_out = {id(node) for node in _prose(tree)}
    yield from _first_lines(tree)
    strings = [
        (one, one.value)
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in left_out
    ]
    spoken = {id(arg) for call in _calls(tree) for arg in call.args[:1]}
    for node, text in sorted(strings, key=lambda pair: (pair[0].lineno, pair[0].col_offset)):
        is_word = HAN.search(text) or id(node) in spoken
        if is_word and text not in NOT_SHOWN and "\\" not in text:
            yield from text.split(" › ")


def _first_lines(tree: ast.Module) -> Iterator[str]:
    """What an entity's docstring says to officials, which the data dictionary shows."""
    for node in ast.walk(tree):
        text = ast.get_docstring(node) if isinstance(node, ast.ClassDef) and _is_entity(node) else None
        if text and HAN.search(text):
            yield text.partition("\n")[0]


def _is_entity(node: ast.ClassDef) -> bool:
    targets = (one.targets[0] for one in node.body if isinstance(one, ast.Assign))
    return any(isinstance(one, ast.Name) and one.id == "__label__" for one in targets)


def _prose(tree: ast.Module) -> Iterator[ast.AST]:
    """Docstrings and other strings that stand alone; the pieces of f-strings, which no catalogue can hold."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield from node.values


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_"):
            yield node


def read() -> Catalog:
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


def bring_up() -> list[str]:
    """Rewrites the catalogue: new words join it empty, words that are gone leave it. Returns the empty ones."""
    old, new = read(), Catalog("en")
    head = CATALOGUE.read_bytes().partition(b"\n\n")[0]  # the notes for translators, as they are
    for word, files in collect().items():
        kept = old.get(word)
        new.add(word, kept.string if kept else "", [(one, 0) for one in dict.fromkeys(files)])
    with CATALOGUE.open("wb") as file:
        file.write(head + b"\n\n")
        write_po(file, new, width=110, omit_header=True, include_lineno=False)
    return [str(one.id) for one in new if one.id and not one.string]


if __name__ == "__main__":
    missing = bring_up()
    for word in missing:
        print(f"not translated: {word}")
    sys.exit(bool(missing))
