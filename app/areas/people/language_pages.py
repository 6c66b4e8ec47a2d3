"""The switch between the languages that stands on every page, before login and after it."""

from __future__ import annotations

from flask import g, redirect, request
from flask_appbuilder import BaseView, expose
from werkzeug.wrappers import Response

from app.areas.people import own
from app.core import logins, saving
from app.surfaces import languages
from app.surfaces.security import LANGUAGE_PATH, local_path


class LanguageView(BaseView):
    """语言。"""

    route_base = LANGUAGE_PATH.rstrip("/")
    default_view = "switch"

    @expose("/", methods=["POST"])
    def switch(self) -> Response:
        """Whoever is logged in keeps it with the account, everybody else in this browser."""
        language = request.form.get("language", "")
        own.require_known(language)
        if g.actor is not None:
            with saving.work() as work:
                user = logins.locked_row(work.session, g.user.id)
                assert user is not None  # the request was let in with it
                own.change_language(work.session, user, language)
        answer = redirect(local_path(request.form.get("next")))
        languages.remember(answer, language)
        return answer


VIEWS = (LanguageView,)
