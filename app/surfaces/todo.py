"""What needs doing, on the first page: numbers that areas hand in, each counted by the list it leads to.

A number is left out where it is nought, and where the person may not open its list or not ask it that. What is counted
is only said once, as the words of the list's address.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _

from app.core import databases
from app.core.entity import Entity
from app.core.rights import Actor
from app.extensions import db
from app.surfaces import entrance
from app.surfaces.listing import Listing, count_together, number_text, spans_authorities
from app.surfaces.site import Site
from app.surfaces.viewmodels import Tone


@dataclass(frozen=True, slots=True)
class ToDo:
    """`place`: where among the numbers it stands, the most urgent first. `by_index`: counted by an index, or of few rows, however
    many pupils there are; what is not is told only to those who read single authorities or schools."""

    place: int
    label: str  # translated when shown
    entity: type[Entity]
    words: Mapping[str, str]
    tone: Tone | None = "warn"
    by_index: bool = False


_todos: list[ToDo] = []


def show_todo(*todos: ToDo) -> None:
    for one in todos:
        if one not in _todos:
            _todos.append(one)
    _todos.sort(key=lambda one: one.place)


def cards(by: Actor) -> Iterable[entrance.Card]:
    """One statement on each front that has something to count."""
    asked = list(_asked(by))
    for is_bureau in (False, True):
        count_together([listing for _todo, listing in asked if listing.site.is_bureau is is_bureau])
    for todo, listing in asked:
        if n := listing.count():
            yield _(todo.label), number_text(n), listing.url(), todo.tone


def _asked(by: Actor) -> Iterator[tuple[ToDo, Listing]]:
    for todo in _todos:
        right = f"{todo.entity.key()}:list"
        if not by.has(right) or (not todo.by_index and spans_authorities(by, right)):
            continue
        listing = Listing(todo.entity, _front(by, todo.entity), todo.words)
        if not listing.asked.closed:
            yield todo, listing


def _front(by: Actor, entity: type[Entity]) -> Site:
    """People of a bureau read on the bureau's own site."""
    if by.is_of_bureau and entity.__bureau__:
        return Site(by, databases.reading_session(current_app), is_bureau=True)
    return Site(by, db.session())


def register() -> None:
    if cards not in entrance.CARDS:
        entrance.CARDS.insert(0, cards)
