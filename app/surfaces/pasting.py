"""Many names or numbers at once, as they come out of a spreadsheet: exactly those rows, and what was not found.

What was pasted is posted and shown again, never kept and never part of an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_babel import gettext as _

from app.core import rights
from app.core.entity import Entity
from app.core.errors import Invalid
from app.surfaces.listing import FOUND_MOST
from app.surfaces.site import Site

LONGEST = 60  # characters of one name or number
LONGEST_PASTE = 20_000  # characters; beyond, nothing is read
APART = re.compile(r"[\r\n\t,，;；、]+")


@dataclass(frozen=True, slots=True)
class Found:
    """`ids`: of all rows that were meant. `missing`: what no row is called. `several`: (what was typed, how many rows)."""

    ids: tuple[int, ...]
    missing: tuple[str, ...]
    several: tuple[tuple[str, int], ...]


def read(text: str) -> list[str]:
    """The names and numbers, each once, in their order. Raises Invalid for nothing, for too much and for what is none."""
    if len(text) > LONGEST_PASTE:
        raise Invalid([("pasted", _("粘贴的内容太长。请分几次查找，每次最多%(n)s个。", n=FOUND_MOST))])
    parts = (part.strip().removeprefix("'").strip() for part in APART.split(text))
    typed = list(dict.fromkeys(part for part in parts if part))
    if not typed:
        raise Invalid([("pasted", _("请粘贴要查找的姓名或号码，每行一个。"))])
    if len(typed) > FOUND_MOST:
        words = {"n": FOUND_MOST, "k": len(typed)}
        raise Invalid([("pasted", _("一次最多查找%(n)s个，现有%(k)s个。请分几次查找。", **words))])
    for part in typed:
        if len(part) > LONGEST or "\0" in part:
            raise Invalid(
                [("pasted", _("“%(part)s”不是姓名或号码。请删去后再查。", part=part[:20].replace("\0", "")))]
            )
    return typed


def find(entity: type[Entity], site: Site, typed: list[str]) -> Found:
    """Raises Invalid where more rows are meant than one list of them may name."""
    meant: dict[str, set[int]] = {part: set() for part in typed}
    among, most = rights.searched_fields(site.by, entity), FOUND_MOST + 1
    for part, id_ in entity.find_exactly(site.session, typed, among, most):
        meant[part].add(id_)
    ids = sorted(set().union(*meant.values()))
    if len(ids) > FOUND_MOST:
        raise Invalid(
            [("pasted", _("同名的太多，一次最多列出%(n)s条记录。请改用号码查找，或减少姓名。", n=FOUND_MOST))]
        )
    several = ((part, len(found)) for part, found in meant.items() if len(found) > 1)
    return Found(tuple(ids), tuple(part for part, found in meant.items() if not found), tuple(several))
