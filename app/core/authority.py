"""In whose name a BY_CHANGE field is written: an approved change, or a named procedure.

An Authority is handed to `saving`; the write wall accepts key data and places only with one. It replaces the right to
edit, never the scope: a procedure stays where its actor may look, or among the schools that it names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authority:
    """`name` is kept in the audit ("placement", "change:123"); `change_id` where a case stands behind it.

    `schools` are the parties of a case: rows there may be touched though the actor does not see them (a transfer moves a
    pupil to where the old school may not look). `returns` says that the pupil comes back by a legal right (复学, 恢复入学资格), which a class cap never refuses in
    compulsory schooling.
    """

    name: str
    change_id: int | None = None
    returns: bool = False
    schools: frozenset[int] = frozenset()
