"""A database with very many pupils, written by PostgreSQL itself: a million in about a minute.

The rows are plausible for an index and a planner (names, schools, authorities spread as in a province), not for a
reader; the demo district is for readers.
"""

from __future__ import annotations

import sqlalchemy as sa
from flask_appbuilder import Model

SCHOOL_SIZE, CLASS_SIZE = 1_000, 50  # pupils
FIRST_ID = 10_000  # of schools, grades, classes and pupils: the cast lives below
COUNTIES = 40  # authorities that the schools are spread over
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
SURNAME_KEYS = [
    "wang",
    "li",
    "zhang",
    "liu",
    "chen",
    "yang",
    "huang",
    "zhao",
    "wu",
    "zhou",
    "xu",
    "sun",
    "ma",
    "zhu",
    "hu",
    "guo",
    "he",
    "lin",
    "gao",
    "luo",
]
GIVEN = "子涵宇浩然欣怡梓萱博文雨桐思琪俊杰嘉一诺晨曦玉"
GIVEN_KEYS = [
    "zi",
    "han",
    "yu",
    "hao",
    "ran",
    "xin",
    "yi",
    "zi",
    "xuan",
    "bo",
    "wen",
    "yu",
    "tong",
    "si",
    "qi",
    "jun",
    "jie",
    "jia",
    "yi",
    "nuo",
    "chen",
    "xi",
    "yu",
]

_BY_TYPE = ((sa.Boolean, "false"), (sa.Integer, "0"), (sa.Date, "date '2013-09-01'"), (sa.Numeric, "0"))


def statements(pupils: int) -> list[str]:
    """The SQL that fills the database, to be run one by one outside the walls."""
    schools = max(1, pupils // SCHOOL_SIZE)
    first = FIRST_ID
    school = f"{first} + s"
    authority = f"(519901 + s % {COUNTIES})::text"
    return [
        _insert(
            "school",
            {
                "id": school,
                "school_code": "'31' || lpad(s::text, 8, '0')",
                "name": "'第' || s || '学校'",
                "authority_code": authority,
                "location_code": authority,
                "type": "'311'",
                "organiser": "'1'",
                "urban_rural": "'111'",
            },
            f"generate_series(1, {schools}) s",
        ),
        _insert(
            "school_stage",
            {
                "id": school,
                "school_id": school,
                "authority_code": authority,
                "stage": "'2'",
                "years": "3",
                "first_year": "7",
            },
            f"generate_series(1, {schools}) s",
        ),
        _insert(
            "grade",
            {
                "id": school,
                "school_id": school,
                "authority_code": authority,
                "stage": "'2'",
                "entry_year": "2026",
                "level": "1",
                "first_year": "7",
                "order_key": "20974",
            },
            f"generate_series(1, {schools}) s",
        ),
        _insert(
            "school_class",
            {
                "id": f"{first} + s * {SCHOOL_SIZE // CLASS_SIZE} + c",
                "school_id": school,
                "grade_id": school,
                "authority_code": authority,
                "number": "c + 1",
                "class_type": "'0'",
                "order_key": "c",
            },
            f"generate_series(1, {schools}) s, generate_series(0, {SCHOOL_SIZE // CLASS_SIZE - 1}) c",
        ),
        _insert("student", _pupil(first), f"generate_series(0, {pupils - 1}) n, lateral {_parts()} p"),
        *(f"SELECT setval(pg_get_serial_sequence('{t}', 'id'), (SELECT max(id) FROM {t}))" for t in TABLES),
        "CHECKPOINT",  # only what is on the disk counts as seen by all
        *(f"VACUUM ANALYZE {t}" for t in TABLES),  # as autovacuum would within a minute
    ]


TABLES = ("school", "school_stage", "grade", "school_class", "student")


def _parts() -> str:
    """Per pupil n: the school s, the class c, and which name parts; 7919 and 104729 are primes that spread them."""
    return (
        f"(SELECT 1 + n / {SCHOOL_SIZE} AS s, (n % {SCHOOL_SIZE}) / {CLASS_SIZE} AS c, "
        f"1 + (n::bigint * 7919) % {len(SURNAMES)} AS a, 1 + (n::bigint * 104729 / 7) % {len(GIVEN)} AS g, "
        f"1 + (n::bigint * 15485863 / 13) % {len(GIVEN)} AS h)"
    )


def _pupil(first: int) -> dict[str, str]:
    surname, given = _array(SURNAME_KEYS), _array(GIVEN_KEYS)
    name = f"substr('{SURNAMES}', p.a::int, 1) || substr('{GIVEN}', p.g::int, 1) || substr('{GIVEN}', p.h::int, 1)"
    key = f"{surname}[p.a] || ' ' || {given}[p.g] || ' ' || {given}[p.h]"
    initials = f"left({surname}[p.a], 1) || left({given}[p.g], 1) || left({given}[p.h], 1)"
    return {
        "id": f"{first} + n",
        "school_id": f"{first} + p.s",
        "grade_id": f"{first} + p.s",
        "class_id": f"{first} + p.s * {SCHOOL_SIZE // CLASS_SIZE} + p.c",
        "authority_code": f"(519901 + p.s % {COUNTIES})::text",
        "student_no": "'G5199' || lpad(n::text, 14, '0')",
        "id_number": "'5199' || lpad(n::text, 14, '0')",
        "name": name,
        "name_key": f"{key} || ' ' || {name}",
        "name_initials": initials,
        "gender": "(1 + n % 2)::text",
        "status": "'enrolled'",
        "stage": "'2'",
        "phone": "'14000000000'",
        "entry_month": "'202609'",
        "id_type": "'1'",
        "nationality": "'CHN'",
        "ethnicity": "'01'",
        "verification": "'verified'",
    }


def _array(words: list[str]) -> str:
    return "(ARRAY['" + "','".join(words) + "'])"


def _insert(table: str, given: dict[str, str], source: str) -> str:
    """Fills every column that must be filled; `given` are SQL expressions, the rest a harmless value of the type."""
    wanted = {
        c.name: given.get(c.name) or _filler(c)
        for c in Model.metadata.tables[table].columns
        if not c.nullable
    }
    columns = {**wanted, **{name: sql for name, sql in given.items() if name not in wanted}}
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM {source}"


def _filler(column: sa.Column[object]) -> str:
    if column.name == "version":
        return "1"
    for kind, sql in _BY_TYPE:
        if isinstance(column.type, kind):
            return sql
    return "'1'"
