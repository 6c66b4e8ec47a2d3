"""The command line, as whoever runs the system uses it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, User

from app.areas.people.roles import BUREAU_ALL
from app.core import rights
from app.core.rights import Grant
from app.extensions import db
from tests import cast, postgres
from tests.cast import QINGLAN, pupil

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def run(app):
    """`run("why", "lin", …)` → (exit code, what was printed)."""

    def call(*args: str) -> tuple[int, str]:
        done = app.test_cli_runner().invoke(args=list(args))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return call


# --- why and rights -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "action", "code", "says"),
    [
        ("lin", "edit", 0, "学籍管理员"),
        ("lin", "student:edit", 0, "学籍管理员"),
        ("zhou", "show", 0, "班主任"),
        ("zhou", "delete", 1, "删除“学生”"),
        ("wang", "edit", 1, "范围不包括编号"),
        ("li", "show", 1, "只用于转授，本人不能使用"),
        ("chen", "show", 0, "主管部门查看"),
    ],
)
def test_why(run, person, action, code, says):
    exit_code, output = run("why", person, action, f"student:{pupil('欧阳若曦')}")
    assert exit_code == code
    assert says in output
    assert "欧阳" not in output, "no command prints a pupil's data"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("nobody", "edit", "student:1"), "没有账号"),
        (("lin", "fly", "student:1"), "没有“fly”这项权限"),
        (("lin", "grade:edit", "student:1"), "没有“grade:edit”这项权限"),
        (("lin", "edit", "student"), "如student:12"),
        (("lin", "edit", "horse:1"), "如student:12"),
        (("lin", "edit", "student:999999"), "没有student:999999这条记录"),
    ],
)
def test_why_with_a_slip_of_the_pen(run, args, says):
    exit_code, output = run("why", *args)
    assert exit_code == 1
    assert says in output


def test_rights_of_default_roles_are_as_the_docs_have_them(run):
    """A change of rights shows in the change of docs/rights.md: `flask rights > docs/rights.md`."""
    exit_code, output = run("rights")
    assert exit_code == 0
    assert output == (ROOT / "docs" / "rights.md").read_text("utf-8")


def test_rights_of_own_roles_are_printed_on_request(run, session):
    session.add(Role(name="own", label="七年级学籍员", school_id=cast.school(cast.YIZHONG)))
    session.commit()
    assert "七年级学籍员" not in run("rights")[1]
    assert "七年级学籍员" in run("rights", "--own")[1]


def test_rights_sync_writes_what_is_missing(run, session):
    pair = session.scalars(
        sa.select(PermissionView)
        .join(PermissionView.permission)
        .where(Permission.name == "can_reveal")
        .limit(1)
    ).one()
    for role in list(pair.role):
        role.permissions.remove(pair)
    session.delete(pair)
    session.commit()
    assert len(rights.missing_pairs(session)) == 1
    assert "新写入1项权限" in run("rights", "--sync")[1]
    session.rollback()
    assert rights.missing_pairs(session) == []


# --- roots --------------------------------------------------------------------------------------------


def test_grant_root(run, session):
    assert run("grant-root", "sun", QINGLAN)[0] == 0
    held = session.scalars(
        sa.select(Grant).where(Grant.person_id == cast.person("sun"), Grant.passable)
    ).one()
    assert (held.role.name, held.usable, held.giver_id) == (BUREAU_ALL, False, None)
    assert "已持有" in run("grant-root", "sun", QINGLAN)[1]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("nobody", QINGLAN), "没有账号"),
        (("sun", cast.SHIXI), "不属于"),
        (("li", QINGLAN), "不属于"),
        (("sun", "99"), ""),
    ],
)
def test_grant_root_to_the_wrong_person(run, session, args, says):
    before = session.scalar(sa.select(sa.func.count()).select_from(Grant))
    exit_code, output = run("grant-root", *args)
    assert exit_code == 1
    assert says in output
    assert session.scalar(sa.select(sa.func.count()).select_from(Grant)) == before


def test_grant_root_opens_the_first_account(run, session, login):
    exit_code, output = run("grant-root", "zhang", cast.SHIXI, "--name", "张主任")
    assert exit_code == 0
    password = output.partition("password: ")[2].split()[0]
    assert session.scalar(sa.select(User.must_change_password).where(User.username == "zhang"))
    login("zhang", password)


# --- the demo district --------------------------------------------------------------------------------


def test_a_database_with_people_is_not_filled_again(run):
    exit_code, output = run("demo")
    assert exit_code == 1
    assert "make demo-reset" in output
    assert run("demo", "--if-empty") == (0, "")


def test_a_database_with_real_people_is_not_thrown_away(run, session):
    session.execute(sa.update(User).where(User.username == "lin").values(is_demo=False))
    session.commit()
    exit_code, output = run("demo", "--reset")
    assert exit_code == 1
    assert "非演示账号" in output
    assert session.scalar(sa.select(sa.func.count()).select_from(User)) == len(cast.PEOPLE)


def test_a_demo_district_is_thrown_away_and_built_anew(run, app, session, monkeypatch):
    """Tables, keys in circles and the mark of the migrations go and come again; the building itself is told elsewhere."""
    monkeypatch.setattr("seeds.demo.build", lambda session, **_words: cast.assemble(session))
    session.execute(sa.update(User).where(User.username == "ops").values(first_name="改了名"))
    session.commit()
    db.session.remove()
    exit_code, output = run("demo", "--reset")
    assert (exit_code, output.splitlines()[-1]) == (0, "演示数据已建好。")
    assert db.session.scalar(sa.select(User.first_name).where(User.username == "ops")) == "运维"
    assert run("check") == (0, "没有发现问题。\n")


# --- looking after ------------------------------------------------------------------------------------


def test_check_ends_with_zero_when_nothing_is_wrong(run, app, monkeypatch):
    assert run("check") == (0, "没有发现问题。\n")
    monkeypatch.setitem(app.config, "SECRET_KEY", "short")
    exit_code, output = run("check")
    assert exit_code == 1
    assert output.startswith("C02 ")


def test_a_backup_holds_everything(run, app, session, tmp_path):
    target = tmp_path / "backup"
    assert run("backup", str(target))[0] == 0
    assert target.stat().st_mode & 0o077 == 0, "it holds pupils' data: for its owner only"
    assert restored_pupils(target) == len(cast.PUPILS)
    exit_code, output = run("backup", str(target))
    assert exit_code == 1
    assert "没有覆盖" in output


def restored_pupils(target: Path) -> int:
    if db.engine.dialect.name == "sqlite":
        engine = sa.create_engine(f"sqlite:///{target}")
        with engine.connect().execution_options(unguarded=True) as connection:
            return connection.exec_driver_sql("select count(*) from student").scalar()
    command = [
        str(postgres.binaries() / "pg_restore"),
        "--data-only",
        "--table=student",
        "--file=-",
        str(target),
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("COPY "))
    return lines[start:].index("\\.") - 1


def test_a_backup_to_nowhere_is_said_in_a_sentence(run, tmp_path):
    exit_code, output = run("backup", str(tmp_path / "no such folder" / "backup"))
    assert exit_code == 1
    assert "请检查" in output


# --- serving ------------------------------------------------------------------------------------------


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(port: int, database: str, reader: str = "") -> subprocess.Popen[str]:
    env = os.environ | {
        "DATABASE_URL": database,
        "READ_DATABASE_URL": reader,
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "flask", "--app", "app", "serve"]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_serve_tells_the_address_and_the_password_and_stops_with_all_it_started(site, app, free_port):
    number = {"sqlite": signal.SIGINT, "postgres": signal.SIGTERM}[site.kind]
    server = serve(free_port, app.config["DATABASE_URL"], app.config["READ_DATABASE_URL"])
    said = []
    for line in server.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            break
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    try:
        assert f"http://127.0.0.1:{free_port}/" in said[0]
        assert "lin 林老师" in said[1]
        assert said[2] == f"password: {cast.PASSWORD}\n"
        assert urlopen(f"http://127.0.0.1:{free_port}/login/").status == 200
    finally:
        server.send_signal(number)
    assert server.wait(60) == 0
    assert len(children) == 1, "a worker ran beside the pages"
    assert not Path(f"/proc/{children[0]}").exists()


def test_serve_refuses_a_busy_port_with_a_sentence(free_port, tmp_path):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", free_port))
        busy.listen()
        server = serve(free_port, f"sqlite:///{tmp_path}/xueji.db")
        said = server.communicate(timeout=60)[0]
    assert server.returncode == 1
    assert f"make run PORT={free_port + 1}" in said
    assert "Traceback" not in said
