"""The names of rights, and what a set of them amounts to: which fields of which entity one sees, edits, reveals.

A right is written "student:edit" and stored as Flask-AppBuilder's pair (can_edit, student). A limit takes one field out
of what the other rights of the same role give: "student:phone:hide" takes "student:phone:see" away, "…:lock" the edit,
"…:veil" the reveal. What is left are the powers, plain rights and field rights together: whoever decides asks for those,
so that one set of powers contains another exactly where it allows more. Who holds which is in `rights`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from flask_babel import gettext as _

from app.core.entity import Entity, registry
from app.core.fields import BY_CHANGE, BY_SYSTEM, FROM_ABOVE, Field
from app.core.wording import N_, among_quotes

OTHER_RIGHTS = {
    "person:list": N_("查看本单位人员"),
    "person:show": N_("查看本单位人员详情"),
    "person:add": N_("开通账号"),
    "person:edit": N_("修改、停用、解锁账号"),
    "person:look_as": N_("以他人视角查看"),
    "why:ask": N_("查询他人的权限"),
    "role:list": N_("查看角色"),
    "role:show": N_("查看角色的权限"),
    "role:add": N_("新建、复制角色"),
    "role:edit": N_("修改角色"),
    "role:delete": N_("删除角色"),
    "grant:list": N_("查看授权"),
    "grant:add": N_("授权"),
    "grant:delete": N_("收回授权"),
    "grant:confirm": N_("确认学校主管学籍领导"),
    "second_factor:require": N_("规定哪些角色须两步登录"),
    "address_book:list": N_("查看通讯录"),
    "certificate:issue": N_("开具、作废在读证明"),
    "list_view:share": N_("保存本单位共享的列表视图"),
    "api_docs:show": N_("查看接口说明"),
    "recycle_bin:list": N_("查看回收站"),
}
"""Rights that do not come from a declaration, each with its Chinese name."""

ACTION_WORDS = {
    "list": N_("查看列表"),
    "show": N_("查看"),
    "add": N_("新增"),
    "edit": N_("修改"),
    "delete": N_("删除"),
    "reveal": N_("查看完整号码"),
    "govern": N_("修改主管部门下达的项目"),
    "health": N_("查看健康与残疾信息"),
    "see": N_("查看"),
    "hide": N_("不显示"),
    "lock": N_("不可修改"),
    "veil": N_("不可查看完整号码"),
    "submit": N_("提交"),
    "review": N_("学校审核"),
    "approve": N_("主管部门审核"),
}
LIMITS = {"hide": "see", "lock": "edit", "veil": "reveal"}
"""Which field right a limit takes away."""
READS = ("list", "show")


# --- what there is ------------------------------------------------------------------------------------


def rights_of(entity: type[Entity]) -> Iterator[str]:
    """Every plain right that an entity's declaration brings with it."""
    key = entity.key()
    fields = entity.fields().values()
    for action in entity.__actions__:
        if action != "reveal" or any(f.mask for f in fields):
            yield f"{key}:{action}"
    if any(f.edit is FROM_ABOVE for f in fields):
        yield f"{key}:govern"
    for group in dict.fromkeys(f.private for f in fields if f.private):
        yield f"{key}:{group}"
    for duty in entity.__duties__:
        yield f"{key}:{duty}"


def limits_of(entity: type[Entity]) -> Iterator[str]:
    """Every limit that a role may put on a field of this entity. What a row is called by cannot be hidden."""
    actions, named = entity.__actions__, naming_fields(entity)
    for name, field in entity.fields().items():
        if not is_offered(field):
            continue
        if "show" in actions and name not in named:
            yield f"{entity.key()}:{name}:hide"
        if "edit" in actions and field.edit not in (BY_CHANGE, BY_SYSTEM):
            yield f"{entity.key()}:{name}:lock"
        if "reveal" in actions and field.mask is not None:
            yield f"{entity.key()}:{name}:veil"


def is_offered(field: Field) -> bool:
    """Whether people meet the field at all: not the keys that only the program sorts and places by."""
    return field.form or field.listed or bool(field.section)


def naming_fields(entity: type[Entity]) -> frozenset[str]:
    return frozenset(
        {entity.__shown_as__, entity.__natural_key__, *entity.__shown_from__} & set(entity.fields())
    )


def plain_rights() -> tuple[str, ...]:
    return (*(right for entity in registry for right in rights_of(entity)), *OTHER_RIGHTS)


def all_rights() -> tuple[str, ...]:
    """Plain rights and limits."""
    return (*plain_rights(), *(limit for entity in registry for limit in limits_of(entity)))


def is_limit(right: str) -> bool:
    return right.count(":") == 2 and right.rpartition(":")[2] in LIMITS


def limit_on(power: str) -> str | None:
    """ "student:phone:see" → "student:phone:hide", the limit that takes it away; None for a plain right."""
    what, _sep, verb = power.rpartition(":")
    if ":" not in what:
        return None
    return f"{what}:{next(limit for limit, taken in LIMITS.items() if taken == verb)}"


def reading_rights(entity: type[Entity]) -> tuple[str, ...]:
    """Whoever holds one of these reads the entity; what is edited inside another's form is read with that."""
    owner = entity.__inline_of__ if entity.__inline_of__ and not entity.__bureau_private__ else entity.key()
    return tuple(f"{owner}:{action}" for action in READS)


def field_right(entity: type[Entity], name: str, verb: str) -> str:
    """`verb`: see, edit, reveal."""
    return f"{entity.key()}:{name}:{verb}"


def asked_by(entity: type[Entity], action: str, field: str = "") -> tuple[str, ...]:
    """What one must hold to do this to a row, or to one field of it."""
    whole = f"{entity.key()}:{action}"
    verbs = {"show": "see", "list": "see", "edit": "edit", "reveal": "reveal"}
    if not field or action not in verbs:
        return (whole,)
    return (whole, field_right(entity, field, verbs[action]))


# --- what a set of them amounts to --------------------------------------------------------------------


def powers(rights: frozenset[str]) -> frozenset[str]:
    """Plain rights and field rights that this set gives, limits worked in."""
    return _powers(rights, registry.generation)


@lru_cache(maxsize=2048)
def _powers(rights: frozenset[str], generation: int) -> frozenset[str]:
    found = {right for right in rights if not is_limit(right)}
    for entity in registry:
        found.update(_field_powers(entity, rights))
    return frozenset(found)


def _field_powers(entity: type[Entity], rights: frozenset[str]) -> Iterator[str]:
    key = entity.key()
    reads = not rights.isdisjoint((*reading_rights(entity), f"{key}:show", f"{key}:list"))
    may_write, may_reveal = not rights.isdisjoint((f"{key}:edit", f"{key}:add")), f"{key}:reveal" in rights
    named = naming_fields(entity)
    for name, field in entity.fields().items():
        if f"{key}:{field.private}" not in rights if field.private else not reads:
            continue  # a private group's right may come by a grant of its own, beside the one that shows the row
        if f"{key}:{name}:hide" in rights and name not in named:
            continue
        yield f"{key}:{name}:see"
        if may_write and f"{key}:{name}:lock" not in rights:
            yield f"{key}:{name}:edit"
        if may_reveal and field.mask is not None and f"{key}:{name}:veil" not in rights:
            yield f"{key}:{name}:reveal"


# --- written for programs and for people --------------------------------------------------------------


def as_pair(right: str) -> tuple[str, str]:
    """ "student:edit" → Flask-AppBuilder's ("can_edit", "student")."""
    view, _sep, action = right.rpartition(":")
    return f"can_{action}", view


def as_right(permission: str, view: str) -> str:
    return f"{view}:{permission.removeprefix('can_')}"


def describe(right: str, *more: str) -> str:
    """ "student:edit" → "修改“学生”"; "student:phone:edit" → "修改“学生”的“联系电话”"; `more` are the same right over other
    fields of the entity."""
    if right in OTHER_RIGHTS:
        return _(OTHER_RIGHTS[right])
    what, _sep, action = right.rpartition(":")
    key, _sep, name = what.partition(":")
    label = _(registry[key].__label__) if key in registry else key
    act = _(ACTION_WORDS.get(action, action))
    if name and key in registry and name in registry[key].fields():
        names = (one.split(":")[1] for one in (right, *more))
        fields = among_quotes(_(registry[key].fields()[one].label) for one in names)
        return _("%(act)s“%(what)s”的“%(field)s”", act=act, what=label, field=fields)
    return _("%(act)s“%(what)s”", act=act, what=label)
