"""The pages that are measured, and the bare page beside them: the same rows by raw SQL, in a plain table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask

from app.extensions import db
from bench.district import COUNTIES, FIRST_ID, SCHOOL_SIZE

COLUMNS = (
    "p.id, p.name, s.id, s.name, p.gender, p.id_number, p.student_no, g.id, g.first_year + g.level - 1, "
    "c.id, c.number, p.phone, p.status, p.verification"
)
TABLES = (
    "student p JOIN school s ON s.id = p.school_id JOIN grade g ON g.id = p.grade_id "
    "LEFT JOIN school_class c ON c.id = p.class_id"
)
TEMPLATE = """<!doctype html><html lang="zh"><title>.</title><table>{% for row in rows %}
<tr><th><a href="/students/show/{{ row[0] }}">{{ row[1] }}</a></th>
<td><a href="/schools/show/{{ row[2] }}">{{ row[3] }}</a></td><td>{{ genders[row[4]] }}</td>
<td>{{ row[5][0] }}{{ '*' * 16 }}{{ row[5][-1] }}</td><td>{{ row[6][:2] }}{{ '*' * 16 }}{{ row[6][-1] }}</td>
<td><a href="/grades/show/{{ row[7] }}">{{ years[row[8]] }}</a></td>
<td><a href="/classes/show/{{ row[9] }}">{{ years[row[8]] }}（{{ row[10] }}）班</a></td>
<td>{{ row[11][:3] }}****{{ row[11][-4:] }}</td><td>{{ states[row[12]] }}</td><td>{{ marks[row[13]] }}</td></tr>
{% endfor %}</table></html>"""
WORDS = {
    "genders": {"1": "男", "2": "女"},
    "years": {7: "七年级", 8: "八年级", 10: "高一"},
    "states": {"enrolled": "在校", "pending": "待核准", "suspended": "休学", "transferred_out": "转出"},
    "marks": {"verified": "正常", "unverified": "未核验"},
}


@dataclass(frozen=True, slots=True)
class Page:
    name: str
    path: str
    bare_where: str
    bare_order: str = "p.authority_code, p.id"


def authority_of(school: int) -> str:
    """Where the n-th school of the district belongs."""
    return str(519901 + school % COUNTIES)


def pages(pupils: int) -> list[Page]:
    """The six lists of the foundation's bounds."""
    deep = FIRST_ID + int(pupils * 0.9)
    authority = authority_of(1 + int(pupils * 0.9) // SCHOOL_SIZE)
    school = FIRST_ID + 1
    number = f"G5199{pupils // 2:014d}"
    return [
        Page("first page", "/students/list/", "true"),
        Page(
            "page at 90 % depth",
            f"/students/list/?after={deep}",
            f"(p.authority_code, p.id) > ('{authority}', {deep})",
        ),
        Page(
            "one school", f"/students/list/?school_id={school}", f"p.school_id = {school}", "p.name_key, p.id"
        ),
        Page("exact number", f"/students/list/?q={number}", f"p.student_no = '{number}'"),
        Page(
            "name prefix (pinyin)",
            "/students/list/?q=wzh",
            "p.name_initials >= 'wzh' AND p.name_initials < 'wzi'",
        ),
        Page(
            "two characters within",
            "/students/list/?q=子涵",
            "name_pieces(p.name) @> ARRAY['子涵']",
        ),
    ]


def bare_site(app: Flask) -> Flask:
    """A second, tiny application: the same cells of the same rows of the same database, by one statement of raw
    SQL; no walls, no counts, no shell. `/bare/<pupils>/<n>` is the n-th of `pages(pupils)`.
    """
    with app.app_context():
        engine = db.engine
    bare = Flask("bare")
    drawn = bare.jinja_env.from_string(TEMPLATE)

    @bare.get("/bare/<int:pupils>/<int:number>")
    def draw(pupils: int, number: int) -> str:
        page = pages(pupils)[number]
        connection: Any = engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(
                f"SELECT {COLUMNS} FROM {TABLES} WHERE p.authority_code BETWEEN '510000' AND '519999' AND p.deleted_at IS NULL "
                f"AND {page.bare_where} ORDER BY {page.bare_order} LIMIT 50"
            )
            rows = cursor.fetchall()
        finally:
            connection.close()
        return drawn.render(rows=rows, **WORDS)

    return bare
