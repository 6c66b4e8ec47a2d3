"""The table of every address and every person: reading it, finding what it lacks, asking a row.

The table itself is every_url.txt. `python -m tests.flows.every_url` prints what is answered now, for a reader to
compare with what is right; it never writes the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect, Rule
from werkzeug.test import TestResponse

from tests import cast
from tests.client import READS, Client
from tests.flows.world import Ids

TABLE = Path(__file__).with_suffix(".txt")
GROUPS = (
    ("anonymous",),
    ("chen", "sun", "qian", "he"),
    ("cheng",),
    ("li", "lin", "zhao", "zhou"),
    ("wang",),
    ("gao", "tang", "xu"),
    ("ops",),
)
PEOPLE = tuple(name for group in GROUPS for name in group)
LETTERS = {
    ".": 200,
    "C": 201,
    "D": 204,
    ">": 302,
    "L": "to the login page, or 401 from an API",
    "B": 400,
    "F": 403,
    "N": 404,
    "T": 415,
    "V": 422,
    "P": 428,
}
NEEDS_NO_TOKEN = ("/api/v1/security/login",)  # it brings a password
ASKED_OF_THEMSELVES = ("HEAD", "OPTIONS")  # Werkzeug adds them to every rule


@dataclass(frozen=True)
class Row:
    """One line: what is asked, and a letter for each person. `line` is for messages."""

    method: str
    address: str
    letters: Mapping[str, str]
    line: int = 0

    def path(self, ids: Ids) -> str:
        """The address with ids: {ours} is one of the entity in the address, {grants.lin} of another."""
        words = self.address.split("/")
        own = next((word for word in words if word in ids), "")

        def number(found: re.Match[str]) -> str:
            path, _dot, name = found[1].rpartition(".")
            return str(ids[path or own][name])

        return re.sub(r"\{([^}]+)\}", number, self.address)

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


def read_table(path: Path = TABLE) -> list[Row]:
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return [read_row(text, number) for number, text in lines if text.strip() and not text.startswith("#")]


def read_row(text: str, line: int = 0) -> Row:
    method, address, *groups = text.split()
    if [len(group) for group in groups] != [len(group) for group in GROUPS]:
        raise ValueError(f"line {line}: {method} {address} wants a letter for each of {' '.join(PEOPLE)}")
    if strange := set("".join(groups)) - set(LETTERS):
        raise ValueError(f"line {line}: {method} {address} has {strange}, which stand for nothing")
    return Row(method, address, dict(zip(PEOPLE, "".join(groups), strict=True)), line)


# --- rows and routes ----------------------------------------------------------------------------------


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Every rule with each of its methods."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - set(ASKED_OF_THEMSELVES)):
            yield rule, method


def rule_of(app: Flask, row: Row, ids: Ids) -> Rule | None:
    try:
        rule, _values = app.url_map.bind("localhost").match(row.path(ids), row.method, return_rule=True)
    except (HTTPException, RequestRedirect, KeyError):
        return None
    return rule


def faults(app: Flask, rows: Iterable[Row], ids: Ids) -> Iterator[str]:
    """What the table lacks and what it has too much, a sentence each."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        rule = rule_of(app, row, ids)
        if rule is None:
            yield f"line {row.line}: there is no route for {row}; take the line out"
        else:
            found[rule.rule, row.method] = found.get((rule.rule, row.method), 0) + 1
    for rule, method in routes(app):
        have = found.get((rule.rule, method), 0)
        want = 2 if "<int:" in rule.rule else 1
        if have < want:
            yield _wanted(rule, method, have)


def _wanted(rule: Rule, method: str, have: int) -> str:
    example = re.sub(r"<[^>]+>", "{ours}", rule.rule)
    blank = " ".join("?" * len(group) for group in GROUPS)
    more = "needs rows for an id in scope and one out of scope" if have else "has no row"
    return f"{method} {rule.rule} {more}: add to {TABLE.name} a line like “{method} {example}  {blank}”"


# --- asking -------------------------------------------------------------------------------------------


def ask(client: Client, row: Row, ids: Ids, *, csrf: bool = True) -> TestResponse:
    """The request of a row: forms are sent empty, APIs an empty object."""
    words: dict[str, Any] = {}
    if row.method in ("POST", "PUT"):
        words = {"json": {}} if row.address.startswith("/api/") else {"data": {}}
    return client.open(row.path(ids), method=row.method, csrf=csrf, **words)


def letter(answer: TestResponse) -> str:
    """The letter of an answer, or its code where none stands for it."""
    if answer.status_code == 401 or answer.headers.get("Location", "").startswith("/login/"):
        return "L"
    return next(
        (sign for sign, code in LETTERS.items() if code == answer.status_code), str(answer.status_code)
    )


def differences(client: Client, person: str, rows: Sequence[Row], ids: Ids) -> Iterator[str]:
    for row in rows:
        if (found := letter(ask(client, row, ids))) != row.letters[person]:
            yield f"line {row.line}: {row} as {person}: {row.letters[person]} is right, the answer was {found}"


def writes_without_token(client: Client, person: str, rows: Iterable[Row], ids: Ids) -> Iterator[str]:
    """What is answered otherwise than by 400 where a page of another site sends what this person's browser sends."""
    for row in rows:
        if row.method in READS or row.address in NEEDS_NO_TOKEN:
            continue
        if (found := letter(ask(client, row, ids, csrf=False))) != "B":
            yield f"line {row.line}: {row} as {person} without the form's token was answered by {found}"


def enter(app: Flask, person: str) -> Client:
    client = Client(app)
    if person != "anonymous":
        client.login(person, cast.PASSWORD)
    return client


def people_who_get(row: Row, signs: str) -> list[str]:
    return [person for person in PEOPLE if row.letters[person] in signs]


# --- printing -----------------------------------------------------------------------------------------


def printed(row: Row, letters: Mapping[str, str], width: int) -> str:
    groups = ("".join(letters[name] for name in group) for group in GROUPS)
    return f"{row.method:6} {row.address:{width}} " + " ".join(groups)


def main() -> None:
    """Asks every row of the table as everybody and prints the answers in the table's form."""
    import os
    import tempfile

    home = Path(tempfile.mkdtemp(prefix="xueji-urls-"))
    os.environ["INSTANCE"] = str(home / "instance")
    from tests.flows import world
    from tests.sites import Site

    site = Site.make("sqlite", home / "site", None)
    site.prepare_template(home, cast.assemble)
    rows, answers = read_table(), {}
    for person in PEOPLE:
        site.is_written = True
        site.refresh()
        ids = world.furnish(site.app)
        client = enter(site.app, person)
        answers[person] = [letter(ask(client, row, ids)) for row in rows]
    width = max(len(row.address) for row in rows)
    for number, row in enumerate(rows):
        print(printed(row, {person: answers[person][number] for person in PEOPLE}, width))
    for fault in faults(site.app, rows, ids):
        print("#", fault)


if __name__ == "__main__":
    main()
