"""Where a surface's addresses are, so that one list and one detail serve staff pages and the bureau's site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.core.entity import Entity, registry
from app.core.rights import Actor


@dataclass(frozen=True, slots=True)
class Site:
    """One front: its actor, its session, its addresses."""

    by: Actor
    session: Session
    is_bureau: bool = False

    def list_url(self, entity: type[Entity], /, **args: object) -> str:
        base = f"/bureau/{entity.__path__}/" if self.is_bureau else f"/{entity.__path__}/list/"
        return with_args(base, args)

    def show_url(self, entity: type[Entity], id_: int) -> str:
        return f"/bureau/{entity.__path__}/show/{id_}" if self.is_bureau else f"/{entity.__path__}/show/{id_}"

    def title_of(self, entity: type[Entity]) -> str:
        """What the list is called: as the menu of this front has it."""
        words = entity.__bureau_label__ if self.is_bureau else entity.__menu__.rpartition(" › ")[2]
        return _(words or entity.__label__)

    def can_open(self, entity: type[Entity]) -> bool:
        """Whether this front has a page for a row of `entity` that the actor may see."""
        if not entity.__path__ or "show" not in entity.__actions__:
            return False
        return (entity.__bureau__ or not self.is_bureau) and self.by.has(f"{entity.key()}:show")


def is_personal(typed: str) -> bool:
    """Whether it looks like a number that must not stand in an address."""
    return any(entity.search_number(typed, ()) is not None for entity in registry)


def with_args(base: str, args: Mapping[str, object]) -> str:
    kept = {key: value for key, value in args.items() if value not in (None, "")}
    return f"{base}?{urlencode(kept)}" if kept else base
