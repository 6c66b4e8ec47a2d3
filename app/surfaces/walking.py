"""From one row of a list to the next, in the list's order: a row's address says which list it was opened from.

An address that names none, or asks by what its reader may not ask by (any more), leads through the whole list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from app.core import scope
from app.core.entity import Entity
from app.surfaces.listing import OF_A_PAGE, OPENED_FROM, Listing
from app.surfaces.site import Site
from app.surfaces.viewmodels import Crumb, DetailPage

LOOKED_AT = 50  # rows behind this one, of which the first that may be edited is the next


class Walk:
    def __init__(self, entity: type[Entity], site: Site, args: Mapping[str, str]) -> None:
        self.entity, self.site = entity, site
        self.words = dict(parse_qsl(args.get(OPENED_FROM, "")))
        self.asked = {name: value for name, value in self.words.items() if name not in OF_A_PAGE}
        listing = Listing(entity, site, self.asked)
        if listing.asked.closed or listing.asked.complaints:
            self.words, self.asked = {}, {}

    @property
    def is_open(self) -> bool:
        """Whether there is a list that this person may walk through."""
        return "list" in self.entity.__actions__ and self.site.by.has(f"{self.entity.key()}:list")

    @property
    def list_url(self) -> str:
        return self.site.list_url(self.entity, **self.words)

    def along(self, url: str) -> str:
        """The address of another page of a row, which goes on knowing the list."""
        return f"{url}?{urlencode({OPENED_FROM: urlencode(self.words)})}" if self.words else url

    def _ids(self, row_id: int, way: str, most: int) -> list[int]:
        return Listing(self.entity, self.site, {**self.asked, way: str(row_id)}).ids(most)

    def next_to_edit(self, row_id: int) -> int | None:
        ids = self._ids(row_id, "after", LOOKED_AT)
        power = f"{self.entity.key()}:edit"
        open_ = scope.rows_with(self.site.session, self.site.by, power, self.entity, ids)
        return next((id_ for id_ in ids if id_ in open_), None)

    def around(self, page: DetailPage, obj: Entity) -> DetailPage:
        """The page of a row with the ways back to its list and to the rows beside it."""
        if not self.is_open:
            return page
        edit_url = f"/{self.entity.__path__}/edit/{obj.id}"
        page.actions = [replace(a, url=self.along(a.url)) if a.url == edit_url else a for a in page.actions]
        list_url = self.site.list_url(self.entity)
        page.crumbs = [Crumb(c.label, self.list_url) if c.url == list_url else c for c in page.crumbs]
        page.previous_url, page.next_url = self._beside(obj.id, "before"), self._beside(obj.id, "after")
        return page

    def _beside(self, row_id: int, way: str) -> str | None:
        found = self._ids(row_id, way, 1)
        return self.along(self.site.show_url(self.entity, found[0])) if found else None
