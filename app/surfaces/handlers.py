"""From the four refusals to one page and one JSON form each; security headers; what every page is given."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, g, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.core.errors import Denied, Invalid, Missing, Refused, Stale
from app.core.fields import DAY_FORM
from app.surfaces import languages
from app.surfaces.problems import Unfit, problem
from app.surfaces.viewmodels import Action, ErrorPage

log = logging.getLogger(__name__)

CODES = {Missing: 404, Denied: 403, Invalid: 422, Stale: 409}
TITLES = {
    400: "请求不完整",
    401: "请先登录",
    403: "没有权限",
    404: "没有找到",
    405: "不支持这种操作",
    409: "记录已被修改",
    413: "提交的内容太大",
    415: "不支持这种格式",
    422: "填写的内容需要改正",
    428: "缺少记录的版本",
    429: "操作太频繁",
    500: "系统出现故障",
}
SENTENCES = {
    400: "提交的内容不完整或已过期。请返回上一页，刷新后重新提交。",
    401: "您还没有登录，或登录已过期。请重新登录。",
    403: "您没有查看或办理这一项的权限。需要这项权限的，请联系本校总管理员或主管部门管理员。",
    404: "没有找到这个页面或这条记录。它可能已被删除，或不在您的管理范围内。",
    405: "这个地址不支持这种操作。请从页面上的按钮办理。",
    413: "提交的内容超过了大小限制。请减少内容或压缩图片后重新提交。",
    415: "不支持提交的格式。请使用页面上的表单提交。",
    429: "短时间内操作次数太多。请过一分钟再试。",
    500: "系统没有完成这次操作，您的数据没有改动。请稍后再试；仍不成功的，请联系系统维护人员。",
}


def wants_json() -> bool:
    """Programs, and the scripts of our own pages: what they ask for is no page."""
    is_called = request.path.startswith(("/api/", "/lookup/"))
    return is_called or request.accept_mimetypes.best == "application/json"


def register(app: Flask) -> None:
    app.register_error_handler(Refused, on_refused)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(Exception, on_fault)
    app.before_request(_make_nonce)
    app.after_request(_add_headers)
    app.context_processor(_on_every_page)
    app.jinja_env.globals["day_form"] = DAY_FORM


# --- refusals -----------------------------------------------------------------------------------------


def on_refused(error: Refused) -> tuple[Response | str, int] | Response:
    code = CODES[type(error)]
    if wants_json():
        return problem(error)
    return _page(code, error.sentence), code


def on_http(error: HTTPException) -> tuple[Response | str, int] | Response:
    code = error.code or 500
    if error.response is not None or code < 400:
        return error.get_response()
    if (
        code == 403 and "refusal" in g
    ):  # Flask-AppBuilder's decorators only say no; the gate knows which right
        return on_refused(Denied(g.refusal))
    if wants_json():
        return problem(error)
    sentence = error.sentence if isinstance(error, Unfit) else _(SENTENCES.get(code, SENTENCES[400]))
    return _page(code, sentence), code


def on_fault(error: Exception) -> tuple[Response | str, int] | Response:
    """An unforeseen fault: its kind and place go to the log, never its text, which may hold personal data."""
    trail = error.__traceback__
    while trail is not None and trail.tb_next is not None:
        trail = trail.tb_next
    where = f"{trail.tb_frame.f_code.co_filename}:{trail.tb_lineno}" if trail is not None else "?"
    log.error("fault %s at %s, endpoint %s", type(error).__name__, where, request.endpoint)
    if wants_json():
        return problem(error)
    return _page(500, _(SENTENCES[500])), 500


def _page(code: int, sentence: str) -> str:
    back = request.referrer if request.referrer and request.referrer.startswith(request.host_url) else None
    actions = [Action(_("返回上一页"), back)] if back else []
    actions.append(Action(_("回到首页"), "/", style="primary"))
    page = ErrorPage(code, _(TITLES.get(code, TITLES[400])), sentence, actions=actions)
    return render_template("error.html", page=page)


# --- headers ------------------------------------------------------------------------------------------


def _make_nonce() -> None:
    g.csp_nonce = secrets.token_urlsafe(16)


def _add_headers(response: Response) -> Response:
    nonce = g.get("csp_nonce", "")
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "DENY")
    if not request.path.startswith(("/static/", "/bootstrap/")):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _on_every_page() -> dict[str, object]:
    from flask import current_app

    return {
        "csp_nonce": g.get("csp_nonce", ""),
        "html_lang": languages.tag_of(get_locale() or "zh-Hans-CN"),
        "bureau_phone": current_app.config["BUREAU_PHONE"] or None,
        "_": _,
    }
