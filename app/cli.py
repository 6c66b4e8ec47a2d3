"""The command line: set up, look after, explain. `flask --app app …`; what a command does lives in the core.

Everything said here is read by whoever runs the system; no command prints a pupil's data.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from datetime import datetime
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from flask_migrate import Migrate

import config as settings
from app.areas.people import passwords, rights_text, roots
from app.areas.people import why as asked
from app.areas.people.roles import load_roles
from app.core import checkup, jobs, rights, saving, scope, upkeep
from app.core.entity import Entity, registry
from app.core.errors import Invalid
from app.core.powers import plain_rights
from app.core.wording import labelled, listed
from app.extensions import db

STOP_WITHIN = 30  # seconds for the worker to finish what it has begun


def register(app: Flask) -> None:
    Migrate(app, db, directory=settings.ROOT / "migrations")
    jobs.prepare(app)
    for command in (demo, show_rights, why, worker, serve, check, grant_root, backup):
        app.cli.add_command(command)


def _actor() -> rights.Actor:
    return rights.system("command")


def _person(username: str) -> User:
    found = db.session().scalar(sa.select(User).where(User.username == username))
    if found is None:
        raise click.ClickException(_("没有账号“%(name)s”。请核对用户名。", name=username))
    return found


# --- the demo district --------------------------------------------------------------------------------


@click.command("demo")
@click.option("--schools", type=click.IntRange(1), help="How many schools, the cast's district among them.")
@click.option("--students", type=click.IntRange(1), help="How many pupils.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same district.")
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="The day the district lives on; today.")
@click.option("--if-empty", is_flag=True, help="Do nothing where anybody has an account.")
@click.option("--reset", is_flag=True, help="Throw the present demo district away first.")
@with_appcontext
def demo(
    schools: int | None, students: int | None, seed: int, on: datetime | None, if_empty: bool, reset: bool
) -> None:
    """Build the demo district: 澜川市 with its schools, pupils and people."""
    from seeds import demo as district

    if reset:
        _throw_away()
    if upkeep.has_people(db.engine):
        if if_empty:
            return
        raise click.ClickException(_("数据库里已有数据，不能再建演示数据。演示库可以用make demo-reset重建。"))
    click.echo(_("正在建立演示数据。"))
    day = on.date() if on else None
    try:
        district.build(db.session(), schools=schools, students=students, seed=seed, on=day)
    except ValueError as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(_("演示数据已建好。"))


def _throw_away() -> None:
    if upkeep.has_people(db.engine) and _has_real_people():
        raise click.ClickException(_("数据库里有非演示账号，不能清空。请确认DATABASE_URL指向的是演示库。"))
    db.session.remove()
    upkeep.drop_everything(db.engine)
    from flask_migrate import upgrade

    upgrade()


def _has_real_people() -> bool:
    return db.session().scalar(sa.select(User.id).where(sa.not_(User.is_demo)).limit(1)) is not None


# --- rights -------------------------------------------------------------------------------------------


@click.command("rights")
@click.option(
    "--sync", is_flag=True, help="Write rights that declarations brought with them into the database."
)
@click.option("--own", is_flag=True, help="Print the roles of schools and bureaus as well.")
@with_appcontext
def show_rights(sync: bool, own: bool) -> None:
    """Print the default roles and their rights; with --sync, bring database and default roles up to date instead."""
    if sync:
        with scope.acting(db.session(), _actor()), saving.work() as work:
            click.echo(_("新写入%(n)s项权限。", n=rights.sync(work.session)))
            load_roles(work.session)
        return
    click.echo(rights_text.text(db.session(), own=own), nl=False)


@click.command("why")
@click.argument("person")
@click.argument("action")
@click.argument("record")
@click.option("--field", default="", help="Ask about one field of the record, by its name.")
@with_appcontext
def why(person: str, action: str, record: str, field: str) -> None:
    """Say whether PERSON may do ACTION to RECORD, and through which grant or for want of what.

    ACTION is "edit" or "student:edit", RECORD is "student:12". Exit 1 where the answer is no.
    """
    session, by = db.session(), _actor()
    with scope.acting(session, by), scope.with_deleted(session):
        obj = _record(record)
        entity, verb = type(obj), action.rpartition(":")[2]
        if f"{obj.key()}:{verb}" not in plain_rights() or not f"{obj.key()}:{verb}".endswith(action):
            raise click.ClickException(_("没有“%(right)s”这项权限。请用flask rights查看。", right=action))
        if field and field not in entity.fields():
            raise click.ClickException(_("没有“%(name)s”这一项。请用flask rights查看。", name=field))
        named = _("编号%(id)s的%(what)s", id=obj.id, what=_(entity.__label__))
        found = asked.answer(
            session, by, asked.Question(_person(person), entity, verb, field, obj, named=named)
        )
    click.echo(found.sentence)
    for title, lines in asked.details(found):
        click.echo(labelled(title, "").rstrip())
        for line in lines:
            click.echo(f"  {line}")
    if not found.allowed:
        raise SystemExit(1)


def _record(record: str) -> Entity:
    key, _sep, number = record.partition(":")
    if key not in registry or not number.isdecimal():
        raise click.ClickException(
            _("记录应写作“对象:编号”，如student:12。对象有：%(keys)s。", keys=listed(_keys()))
        )
    found: Entity | None = db.session().get(registry[key], int(number))
    if found is None:
        raise click.ClickException(_("没有%(record)s这条记录。", record=record))
    return found


def _keys() -> list[str]:
    return [entity.key() for entity in registry]


@click.command("grant-root")
@click.argument("username")
@click.argument("region")
@click.option("--name", help="Open the account first, for the person of this name.")
@with_appcontext
def grant_root(username: str, region: str, name: str | None) -> None:
    """Give the admin of REGION's bureau every right to pass on, and none of them to use."""
    session = db.session()
    try:
        if name:
            password = passwords.one_time(current_app.config["SECRET_KEY"], secrets.token_hex(8))
            roots.open_first_admin(session, username, name, region, password)
            click.echo(_("已开通账号“%(name)s”，首次登录须修改密码。", name=username))
            click.echo(f"password: {password}")
        elif not roots.grant_root(session, username, region):
            click.echo(_("这个账号已持有全部可转授权限。"))
            return
    except Invalid as fault:
        raise click.ClickException(fault.sentence) from None
    click.echo(_("已授予全部可转授权限。"))


# --- running ------------------------------------------------------------------------------------------


@click.command("worker")
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
@with_appcontext
def worker(until_stdin_closes: bool) -> None:
    """Run background jobs until Ctrl-C."""
    if until_stdin_closes:
        threading.Thread(target=_stop_with_parent, daemon=True).start()
    else:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    jobs.make_worker(current_app._get_current_object()).run()  # type: ignore[attr-defined]


def _stop_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


@click.command("serve")
@with_appcontext
def serve() -> None:
    """Serve the pages, with a worker beside them, until Ctrl-C."""
    from waitress import create_server

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    host, port = app.config["HOST"], app.config["PORT"]
    _refuse_busy(host, port)
    server = create_server(
        app,
        host=host,
        port=port,
        threads=8,
        ident="",
        max_request_body_size=64 * 2**20,
        clear_untrusted_proxy_headers=not app.config[
            "TRUSTED_PROXIES"
        ],  # otherwise the application reads them
    )
    child = _start_worker()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    _greet(host, port)
    db.session.remove()
    try:
        server.run()  # returns on KeyboardInterrupt
    finally:
        server.close()
        _stop_worker(child)


def _refuse_busy(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            way_out = _("请先停掉占用它的程序，或换一个端口：make run PORT=%(port)s", port=port + 1)
            raise click.ClickException(
                _("%(host)s:%(port)s不能使用（%(fault)s）。", host=host, port=port, fault=fault.strerror)
                + way_out
            ) from None


def _start_worker() -> subprocess.Popen[bytes]:
    """A process of its own, so that a long job does not slow the pages; it ends when our end of its stdin closes."""
    command = [sys.executable, "-m", "flask", "--app", "app", "worker", "--until-stdin-closes"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _stop_worker(child: subprocess.Popen[Any]) -> None:
    assert child.stdin is not None
    child.stdin.close()
    try:
        child.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _greet(host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    click.echo(_("学籍台已启动：%(url)s", url=f"http://{shown}:{port}/"))
    people = db.session().execute(
        sa.select(User.username, User.first_name).where(User.is_demo, User.active).order_by(User.id)
    )
    if names := [f"{username} {name}" for username, name in people]:
        from seeds.demo import PASSWORD

        click.echo(_("演示账号：%(names)s", names=listed(names)))
        click.echo(f"password: {PASSWORD}")
    click.echo(_("按Ctrl-C停止。"))
    sys.stdout.flush()


# --- looking after ------------------------------------------------------------------------------------


@click.command("check")
@with_appcontext
def check() -> None:
    """List what is wrong with this set-up; exit 1 where anything is."""
    found = list(checkup.findings(current_app._get_current_object()))  # type: ignore[attr-defined]
    for finding in found:
        click.echo(str(finding))
    if found:
        raise SystemExit(1)
    click.echo(_("没有发现问题。"))


@click.command("backup")
@click.argument("path", type=click.Path(dir_okay=False, writable=True))
@with_appcontext
def backup(path: str) -> None:
    """Copy the whole database to PATH while it is in use."""
    try:
        upkeep.back_up(db.engine.url, path)
    except upkeep.BackupFailed as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(_("数据库已备份到%(path)s。", path=path))
    click.echo(_("证明材料不在数据库里，请另行备份：%(url)s", url=current_app.config["EVIDENCE_URL"]))
