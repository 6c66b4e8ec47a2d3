"""The arrows of the house, read from the imports, and the words that only the core may use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app"
FILES = sorted(APP.rglob("*.py"))

LAYERS = {
    # what may import what, besides itself
    "app.extensions": (),
    "app.core": ("app.extensions",),
    "app.surfaces": ("app.core", "app.extensions"),
    "app.areas": ("app.core", "app.extensions"),
    "app.cli": ("app.areas", "app.core", "app.extensions", "config", "seeds"),
    "app": ("app.areas", "app.cli", "app.core", "app.extensions", "app.surfaces", "config"),
}
AREAS = {
    # areas below, whose models and plain functions may be used
    "regions": (),
    "schools": ("regions",),
    "students": ("schools", "regions"),
    "changes": ("students", "schools", "regions"),
    "people": ("schools", "regions"),
    "printing": ("changes", "students", "schools", "regions"),
    "reports": ("changes", "students", "schools", "regions", "people"),
    "help": ("people",),
}
PAGE = re.compile(r"(^|_)(pages?|page_models|rest)(_|$)")


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, *, at_run_time_only: bool = True) -> Iterator[str]:
    """Every module that a file imports, wherever in it; `if TYPE_CHECKING` imports nothing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if at_run_time_only and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def layer_of(module: str) -> str:
    return next(layer for layer in LAYERS if is_in(module, layer))


def is_ours(module: str) -> bool:
    return module.split(".")[0] in ("app", "config", "seeds", "tests")


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_each_layer_imports_only_what_is_below_it(path):
    layer = layer_of(module_of(path))
    allowed = LAYERS[layer]
    if layer == "app.areas" and PAGE.search(path.stem):
        allowed = (*allowed, "app.surfaces")
    wrong = [
        name
        for name in imports_of(path)
        if is_ours(name) and (layer == "app" or not is_in(name, layer)) and not _may(name, allowed)
    ]
    assert wrong == []


def _may(name: str, allowed: tuple[str, ...]) -> bool:
    return any(is_in(name, one) for one in allowed)


@pytest.mark.parametrize("path", [p for p in FILES if is_in(module_of(p), "app.areas")], ids=module_of)
def test_each_area_imports_only_the_areas_below_it(path):
    parts = module_of(path).split(".")
    if len(parts) < 3:
        return  # the list of all areas
    known = (parts[2], *AREAS[parts[2]])
    wrong = [
        name
        for name in imports_of(path)
        if is_in(name, "app.areas") and name.count(".") > 1 and name.split(".")[2] not in known
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "models.py"], ids=module_of)
def test_declarations_draw_no_screen(path):
    """What is named page may import the surfaces; what declares an entity may not know that there are any."""
    others = [name for name in imports_of(path) if is_in(name, "app") and not is_in(name, "app.core")]
    assert all(is_in(name, "app.areas") and not PAGE.search(name.split(".")[3]) for name in others)


def test_the_surfaces_do_not_know_the_areas():
    for path in FILES:
        if is_in(module_of(path), "app.surfaces"):
            assert [n for n in imports_of(path, at_run_time_only=False) if is_in(n, "app.areas")] == []


def test_every_area_has_its_place_in_the_order():
    assert {p.name for p in (APP / "areas").iterdir() if (p / "__init__.py").exists()} <= set(AREAS)


# --- words for the core alone -------------------------------------------------------------------------

FORBIDDEN = {
    "__table__": "past the mapped class there is no scope",
    "text": "textual SQL has no scope",
    "literal_column": "textual SQL has no scope",
    "from_statement": "textual SQL has no scope",
    "exec_driver_sql": "textual SQL has no scope",
    "raw_connection": "a bare driver meets no wall",
    "driver_connection": "a bare driver meets no wall",
    "dbapi_connection": "a bare driver meets no wall",
    "cursor": "a bare driver meets no wall",
    "unguarded": "opens the walls",
    "open_door": "opens the walls",
    "metadata": "tables are reached through their mapped classes",
    "make_transient": "makes up a row that the read wall never let in",
    "make_transient_to_detached": "makes up a row that the read wall never let in",
    "full_join": "no scope reaches the outer side of a full join",
}
SQL_MODULES = ("sa", "sqlalchemy", "sql", "sql_text")


def outside_the_core() -> list[Path]:
    mine = ("app.core", "app.extensions")
    return [path for path in FILES if not any(is_in(module_of(path), one) for one in mine)]


@pytest.mark.parametrize("path", outside_the_core(), ids=module_of)
def test_words_that_open_the_walls_stand_in_the_core_alone(path):
    found = [
        f"line {line}: {word}: {FORBIDDEN[word]}" for line, word in forbidden_words(path.read_text("utf-8"))
    ]
    assert found == []


def forbidden_words(source: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN and not _is_other_text(node):
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("sqlalchemy", "app")):
            yield from ((node.lineno, name.name) for name in node.names if name.name in FORBIDDEN)
        elif (
            isinstance(node, ast.keyword)
            and node.arg in ("unguarded", "load", "full")
            and _is_true_or_load(node)
        ):
            yield (
                node.value.lineno,
                {"unguarded": "unguarded", "full": "full_join"}.get(node.arg, "make_transient"),
            )
        elif isinstance(node, ast.Constant) and node.value == "unguarded":
            yield node.lineno, "unguarded"


def _is_other_text(node: ast.Attribute) -> bool:
    """`col.text(…)` and `cell.text` are not SQL; `sa.text` is."""
    return node.attr == "text" and not (isinstance(node.value, ast.Name) and node.value.id in SQL_MODULES)


def _is_true_or_load(node: ast.keyword) -> bool:
    wanted = node.arg != "load"
    return isinstance(node.value, ast.Constant) and node.value.value is wanted


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("session.execute(sa.text('select 1'))", "text"),
        ("from sqlalchemy import text", "text"),
        ("Student.__table__.c.id", "__table__"),
        ("session.connection().exec_driver_sql('x')", "exec_driver_sql"),
        ("connection.execution_options(unguarded=True)", "unguarded"),
        ("session.execute(q, execution_options={'unguarded': True})", "unguarded"),
        ("from app.extensions import open_door", "open_door"),
        ("Model.metadata.tables['student']", "metadata"),
        ("db.engine.raw_connection()", "raw_connection"),
        ("session.merge(Student(id=1), load=False)", "make_transient"),
        ("select(A).join(B, full=True)", "full_join"),
    ],
)
def test_the_lint_sees_what_it_is_for(source, word):
    assert [found for _line, found in forbidden_words(source)] == [word]


@pytest.mark.parametrize(
    "source", ["col.text('姓名', 50)", "cell.text", "session.merge(one)", "a.join(b, full=False)"]
)
def test_the_lint_leaves_other_words_alone(source):
    assert list(forbidden_words(source)) == []
