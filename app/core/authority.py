"""In whose name a BY_CHANGE field is written: an approved change, or a named procedure.

An Authority is handed to `saving`; the write wall accepts key data and places only with one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Authority:
    """`name` is kept in the audit ("placement", "change:123"); `change_id` where a case stands behind it.

    `returns` says that the pupil comes back by a legal right (复学, 恢复入学资格), which a class cap never refuses in
    compulsory schooling.
    """

    name: str
    change_id: int | None = None
    returns: bool = False
