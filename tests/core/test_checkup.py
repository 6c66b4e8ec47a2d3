"""`flask check`: a sound set-up has no findings; each thing that is wrong has its own, with a way out."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import scoped_session, sessionmaker

from app import create_app
from app.core import checkup, powers
from app.core.rights import Grant
from app.extensions import db


def ids(app) -> list[str]:
    return [finding.id for finding in checkup.findings(app)]


@pytest.fixture
def checked(app, session):
    """The application of the tests, in a context."""
    return app


def test_a_sound_set_up_has_no_findings(checked):
    assert list(checkup.findings(checked)) == []


def test_each_finding_says_what_and_the_way_out(checked, monkeypatch):
    monkeypatch.setitem(checked.config, "SECRET_KEY", "short")
    [finding] = checkup.findings(checked)
    assert finding.id == "C02"
    assert "请" in finding.way_out
    assert str(finding).startswith("C02 ")
    assert "short" not in str(finding)


def test_a_key_kept_on_one_machine_while_the_database_is_shared(checked, monkeypatch, tmp_path):
    monkeypatch.setattr(checked, "instance_path", str(tmp_path))
    (tmp_path / "secret_key").write_text(checked.config["SECRET_KEY"])
    monkeypatch.setitem(checked.config, "DATABASE_URL", "postgresql://somewhere/xueji")
    assert ids(checked) == ["C01"]
    monkeypatch.setitem(checked.config, "DATABASE_URL", "sqlite:///xueji.db")
    assert ids(checked) == []


def test_serving_others_without_secure_cookies(checked, monkeypatch):
    monkeypatch.setitem(checked.config, "HOST", "0.0.0.0")
    assert ids(checked) == ["C03"]
    monkeypatch.setitem(checked.config, "SESSION_COOKIE_SECURE", True)
    assert ids(checked) == []


def test_an_old_sqlite(checked, monkeypatch):
    monkeypatch.setattr(checkup, "SQLITE_NEEDED", (99, 0, 0))
    assert ids(checked) == (["C04"] if db.engine.dialect.name == "sqlite" else [])


def test_evidence_that_cannot_be_written(checked, monkeypatch, tmp_path):
    (tmp_path / "a file").touch()
    monkeypatch.setitem(checked.config, "EVIDENCE_URL", f"file://{tmp_path}/a file/evidence")
    assert ids(checked) == ["C05"]


def test_redis_that_does_not_answer(checked, monkeypatch):
    monkeypatch.setitem(checked.config, "REDIS_URL", "redis://127.0.0.1:1/0")
    assert ids(checked) == ["C06"]


def test_a_database_that_does_not_answer(tmp_path):
    url = f"sqlite:///{tmp_path}/no such folder/xueji.db"
    broken = create_app(
        TESTING=True, SECRET_KEY="x" * 40, DATABASE_URL=url, EVIDENCE_URL=f"file://{tmp_path}"
    )
    with broken.app_context():
        assert ids(broken) == ["C07"]


@pytest.mark.postgres
def test_another_collation(request, postgres_server, tmp_path):
    postgres_server.run(
        "CREATE DATABASE odd TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' OWNER xueji"
    )
    url = postgres_server.url("odd")
    odd = create_app(TESTING=True, SECRET_KEY="x" * 40, DATABASE_URL=url, EVIDENCE_URL=f"file://{tmp_path}")
    with odd.app_context():
        found = ids(odd)
        db.engine.dispose()
    postgres_server.run("DROP DATABASE odd WITH (FORCE)")
    assert found[0] == "C08"
    assert "C09" in found


def test_tables_of_another_version(checked):
    with db.engine.begin() as connection:
        version = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32)))
        connection.execution_options(unguarded=True).execute(
            sa.update(version).values(version_num="0000_before")
        )
    assert ids(checked) == ["C09"]


def test_a_bureau_without_a_reader_of_its_own(checked, monkeypatch):
    monkeypatch.setitem(checked.config, "READ_DATABASE_URL", "")
    assert ids(checked) == (["C10"] if db.engine.dialect.name == "postgresql" else [])


def test_a_reader_that_does_not_answer(checked, monkeypatch, tmp_path):
    nowhere = sa.create_engine(f"sqlite:///file:{tmp_path}/nothing.db?mode=ro&uri=true")
    monkeypatch.setitem(checked.extensions, "reading", scoped_session(sessionmaker(nowhere)))
    assert ids(checked) == ["C11"]


def test_a_reader_that_can_write(checked, monkeypatch):
    monkeypatch.setitem(checked.extensions, "reading", scoped_session(sessionmaker(db.engine)))
    assert ids(checked) == ["C12"]
    with db.engine.connect().execution_options(unguarded=True) as connection:
        assert not sa.inspect(connection).has_table("check_of_writing"), "the check leaves nothing behind"


def test_rights_that_are_not_written_yet(checked, monkeypatch):
    monkeypatch.setitem(powers.OTHER_RIGHTS, "balloon:show", "查看气球")
    assert ids(checked) == ["C13"]


def test_nobody_who_could_grant(checked, session):
    session.execute(sa.update(Grant).values(passable=False))
    session.commit()
    assert ids(checked) == ["C14"]
