"""The switch between the languages that stands on every page, before login and after it."""

from __future__ import annotations

from flask import current_app, g, redirect, request
from flask_appbuilder import BaseView, expose
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
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
        answer = redirect(_where_it_stood())
        languages.remember(answer, language)
        return answer


def _where_it_stood() -> str:
    """The page that the switch was pressed on, if it can be opened again: the answer to a form may have no address."""
    came = request.referrer or ""
    if not came.startswith(request.host_url):
        return "/"
    path = local_path(came.removeprefix(request.host_url.rstrip("/")))
    try:
        current_app.url_map.bind(request.host).match(path.partition("?")[0], "GET")
    except (HTTPException, RequestRedirect):
        return "/"
    return path


VIEWS = (LanguageView,)
