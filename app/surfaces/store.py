"""Flask-AppBuilder's SQLAInterface made read-only: every write goes through core.saving."""

from __future__ import annotations

from typing import Any, NoReturn

from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.extensions import db


class ReadOnlyStore(SQLAInterface):
    def __init__(self, model: type) -> None:
        super().__init__(model, db.session)

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("rows are written through core.saving, not through the store")

    add = edit = delete = delete_all = _refuse
