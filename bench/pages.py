"""The pages that are measured, and the bare page beside them: the same rows by raw SQL, in a plain table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, render_template_string
from flask.testing import FlaskClient

from app.extensions import db
from bench.district import FIRST_ID

FIELDS = "id, name, gender, student_no, id_number, grade_id, class_id, phone, status, verification"
TEMPLATE = """<!doctype html><title>.</title><table>{% for row in rows %}<tr>
{% for text in row %}<td>{{ text }}</td>{% endfor %}</tr>{% endfor %}</table>"""


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    path: str
    bare_where: str
    bare_order: str = "authority_code, id"


def pages(pupils: int) -> list[Page]:
    """The six lists of the foundation's bounds."""
    deep = FIRST_ID + int(pupils * 0.9)
    school = FIRST_ID + 1
    number = f"G5199{pupils // 2:014d}"
    return [
        Page("first page", "/students/list/", "true"),
        Page(
            "page at 90 % depth",
            f"/students/list/?after={deep}",
            f"(authority_code, id) > ('519930', {deep})",
        ),
        Page("one school", f"/students/list/?school_id={school}", f"school_id = {school}", "name_key, id"),
        Page("exact number", f"/students/list/?q={number}", f"student_no = '{number}'"),
        Page(
            "name prefix (pinyin)",
            "/students/list/?q=wzh",
            "name_initials >= 'wzh' AND name_initials < 'wzi'",
        ),
        Page(
            "two characters within",
            "/students/list/?q=子涵",
            "string_to_array(name, NULL) @> ARRAY['子', '涵']",
        ),
    ]


def bare_client(app: Flask) -> FlaskClient:
    """A client of a second, tiny application: the same rows from the same database, no walls, no labels, no shell.

    `/bare/<n>` is the n-th of `pages`.
    """
    with app.app_context():
        engine = db.engine
    bare = Flask("bare")

    @bare.get("/bare/<int:pupils>/<int:number>")
    def draw(pupils: int, number: int) -> str:
        page = pages(pupils)[number]
        connection: Any = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(
                f"SELECT {FIELDS} FROM student WHERE authority_code BETWEEN '510000' AND '519999' "
                f"AND {page.bare_where} ORDER BY {page.bare_order} LIMIT 51"
            )
            rows = cursor.fetchall()
        finally:
            connection.close()
        return render_template_string(TEMPLATE, rows=rows)

    return bare.test_client()
