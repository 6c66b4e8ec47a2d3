"""以他人视角查看: begin and end. What is shown meanwhile is decided in `core.viewing`, kept by the gate."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import flash, redirect
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import accounts
from app.areas.people.page_models import show_path
from app.core import audit, logins, rights, saving, viewing
from app.core.errors import Denied
from app.extensions import db
from app.surfaces import security
from app.surfaces.security import current_actor


class LookView(BaseView):
    """以他人视角查看：只读，15分钟，记入访问日志。"""

    route_base = "/people/look"
    default_view = "begin"

    @expose("/<int:pk>", methods=["POST"])
    def begin(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, viewing.RIGHT)
        other = accounts.find(db.session(), by, pk)
        verdict = viewing.may_look_as(db.session(), by, other)
        if not verdict:
            raise Denied(str(verdict))
        name = other.first_name
        with saving.work() as work:
            audit.note(work.session, by, "look_as", "person", pk, **logins.place_words(work.session, other))
        security.begin_looking(pk, datetime.now(UTC) + viewing.LOOK_FOR)
        minutes = int(viewing.LOOK_FOR.total_seconds()) // 60
        flash(
            _("现在以%(name)s的视角查看，%(n)s分钟后自动结束。期间只能查看，不能保存。", name=name, n=minutes)
        )
        return redirect("/")

    @expose("/end", methods=["POST"])
    def end(self) -> Response:
        current_actor()
        other_id = security.end_looking()
        flash(_("已结束以他人视角查看。"), "success")
        return redirect(show_path(other_id) if other_id is not None else "/")


VIEWS = (LookView,)
