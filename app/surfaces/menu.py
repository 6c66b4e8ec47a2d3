"""The menu of wording.md, reduced to what exists and what this person may open. One place knows its order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, g, request
from flask_babel import get_locale
from flask_babel import gettext as _

from app.core.databases import BUREAU_PATH
from app.core.entity import Entity, registry
from app.core.rights import Actor
from app.surfaces.viewmodels import MenuGroup, MenuItem

SCHOOL_GROUPS = ("我的待办", "学校管理", "学籍管理", "档案管理", "系统管理", "帮助")
ICONS = {
    "首页": "house",
    "我的待办": "inbox",
    "学校管理": "building",
    "学籍管理": "people",
    "档案管理": "archive",
    "系统管理": "gear",
    "主管部门查看": "binoculars",
    "帮助": "question-circle",
}
HOME, BUREAU = "首页", "主管部门查看"
_ORDER = (
    "草稿箱",
    "区域概览",
    "学校",
    "学段",
    "年级",
    "班级",
    "学生",
    "异动业务",
    "学籍记录",
    "学籍号历史",
    "家庭成员或监护人",
    "佐证材料",
    "学校基本信息",
    "学段与主管部门",
    "校区管理",
    "年级管理",
    "班级管理",
    "学生花名册",
    "异动查询",
    "学籍档案查询",
    "个人设置",
    "通讯录",
    "用户管理",
    "班主任安排",
    "角色管理",
    "授权管理",
    "权限查询",
    "两步登录规定",
    "访问日志",
    "回收站",
    "通知公告",
    "行政区划",
    "学年",
    "学期",
    "操作指南",
    "数据字典",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page written by hand that wants a place in the menu."""

    menu: str  # "组 › 项"
    url: str
    right: str = ""  # "" for everyone who is logged in
    for_schools: bool = False  # not for people of a bureau, whatever they hold


_entries: list[Entry] = []


def add(entry: Entry) -> None:
    if entry not in _entries:
        _entries.append(entry)


def groups(by: Actor, path: str) -> list[MenuGroup]:
    """The groups this person sees, in the order of wording.md; the page at `path` is marked."""
    asked = (by.usable_rights, by.is_of_bureau, registry.generation, tuple(_entries), str(get_locale()))
    found = _ordered(*asked)
    here = _nearest((url for _name, _icon, items in found for _label, url in items), path)
    return [_group(*one, here) for one in found]


@lru_cache(maxsize=256)
def _ordered(
    rights: frozenset[str], is_of_bureau: bool, generation: int, entries: tuple[Entry, ...], language: str
) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(group, icon, its (label, address) pairs). Kept: people of one role and language have one menu."""
    found: dict[str, list[tuple[str, str]]] = {}
    for menu, url in _all(rights, is_of_bureau, entries):
        group, _sep, label = menu.partition(" › ")
        found.setdefault(group, []).append((label, url))
    return [
        (
            _(name),
            ICONS.get(name, "dot"),
            [(_(label), url) for label, url in sorted(found[name], key=lambda item: _rank(item[0]))],
        )
        for name in sorted(found, key=_group_rank)
    ]


def rank(menu: str) -> tuple[int, tuple[int, str]]:
    """Sorts places ("组 › 项") as the menu does."""
    group, _sep, label = menu.partition(" › ")
    return _group_rank(group), _rank(label)


def _group_rank(name: str) -> int:
    groups = (HOME, BUREAU, *SCHOOL_GROUPS)
    return groups.index(name) if name in groups else 99


def _rank(label: str) -> tuple[int, str]:
    return (_ORDER.index(label) if label in _ORDER else 99, label)


def _group(name: str, icon: str, items: list[tuple[str, str]], here: str) -> MenuGroup:
    made = tuple(MenuItem(label, url, url == here) for label, url in items)
    return MenuGroup(name, made, icon, any(item.active for item in made))


def _nearest(urls: Iterable[str], path: str) -> str:
    """The entry that leads to the page at `path`, or to what lies nearest above it; "" where none does."""
    return max((url for url in urls if _is_here(url, path)), key=lambda url: len(_base(url)), default="")


def _is_here(url: str, path: str) -> bool:
    base = _base(url)
    return path == url or (base.count("/") > 1 and base != BUREAU_PATH and path.startswith(base))


def _base(url: str) -> str:
    """What the addresses of its pages begin with."""
    return url.removesuffix("list/")


def _all(rights: frozenset[str], is_of_bureau: bool, entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    if is_of_bureau:
        yield from _bureau(rights)
    for entity in registry:
        if not entity.__menu__ or f"{entity.key()}:list" not in rights or "list" not in entity.__actions__:
            continue
        if is_of_bureau and entity.__bureau__ and not can_write(rights, entity):
            continue  # read on the bureau's own site
        yield entity.__menu__, f"/{entity.__path__}/list/"
    for entry in entries:
        if entry.for_schools and is_of_bureau:
            continue
        if not entry.right or entry.right in rights:
            yield entry.menu, entry.url


def _bureau(rights: frozenset[str]) -> Iterator[tuple[str, str]]:
    lists = [e for e in registry if e.__bureau__ and f"{e.key()}:list" in rights]
    if lists:
        yield f"{BUREAU} › 区域概览", BUREAU_PATH
    for entity in lists:
        yield f"{BUREAU} › {entity.__bureau_label__ or entity.__label__}", f"/bureau/{entity.__path__}/"


def can_write(rights: frozenset[str], entity: type[Entity]) -> bool:
    return any(f"{entity.key()}:{verb}" in rights for verb in ("add", "edit", "delete", "govern"))


def register(app: Flask) -> None:
    add(Entry(f"{HOME} › {HOME}", "/"))
    add(Entry("系统管理 › 回收站", "/recycle-bin/", "recycle_bin:list"))

    @app.context_processor
    def menu_for_page() -> dict[str, object]:
        by = g.get("actor")
        return {"menu": groups(by, request.path) if by is not None else []}
