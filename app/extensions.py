"""The shared objects, made but not configured: database, form protection; and the door that flushes open.

The naming convention must stand before Flask-AppBuilder's security models are imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask_appbuilder import Model

Model.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

from flask_bootstrap import Bootstrap5  # noqa: E402
from flask_sqlalchemy import SQLAlchemy  # noqa: E402
from flask_sqlalchemy.session import Session  # noqa: E402
from flask_wtf.csrf import CSRFProtect  # noqa: E402

_door: ContextVar[bool] = ContextVar("door", default=False)


@contextmanager
def open_door() -> Iterator[None]:
    """While open, statements may write entity tables. Only `flush()` and `core.saving` open it."""
    token = _door.set(True)
    try:
        yield
    finally:
        _door.reset(token)


def door_is_open() -> bool:
    return _door.get()


class GuardedSession(Session):
    def flush(self, objects: Any = None) -> None:
        with open_door():
            super().flush(objects)


db = SQLAlchemy(model_class=Model, session_options={"class_": GuardedSession})
csrf = CSRFProtect()
bootstrap = Bootstrap5()
