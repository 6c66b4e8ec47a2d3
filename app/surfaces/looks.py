"""Who looked at which pupil: a line in the audit for every page, form or answer that shows one pupil's record.

Lists are not logged: they show masked numbers, and a line for each row of each page would hide what matters.
"""

from __future__ import annotations

from app.core import audit, scope
from app.core.entity import Entity
from app.core.rights import Actor


def is_about_a_pupil(entity: type[Entity]) -> bool:
    return entity.key() == "student" or (entity is not audit.AuditEntry and "student_id" in entity.fields())


def note(by: Actor, obj: Entity) -> None:
    """Logs the look before anything is shown."""
    if is_about_a_pupil(type(obj)):
        row = audit.row(by, "show", obj.key(), obj.id, subject=obj.filed_as(), **scope.audit_place_of(obj))
        audit.write_apart([row])
