"""The declaration: what an entity tells about itself, and what follows from it in the database."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder import Model

from app.areas.schools.models import Grade, School, SchoolClass
from app.areas.students.models import FamilyMember, Student
from app.core.entity import Entity, OfPlace, OfPupil, Recyclable, registry
from app.core.fields import BY_CHANGE, BY_SYSTEM, Key

pytestmark = pytest.mark.usefixtures("declarations")


def test_the_registry_knows_every_entity_by_key_and_by_table():
    keys = [entity.key() for entity in registry]
    assert {
        "region",
        "school",
        "school_stage",
        "campus",
        "academic_year",
        "term",
        "grade",
        "school_class",
    } <= set(keys)
    assert {
        "student",
        "family_member",
        "stay",
        "number_history",
        "change",
        "change_party",
        "evidence_file",
    } <= set(keys)
    for entity in registry:
        assert registry[entity.key()] is entity
        assert registry.by_table(entity.__table__.name) is entity
    assert registry.by_table("ab_user") is None


def test_every_mapped_table_of_ours_is_in_the_registry(app):
    """The walls guard what the registry knows: a table that is missing from it would lie open, but for those of accounts
    and the codes of certificates, which hold no more of a pupil than his id."""
    known = {
        "enrolment_certificate",
        "role_grant",
        "login_session",
        "past_password",
        "former_name",
        "form_draft",
        "list_preference",
        "saved_view",
        "second_factor_rule",
    }
    open_tables = {name for name in Model.metadata.tables if registry.by_table(name) is None}
    assert {name for name in open_tables if not name.startswith("ab_")} == known


def test_fields_come_in_the_order_of_the_declaration_with_their_labels():
    names = list(Student.fields())
    assert names.index("name") < names.index("gender") < names.index("born_on") < names.index("status")
    assert Student.fields()["name"].label == "姓名"
    assert Student.fields()["class_id"].label == "班级", "a key takes the label of its link"
    assert Student.fields()["class_id"].link == "school_class"
    assert "id" not in Student.fields()
    assert "version" not in Student.fields()


def test_what_must_be_filled_is_said_by_the_type():
    fields = Student.fields()
    assert fields["name"].required
    assert not fields["talent"].required
    assert not fields["status"].required, "it has a default"
    assert Student.default_of("nationality") == "CHN"
    assert Student.default_of("name") is None


def test_who_writes_what():
    fields = Student.fields()
    assert {fields[n].edit for n in ("name", "id_number", "status", "class_id")} == {BY_CHANGE}
    assert {fields[n].edit for n in ("student_no", "verification")} == {BY_SYSTEM}


def test_children_are_found_by_their_keys():
    found = {(entity.key(), name) for entity, name in registry.children_of(Student)}
    assert {("family_member", "student_id"), ("number_history", "student_id")} <= found
    assert registry.inlines_of(Student) == [FamilyMember]


def test_every_table_has_id_and_version():
    for entity in registry:
        columns = entity.__table__.c
        assert columns.id.primary_key
        assert not columns.version.nullable
        assert sa.inspect(entity).version_id_col is columns.version
        assert entity.__table__.dialect_options["sqlite"]["autoincrement"], "ids are never used twice"


def test_what_is_of_a_pupil_follows_the_pupil():
    for entity in registry:
        if issubclass(entity, OfPupil):
            [key] = [
                one
                for one in entity.__table__.foreign_key_constraints
                if one.column_keys == ["student_id", "school_id", "authority_code"]
            ]
            assert (key.onupdate, key.ondelete) == ("CASCADE", "RESTRICT"), entity.key()


def test_every_row_of_a_place_or_pupil_has_both_place_columns():
    for entity in registry:
        if issubclass(entity, OfPlace):
            assert not entity.__table__.c.school_id.nullable
            assert not entity.__table__.c.authority_code.nullable


def test_no_reference_deletes_along():
    """Removal is a procedure: nothing disappears because something else did."""
    for entity in registry:
        for key in entity.__table__.foreign_key_constraints:
            assert key.ondelete in (None, "RESTRICT"), f"{entity.key()}: {key.column_keys}"


def test_constraints_have_names_that_migrations_can_address():
    for table in Model.metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"


def test_sortable_columns_have_their_indexes_for_school_and_authority():
    for entity in registry:
        indexed = [[c.name for c in index.columns] for index in entity.__table__.indexes]
        for name, field in entity.fields().items():
            if field.sort and issubclass(entity, OfPlace):
                column = field.sort if isinstance(field.sort, str) else name
                for place in ("school_id", "authority_code"):
                    assert [place, column, "id"] in indexed, f"{entity.key()}.{name}"


def test_a_row_is_named_for_people(session, acting):
    from tests import cast

    with acting("lin"):
        assert session.get_one(Student, cast.pupil("欧阳若曦")).shown() == "欧阳若曦"
        assert session.get_one(Grade, cast.grade(cast.YIZHONG, 7)).shown() == "七年级"
        assert session.get_one(SchoolClass, cast.class_of(cast.YIZHONG, 7, 10)).shown() == "七年级（10）班"
        assert session.get_one(School, cast.school(cast.YIZHONG)).shown() == cast.YIZHONG


def test_only_drafts_and_classes_go_to_the_recycle_bin():
    assert {entity.key() for entity in registry if issubclass(entity, Recyclable)} == {
        "student",
        "school_class",
    }


def test_keys_point_at_tables_that_are_there():
    for entity in registry:
        for field in entity.fields().values():
            if isinstance(field, Key):
                assert field.target.partition(".")[0] in Model.metadata.tables


def test_every_entity_begins_with_a_chinese_line():
    """An official may read it."""
    for entity in registry:
        assert any("\u4e00" <= ch <= "\u9fff" for ch in (entity.__doc__ or "").partition("\n")[0]), (
            entity.__name__
        )
        assert issubclass(entity, Entity)
