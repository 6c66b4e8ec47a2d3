"""Who changed what, from what to what: one insert-only row per saved entity, and per look at a pupil.

Values are raw codes and ISO dates; labels and masks are applied when a row is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from flask import has_request_context, request
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.entity import READ_ONLY, Entity, Scope, registry
from app.core.fields import BigId, Text, Unreadable, col
from app.core.wording import N_
from app.extensions import db, open_door

if TYPE_CHECKING:
    from app.core.rights import Actor


SUBJECT = 80  # characters
LOOKS = ("show", "reveal")  # actions that change nothing
OTHER_NAMES = {
    "person": N_("人员"),
    "role_grant": N_("授权"),
    "role": N_("角色"),
    "second_factor_rule": N_("两步登录规定"),
    "certificate": N_("在读证明"),
    "list_view": N_("列表视图"),
    "scope": N_("管理范围以外"),
}
"""What is audited and is not an entity."""
OWN_WORDS = {
    "seed": N_("演示数据"),
    "command": N_("服务器命令"),
    "worker": N_("后台任务"),
    "login": N_("登录程序"),
    "roles": N_("角色调整"),
    "certificates": N_("证明查验"),
    "figures": N_("统计程序"),
    "why": N_("权限查询"),
    "address book": N_("通讯录"),
    "duplicate check": N_("查重"),
    "number check": N_("核对学籍号"),
    "class seats": N_("核对班额"),
    "open cases to hand over": N_("查找未办结业务"),
    "who saved first": N_("核对先后保存"),
    "photo": N_("学生照片采集"),
    "class_teacher": N_("班主任安排"),
    "hand_over": N_("工作交接"),
}
"""Names that the system gives itself and its reasons, as they are kept → as they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityName(Text):
    """The key of an entity, shown as its label."""

    kind: ClassVar[str] = "code"

    def read(self, text: str) -> str:
        if text not in dict(self.options()):
            raise Unreadable(_("“%(v)s”不在可选的对象中。请从下拉列表中选择。", v=text[:20]))
        return text

    def show(self, value: str | None) -> str:
        key = value or ""
        return _(registry[key].__label__) if key in registry else _(OTHER_NAMES.get(key, key))

    def options(self) -> tuple[tuple[str, str], ...]:
        keys = (*(e.key() for e in registry if e is not AuditEntry), *OTHER_NAMES)
        return tuple((key, self.show(key)) for key in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWord(Text):
    """What a person is called or wrote; or a word of the system's own, which is shown in the language of the page."""

    def show(self, value: str | None) -> str:
        return _(OWN_WORDS[value]) if value in OWN_WORDS else value or ""


class AuditEntry(Entity):
    """操作记录：谁在何时把什么从什么改成什么，只增不改。"""

    __label__ = "操作记录"
    __path__ = "audit"
    __menu__ = "系统管理 › 访问日志"
    __actions__ = READ_ONLY
    __scope__: ClassVar[Scope] = "audit"
    __shown_as__ = "action"
    __order__ = "-id"
    __extra_args__ = (
        sa.Index("ix_audit_entry_school_id_id", "school_id", "id"),
        sa.Index("ix_audit_entry_authority_code_id", "authority_code", "id"),
        sa.Index("ix_audit_entry_student_id_id", "student_id", "id"),
        sa.Index("ix_audit_entry_entity_row_id", "entity", "row_id"),
    )

    at: Mapped[datetime] = col.moment("时间", listed=True, filter=True)
    actor_name: Mapped[str] = col.described(OwnWord(label="操作人", length=64, listed=True), sa.String(64))
    action: Mapped[str] = col.code("操作", "audit_action", listed=True)
    entity: Mapped[str] = col.described(EntityName(label="对象", length=40, listed=True), sa.String(40))
    subject: Mapped[str | None] = col.text("姓名或名称", SUBJECT, search=True, listed=True)
    row_id: Mapped[int | None] = col.number("编号", high=10**12, type_=BigId, filter=False)
    reason: Mapped[str | None] = col.described(OwnWord(label="事由", length=200, listed=True), sa.String(200))
    authority: Mapped[str | None] = col.described(OwnWord(label="依据", length=60), sa.String(60))
    address: Mapped[str | None] = col.text("来源地址", 45, listed=True)
    school_id: Mapped[int | None] = mapped_column(BigId)
    authority_code: Mapped[str | None] = mapped_column(sa.String(6))
    student_id: Mapped[int | None] = mapped_column(BigId)
    actor_id: Mapped[int | None] = mapped_column(sa.Integer)
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


def row(
    by: Actor,
    action: str,
    entity: str,
    row_id: int | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    subject: str | None = None,
    reason: str | None = None,
    authority: str | None = None,
    school_id: int | None = None,
    authority_code: str | None = None,
    student_id: int | None = None,
) -> dict[str, Any]:
    """The column values of one audit row; `subject` is the record's name for people, never a number that is masked."""
    return {
        "at": datetime.now(UTC),
        "actor_id": by.id,
        "actor_name": by.name,
        "action": action,
        "entity": entity,
        "row_id": row_id,
        "before": dict(before) if before else None,
        "after": dict(after) if after else None,
        "subject": subject[:SUBJECT] if subject else None,
        "reason": reason,
        "authority": authority,
        "address": request.remote_addr if has_request_context() else None,
        "school_id": school_id,
        "authority_code": authority_code,
        "student_id": student_id,
        "version": 1,
    }


def write(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts audit rows in one statement, in the session's transaction."""
    found = list(rows)
    if found:
        with open_door():
            session.connection().execute(sa.insert(AuditEntry.__table__), found)


def write_apart(rows: Iterable[Mapping[str, Any]]) -> None:
    """Inserts audit rows in a transaction of their own: a look is a fact, whatever becomes of the request."""
    with db.engine.connect().execution_options(writing=True) as connection, connection.begin(), open_door():
        connection.execute(sa.insert(AuditEntry.__table__), list(rows))


def note(
    session: Session, by: Actor, action: str, entity: str, row_id: int | None = None, **words: Any
) -> None:
    """Records an act that saves no entity: a reveal, a look-up across scopes, a grant, a login."""
    write(session, [row(by, action, entity, row_id, **words)])
