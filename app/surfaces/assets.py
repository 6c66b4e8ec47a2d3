"""Files that pages are made with: addresses that change with the content, kept for a year; Bootstrap cut to what is
used; and everything that is text sent compressed, pages only to where nobody else could have made the browser ask.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import flask_bootstrap
from flask import Blueprint, Flask, Response, current_app, request, url_for
from werkzeug.security import safe_join
from werkzeug.wrappers import Response as AnyResponse

YEAR = 365 * 24 * 3600  # seconds
LEAST = 1_000  # bytes; less fits a packet anyway
LEVEL = 6  # of gzip's nine
TEXTS = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")
NO_ONE_ELSE = ("same-origin", "none")
"""Sec-Fetch-Site of a request that no page of another site has caused."""


# --- one file, one address ----------------------------------------------------------------------------


def version_in(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def is_static() -> bool:
    return (request.endpoint or "").rpartition(".")[2] == "static"


def keep(response: AnyResponse, version: str) -> None:
    """The file under an address with its version never changes; any other address is asked for anew now and then."""
    if request.args.get("v") == version:
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"


def _add_version(endpoint: str, words: dict[str, Any]) -> None:
    """To the addresses that templates write."""
    if endpoint.rpartition(".")[2] == "static" and "v" not in words:
        words |= {"v": version} if (version := _version_at(endpoint, words.get("filename", ""))) else {}


def _version_at(endpoint: str, name: str) -> str:
    """ "" where there is no such file."""
    holder = current_app.blueprints.get(endpoint.rpartition(".")[0], current_app)
    path = safe_join(holder.static_folder or "", name) if holder.static_folder else None
    if path is None or not Path(path).is_file():
        return ""
    state = Path(path).stat()
    return _version_of(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _version_of(path: str, _changed: int, _size: int) -> str:
    return version_in(Path(path).read_bytes())


def _keep_files(response: AnyResponse) -> AnyResponse:
    name = (request.view_args or {}).get("filename")
    if is_static() and name and response.status_code in (200, 304):
        keep(response, _version_at(request.endpoint or "", name))
    return response


# --- Bootstrap ----------------------------------------------------------------------------------------

STYLES = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/css/bootstrap.min.css"
CLASSES = (
    "btn",
    "form-control",
    "form-select",
    "form-check-input",
    "form-label",
    "is-invalid",
    "visually-hidden",
)
"""The beginnings of the names of its classes that pages use."""
_CLASS = re.compile(r"\.(?=[a-z])([\w-]+)")


def cut(styles: str) -> str:
    """The style sheet reduced to rules for elements and for classes in CLASSES."""
    kept = []
    for head, body in _rules(styles):
        if head.startswith("@media"):
            body = cut(body)
        elif not head.startswith("@"):
            head = ",".join(one for one in _selectors(head) if _is_used(one))
        if head and body and not head.startswith("@keyframes"):
            kept.append(f"{head}{{{body}}}")
    return "".join(kept)


def _rules(styles: str) -> list[tuple[str, str]]:
    """(selectors or @-word, what stands in its braces) of the outermost level."""
    found, depth, start, opened = [], 0, 0, 0
    for at, char in ((m.start(), m[0]) for m in re.finditer(r"[{}]", styles)):
        depth += 1 if char == "{" else -1
        if char == "{" and depth == 1:
            opened = at
        elif char == "}" and depth == 0:
            found.append((_bare(styles[start:opened]), styles[opened + 1 : at]))
            start = at + 1
    return found


def _bare(head: str) -> str:
    """Without comments, and without @-words that have no braces (@charset)."""
    return re.sub(r"(?s)/\*.*?\*/|@charset[^;]*;", "", head).strip()


def _selectors(head: str) -> list[str]:
    """At the commas that stand in no brackets."""
    return re.split(r",(?![^(]*\))", head)


def _is_used(selector: str) -> bool:
    return all(name.startswith(CLASSES) for name in _CLASS.findall(selector))


def _serve_styles(app: Flask) -> None:
    content = cut(STYLES.read_text(encoding="utf-8")).encode()
    version = version_in(content)
    blueprint = Blueprint("styles", __name__)

    @blueprint.get("/static/bootstrap.css", endpoint="static")
    def styles() -> Response:
        answer = Response(content, mimetype="text/css")
        keep(answer, version)
        return answer

    app.register_blueprint(blueprint)
    app.jinja_env.globals["bootstrap_url"] = lambda: url_for("styles.static", v=version)


# --- compression --------------------------------------------------------------------------------------


def _compress(response: AnyResponse) -> AnyResponse:
    if response.mimetype not in TEXTS or response.status_code in (204, 206, 304):
        return response
    response.vary.add("Accept-Encoding")
    if not is_static():
        response.vary.add("Sec-Fetch-Site")
    if _may_compress(response):
        response.direct_passthrough = False
        content = response.get_data()
        if len(content) >= LEAST:
            response.set_data(_packed(content) if is_static() else gzip.compress(content, LEVEL))
            response.headers["Content-Encoding"] = "gzip"
            etag, _is_weak = response.get_etag()
            if etag:
                response.set_etag(etag, weak=True)
    return response


def _may_compress(response: AnyResponse) -> bool:
    """A page holds secrets and echoes words; whoever can choose the words and see the length could guess the secrets
    (BREACH). So a page is compressed only where the browser says that no other site caused the request."""
    if request.method == "HEAD" or "Content-Encoding" in response.headers:
        return False
    if "gzip" not in request.accept_encodings or not (is_static() or response.is_sequence):
        return False
    site = request.headers.get("Sec-Fetch-Site")
    return is_static() or (site in NO_ONE_ELSE if site else not request.is_secure)


@lru_cache(maxsize=32)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9)


def register(app: Flask) -> None:
    app.url_defaults(_add_version)
    app.after_request(_keep_files)
    app.after_request(_compress)
    _serve_styles(app)
