"""A refusal → JSON, in the one shape that every API answers with; and how JSON is written at all.

{"error": kind, "message": sentence, "complaints": [{"field": name, "message": sentence}]}. What is refused, and
why, is decided elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from flask import request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.core.errors import Denied, Invalid, Missing, Refused, Stale
from app.core.wording import N_

Kind = Literal["missing", "denied", "invalid", "stale", "unreadable", "unauthorized", "fault"]

KINDS: tuple[Kind, ...] = ("missing", "denied", "invalid", "stale", "unreadable", "unauthorized", "fault")
_REFUSALS: dict[type[Refused], tuple[int, Kind]] = {
    Missing: (404, "missing"),
    Denied: (403, "denied"),
    Invalid: (422, "invalid"),
    Stale: (409, "stale"),
}
_CODES: dict[int, Kind] = {
    401: "unauthorized",
    403: "denied",
    404: "missing",
    405: "missing",
    409: "stale",
    412: "stale",
    422: "invalid",
    429: "denied",
}
_SENTENCES = {
    400: N_("请求的内容无法读取。请对照接口说明改正后重新提交。"),
    401: N_("没有登录，或登录凭证无效、已过期。请重新登录或重新取得令牌后再试。"),
    403: N_("您没有查看或办理这一项的权限。需要这项权限的，请联系本校总管理员或主管部门管理员。"),
    404: N_("没有找到这个地址或这条记录。它可能已被删除，或不在您的管理范围内。"),
    405: N_("这个地址不支持这种请求方法。请对照接口说明改正。"),
    413: N_("提交的内容超过了大小限制。请减少内容后重新提交。"),
    415: N_("不支持提交的格式。请以JSON提交，并写明Content-Type: application/json。"),
    428: N_("缺少If-Match请求头。请先读取记录，把返回的ETag放入If-Match后再提交。"),
    429: N_("短时间内请求次数太多。请过一分钟再试。"),
    500: N_("系统没有完成这次操作，数据没有改动。请稍后再试；仍不成功的，请联系系统维护人员。"),
}
_NO_CSRF = N_("用浏览器登录状态写入时，应在X-CSRFToken请求头中带上页面的令牌。请刷新页面后重新提交。")


class Unfit(HTTPException):
    """A request that cannot be taken as it is: the body is no JSON, the version is missing."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


def as_json(
    payload: Mapping[str, Any], code: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer, its keys in the order they were given. Halves of characters, echoed, become question marks."""
    body = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(body, code, dict(headers or {}), mimetype="application/json")


def answer(
    code: int,
    kind: Kind,
    sentence: str,
    complaints: Iterable[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """The one shape."""
    listed = [{"field": name, "message": text} for name, text in complaints]
    return as_json({"error": kind, "message": sentence, "complaints": listed, **more}, code, headers)


def problem(error: Exception, **more: Any) -> Response:
    """The answer to a refusal, an HTTP error or a fault. A fault's own text is never shown."""
    if isinstance(error, Refused):
        return _refused(error, **more)
    if isinstance(error, HTTPException) and error.code is not None:
        return _http(error, error.code, **more)
    return answer(500, "fault", _(_SENTENCES[500]), **more)


def _refused(error: Refused, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    code, kind = next(found for type_, found in _REFUSALS.items() if isinstance(error, type_))
    if isinstance(error, Stale) and "If-Match" in request.headers:
        code = 412
    complaints = error.complaints if isinstance(error, Invalid) else ()
    return answer(code, kind, error.sentence, complaints, headers, **more)


def _http(error: HTTPException, code: int, **more: Any) -> Response:
    sentence = error.sentence if isinstance(error, Unfit) else _(_sentence(error, code))
    kind: Kind = "denied" if isinstance(error, CSRFError) else _CODES.get(code, "unreadable")
    if code >= 500:
        kind = "fault"
    return answer(code, kind, sentence, headers=_kept_headers(error, code), **more)


def _sentence(error: HTTPException, code: int) -> str:
    if isinstance(error, CSRFError):
        return _NO_CSRF
    return _SENTENCES.get(code, _SENTENCES[500 if code >= 500 else 400])


def _kept_headers(error: HTTPException, code: int) -> dict[str, str]:
    """Allow, Retry-After and the like; and how to log in."""
    kept = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    if code == 401:
        kept.setdefault("WWW-Authenticate", "Bearer")
    return kept
