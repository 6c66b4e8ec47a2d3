"""One row in full: sections, nested rows, what hangs on it, its time-line, and what can be done now."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from app.core import powers, rights, scope
from app.core.audit import AuditEntry
from app.core.entity import Entity, registry
from app.core.fields import HERE, Choice, Field, Key, Text
from app.core.rights import Place
from app.core.wording import N_
from app.surfaces import tallies
from app.surfaces.display import Painter, Revealed, Sight, cell, painter, past_text
from app.surfaces.handed_in import hand_in
from app.surfaces.listing import crumbs, has_made_name, reveal_form
from app.surfaces.site import Site
from app.surfaces.viewmodels import (
    Action,
    Cell,
    Crumb,
    DetailPage,
    DetailSection,
    Head,
    Item,
    RelatedTable,
    Row,
    TimelineEntry,
    Tone,
)

RELATED = 10  # rows of each related table
MOMENTS = 50  # entries of the time-line
TONES: dict[str, Tone] = {
    "create": "good",
    "delete": "bad",
    "reveal": "warn",
    "export": "warn",
    "restore": "good",
}


Offer = Callable[[Entity, Site], Iterable[Action]]
ListOffer = Callable[[Site, Mapping[str, str]], Iterable[Action]]
_offers: dict[str, list[Offer]] = {}
_list_offers: dict[str, list[ListOffer]] = {}
_heads: dict[str, Callable[[Entity, Site], Head]] = {}


def offer(entity: type[Entity], actions_of: Offer) -> None:
    """What else can be done with a row, behind 修改 and 删除 on its page; asked of each row and person."""
    hand_in(_offers.setdefault(entity.key(), []), actions_of)


def show_head(entity: type[Entity], head_of: Callable[[Entity, Site], Head]) -> None:
    """What stands beside the name on the page of such a row; it shows what the person may see."""
    _heads[entity.key()] = head_of


def offer_on_list(entity: type[Entity], actions_of: ListOffer) -> None:
    """What can be done with a list as its address asks for it."""
    hand_in(_list_offers.setdefault(entity.key(), []), actions_of)


def page(obj: Entity, site: Site) -> DetailPage:
    entity = type(obj)
    seen = scope.fields_with(site.session, site.by, "see", obj)
    revealed = Revealed.now(entity, site.by)
    head_of = _heads.get(entity.key())
    return DetailPage(
        title=obj.shown(),
        subtitle=_(entity.__label__),
        crumbs=crumbs(entity, site, Crumb(obj.shown())),
        sections=sections(obj, [f for f in seen.values() if _is_worded(f)], site, revealed),
        badges=list(_badges(obj, list(seen.values()), site, revealed)),
        actions=[] if site.is_bureau else list(actions(obj, site)),
        related=[*_changed_values(obj, site), *related(obj, site)],
        timeline=timeline(obj, site)
        if site.by.has("audit_entry:show") and entity is not AuditEntry
        else None,
        reveal=reveal_form(
            entity,
            site,
            list(seen.values()),
            [obj],
            f"“{obj.shown()}”",
            site.show_url(entity, obj.id),
            revealed,
        ),
        head=head_of(obj, site) if head_of is not None else None,
    )


def sections(obj: Entity, fields: Sequence[Field], site: Site, revealed: Revealed) -> list[DetailSection]:
    grouped: dict[str, list[Item]] = {}
    for one in fields:
        if powers.is_offered(one) or isinstance(one, Key):
            title = one.section or type(obj).__label__
            grouped.setdefault(title, []).append(Item(_(one.label), cell(obj, one, site, revealed)))
    rest = grouped.pop(type(obj).__label__, [])
    if rest and grouped:
        grouped[N_("所属与其他")] = rest
    elif rest:
        grouped[type(obj).__label__] = rest
    if grouped:
        next(iter(grouped.values())).extend(tallies.figures_of(type(obj), site, [obj.id]).items(obj.id))
    return [DetailSection(_(title), tuple(items)) for title, items in grouped.items()]


def _is_worded(one: Field) -> bool:
    """A key without a link has nothing to be read."""
    return not isinstance(one, Key) or bool(one.link)


def _badges(obj: Entity, fields: Sequence[Field], site: Site, revealed: Revealed) -> Iterator[Cell]:
    for one in fields:
        if isinstance(one, Choice) or one.name == "verification":
            found = cell(obj, one, site, revealed)
            if found.text:
                yield found


# --- what can be done ---------------------------------------------------------------------------------


def actions(obj: Entity, site: Site) -> Iterator[Action]:
    """修改 and 删除 with the reason where they are refused, then what the area adds."""
    entity = type(obj)
    if isinstance(obj, AuditEntry) and (record := _record_of(obj, site)) is not None:
        what = _(type(record).__label__)
        yield Action(
            _("查看%(what)s“%(name)s”", what=what, name=record.shown()),
            site.show_url(type(record), record.id),
        )
    if "edit" in entity.__actions__:
        yield _action(_("修改"), f"/{entity.__path__}/edit/{obj.id}", "pencil", "edit", obj, site)
    if "delete" in entity.__actions__:
        one = _action(_("删除"), f"/{entity.__path__}/delete/{obj.id}", "trash", "delete", obj, site)
        why = next(iter(obj.why_not_delete()), None) if one.refused is None else one.refused
        yield Action(one.label, one.url, style="danger", icon=one.icon, refused=why)
    for label, url, icon, right in entity.__row_links__:
        if site.by.has(right):
            yield Action(_(label), url.format(id=obj.id), icon=icon)
    for offered in _offers.get(entity.key(), ()):
        yield from offered(obj, site)


def _action(label: str, url: str, icon: str, verb: str, obj: Entity, site: Site) -> Action:
    verdict = scope.may(site.session, site.by, verb, obj)
    return Action(
        label,
        url,
        style="primary" if verb == "edit" else "secondary",
        icon=icon,
        refused=str(verdict) or None,
    )


def list_actions(entity: type[Entity], site: Site, args: Mapping[str, str]) -> Iterator[Action]:
    if "add" in entity.__actions__ and not entity.__inline_of__ and site.by.has(f"{entity.key()}:add"):
        yield Action(_("新增"), f"/{entity.__path__}/add", style="primary", icon="plus-lg")
    for label, url, icon, right in entity.__list_links__:
        if site.by.has(right):
            yield Action(_(label), url, icon=icon)
    for offered in _list_offers.get(entity.key(), ()):
        yield from offered(site, args)


# --- what hangs on it ---------------------------------------------------------------------------------


def related(obj: Entity, site: Site, only: Collection[str] | None = None) -> Iterator[RelatedTable]:
    """`only`: the keys of the entities that are wanted; None for all."""
    for child, key in registry.children_of(type(obj)):
        if only is not None and child.key() not in only:
            continue
        if key == "school_id" and not child.__school_wide__:
            continue  # everything is of some school: its page shows what it consists of
        if not (child.__path__ and site.by.has(f"{child.key()}:show")) or (
            site.is_bureau and not _on_bureau(child, site)
        ):
            continue
        yield _related_table(obj, child, key, site)


def _on_bureau(child: type[Entity], site: Site) -> bool:
    return child.__bureau__ or (child.__bureau_private__ and site.by.has(f"{child.key()}:show"))


def _related_table(obj: Entity, child: type[Entity], key: str, site: Site) -> RelatedTable:
    seen = rights.visible_fields(site.by, child)
    fields = [f for f in seen.values() if f.name not in (key, "school_id")]
    shown = [f for f in fields if f.listed] or [
        f for f in fields if f.form and not (isinstance(f, Text) and f.long)
    ][:5]
    links = [joinedload(getattr(child, f.link)) for f in shown if isinstance(f, Key) and f.link]
    query = sa.select(child).where(getattr(child, key) == obj.id).options(*links)
    order = getattr(child, child.__order__.removeprefix("-"))
    found = list(site.session.scalars(query.order_by(order, child.id).limit(RELATED + 1)).unique())
    revealed = Revealed.now(child, site.by)
    sight = Sight.of(site, child, shown, [one.id for one in found])
    painters = [painter(child, f, site, revealed, sight) for f in shown]
    figures = tallies.figures_of(child, site, [one.id for one in found[:RELATED]])
    rows = figures.beside(_related_row(one, painters, site) for one in found[:RELATED])
    more = None
    if len(found) > RELATED and "list" in child.__actions__ and site.by.has(f"{child.key()}:list"):
        more = site.list_url(child, **{key: obj.id})
    labels = ([_(child.__label__)] if has_made_name(child) else []) + [_(f.label) for f in shown]
    labels += [column.label for column in figures.columns]
    return RelatedTable(_(child.__label__), tuple(labels), tuple(rows), _("暂无记录"), more)


def _related_row(one: Entity, painters: Sequence[Painter], site: Site) -> Row:
    url = site.show_url(type(one), one.id) if site.can_open(type(one)) else None
    cells = [paint(one) for paint in painters]
    if has_made_name(type(one)):
        return Row(one.id, url, (Cell(one.shown(), url=url), *cells))
    if url and cells and cells[0].url is None:
        cells[0] = Cell(cells[0].text or _("查看"), url=url, masked=cells[0].masked)
    return Row(one.id, url, tuple(cells))


# --- time-line ----------------------------------------------------------------------------------------


def timeline(obj: Entity, site: Site) -> list[TimelineEntry]:
    """What was done to this row, and to what hangs on a pupil, newest first. Who only looked is in the access log."""
    is_here = sa.and_(AuditEntry.entity == obj.key(), AuditEntry.row_id == obj.id)
    if obj.key() == "student":
        is_here = AuditEntry.student_id == obj.id
    query = sa.select(AuditEntry).where(is_here, AuditEntry.action != "show")
    query = query.order_by(AuditEntry.id.desc()).limit(MOMENTS)
    places = scope.places_of_row(site.session, obj)
    return [entry(one, site, places) for one in site.session.scalars(query)]


def entry(one: AuditEntry, site: Site, places: Sequence[Place] | None) -> TimelineEntry:
    def said(name: str) -> str:
        return AuditEntry.fields()[name].show(getattr(one, name))

    reason = _("（事由：%(why)s）", why=said("reason")) if one.reason else ""
    return TimelineEntry(
        when=one.at.astimezone(HERE).strftime("%Y-%m-%d %H:%M"),
        title=_("%(act)s%(what)s", act=said("action"), what=said("entity")) + reason,
        who=said("actor_name"),
        lines=tuple(_lines(one, site, places)) if one.action != "create" else (),
        tone=TONES.get(one.action, "neutral"),
    )


def _changed_values(obj: Entity, site: Site) -> Iterator[RelatedTable]:
    """On the page of one audit row: every value it wrote."""
    lines = list(_lines(obj, site, _places_of_entry(obj, site))) if isinstance(obj, AuditEntry) else []
    if lines:
        rows = tuple(Row(n, None, tuple(Cell(text) for text in line)) for n, line in enumerate(lines))
        yield RelatedTable(_("写入的内容"), (_("项目"), _("原值"), _("现值")), rows)


def _record_of(one: AuditEntry, site: Site) -> Entity | None:
    """The row an audit row is about, where the reader may open it."""
    if one.row_id is None or one.entity not in registry or not site.can_open(registry[one.entity]):
        return None
    return site.session.get(registry[one.entity], one.row_id)


def _places_of_entry(one: AuditEntry, site: Site) -> Sequence[Place]:
    """Where what was written is today, or was then."""
    student = site.session.get(registry["student"], one.student_id) if one.student_id else None
    now = scope.places_of_row(site.session, student) if student is not None else None
    return now or (Place(one.school_id, one.authority_code),)


def _lines(one: AuditEntry, site: Site, places: Sequence[Place] | None) -> Iterator[tuple[str, str, str]]:
    """What was written, field by field, as far as the reader sees these fields where the row is."""
    if one.entity not in registry:
        return
    entity = registry[one.entity]
    before, after = one.before or {}, one.after or {}
    whole = Revealed.now(entity, site.by).whole(one.row_id, one)
    for name, field in scope.fields_at(site.by, entity, "see", places).items():
        if name in before or name in after:
            was, now = (past_text(field, side.get(name), site, whole) for side in (before, after))
            yield _(field.label), was, now
