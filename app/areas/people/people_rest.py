"""People by program: /api/v1/people/. The same functions as the pages; refusals in the one shape of all APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from flask import request
from flask_appbuilder.api import BaseApi, expose
from flask_appbuilder.security.sqla.models import User
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.areas.people import accounts, directory, handover
from app.areas.people.accounts import NAMED, Home, home_of
from app.areas.people.directory_page_models import read_asked
from app.areas.people.opening import open_person, role_to_open_with
from app.areas.people.page_models import read_id
from app.areas.people.people_docs_rest import describe
from app.areas.people.rest_bodies import Body
from app.areas.people.slip_pages import new_one_time
from app.core import rights, saving
from app.core.errors import Invalid
from app.core.fields import HERE, Day, Unreadable
from app.core.rights import Actor
from app.extensions import db
from app.surfaces.forms import unknown
from app.surfaces.listing import COUNT_CAP
from app.surfaces.problems import as_json
from app.surfaces.rest import version_named
from app.surfaces.security import current_actor

TEXTS = ("username", *NAMED)
UNTIL = Day(label="截止日期", name="until")
LEFT_ON = Day(label="离任日期", name="left_on")


class PeopleApi(BaseApi):
    """Accounts: list, show, open, name and phone, suspend, resume, unlock, reset, hand over, departure."""

    resource_name = "people"
    allow_browser_login = True
    csrf_exempt = False

    def add_api_spec(self, api_spec: Any) -> None:
        describe(api_spec, self.route_base)

    @expose("/", methods=["GET"])
    def list(self) -> Response:
        by = current_actor()
        rights.require(by, "person:list")
        asked = read_asked(request.args, [role.id for role in directory.roles_to_filter_by(db.session(), by)])
        shown = directory.people(db.session(), by, asked)
        count = directory.count(db.session(), by, asked, COUNT_CAP)
        ids = [user.id for user in shown.found]
        return as_json(
            {
                "count": min(count, COUNT_CAP),
                "count_is_exact": count <= COUNT_CAP,
                "ids": ids,
                "result": as_given(shown.found),
                "previous": ids[0] if ids and shown.has_previous else None,
                "next": ids[-1] if ids and shown.has_next else None,
            }
        )

    @expose("/<int:pk>", methods=["GET"])
    def get(self, pk: int) -> Response:
        by = current_actor()
        rights.require(by, "person:show")
        user = accounts.find(db.session(), by, pk)
        accounts.require(db.session(), by, "person:show", user)
        return answer(by, user)

    @expose("/", methods=["POST"])
    def post(self) -> Response:
        by = current_actor()
        rights.require(by, "person:add")
        sent, password = (
            Body(*TEXTS, "school_id", "role_id", "grade_ids", "class_ids", "until"),
            new_one_time()[1],
        )
        typed, until, school_id = texts_in(sent), sent.day(UNTIL), sent.number("school_id")
        grade_ids, class_ids = sent.numbers("grade_ids"), sent.numbers("class_ids")
        role_id = sent.number("role_id")
        sent.require_sound()
        if role_id is None and (grade_ids or class_ids or until):
            idle = _("没有选择角色，年级、班级和截止日期不起作用。请一并提交role_id。")
            raise Invalid([("role_id", idle)])
        home = Home(school_id) if school_id is not None else Home(by.school_id, by.region_code)
        places = (grade_ids, class_ids)
        with saving.work() as work:
            role = role_to_open_with(work.session, by, role_id)
            user = open_person(work.session, by, home, typed, role, until, *places, password=password)
        headers = {"Location": f"{self.route_base}/{user.id}"}
        return answer(by, user, 201, headers, one_time_password=password)

    @expose("/<int:pk>", methods=["PUT"])
    def put(self, pk: int) -> Response:
        by, user = _below(pk)
        accounts.require_power_over(db.session(), by, user)
        version, sent = version_named(), Body(*NAMED)
        typed = texts_in(sent)
        sent.require_sound()
        with saving.work() as work:
            user = accounts.find(work.session, by, pk, lock=True)
            accounts.change_person(work.session, by, user, typed, version)
        return answer(by, user)

    @expose("/<int:pk>/suspend", methods=["POST"])
    def suspend(self, pk: int) -> Response:
        return self._act(pk, lambda by, user: accounts.set_active(db.session(), by, user, False))

    @expose("/<int:pk>/resume", methods=["POST"])
    def resume(self, pk: int) -> Response:
        return self._act(pk, lambda by, user: accounts.set_active(db.session(), by, user, True))

    @expose("/<int:pk>/unlock", methods=["POST"])
    def unlock(self, pk: int) -> Response:
        return self._act(pk, lambda by, user: accounts.unlock(db.session(), by, user))

    @expose("/<int:pk>/reset", methods=["POST"])
    def reset(self, pk: int) -> Response:
        password = new_one_time()[1]
        return self._act(
            pk,
            lambda by, user: accounts.reset_password(db.session(), by, user, password),
            one_time_password=password,
        )

    def _act(self, pk: int, act: Callable[[Actor, User], None], **more: Any) -> Response:
        by, _user = _below(pk)
        Body(is_optional=True).require_sound()
        with saving.work() as work:
            user = accounts.find(work.session, by, pk, lock=True)
            act(by, user)
        return answer(by, user, **more)

    # --- handing over, departures ---

    @expose("/<int:pk>/hand_over", methods=["GET"])
    def foresee_hand_over(self, pk: int) -> Response:
        return self._foresee(pk, None)

    @expose("/<int:pk>/hand_over", methods=["POST"])
    def hand_over(self, pk: int) -> Response:
        by, _user = self._leaver(pk)
        sent = Body("successor_id", "mark")
        return self._carry_out(by, sent, handover.Request(pk, sent.number("successor_id")))

    @expose("/<int:pk>/departure", methods=["GET"])
    def foresee_departure(self, pk: int) -> Response:
        return self._foresee(pk, datetime.now(HERE).date())

    @expose("/<int:pk>/departure", methods=["POST"])
    def depart(self, pk: int) -> Response:
        by, _user = self._leaver(pk)
        sent = Body("successor_id", "left_on", "mark")
        left_on = sent.day(LEFT_ON)
        if left_on is None and not sent.complaints:
            sent.complaints.append(
                ("left_on", _("必填项“%(label)s”为空。请填写后再保存。", label=_(LEFT_ON.label)))
            )
        return self._carry_out(by, sent, handover.Request(pk, sent.number("successor_id"), left_on))

    def _leaver(self, pk: int) -> tuple[Actor, User]:
        by, user = _below(pk)
        handover.require_may(db.session(), by, user)
        return by, user

    def _foresee(self, pk: int, today: date | None) -> Response:
        """With `today` a departure, on the day that the address names or today."""
        by, _user = self._leaver(pk)
        known = ("successor_id",) if today is None else ("successor_id", "left_on")
        complaints = [("", unknown(name)) for name in request.args if name not in known]
        left_on = today
        try:
            left_on = (LEFT_ON.parse(request.args.get("left_on")) or today) if today else None
        except Unreadable as reason:
            complaints.append(("left_on", str(reason)))
        if complaints:
            raise Invalid(complaints)
        with saving.work() as work:
            asked = handover.Request(pk, read_id(request.args, "successor_id"), left_on)
            outcome = handover.foresee(work.session, by, asked)
        return as_json(outcome_as_given(outcome))

    def _carry_out(self, by: Actor, sent: Body, asked: handover.Request) -> Response:
        mark = sent.text("mark")
        sent.require_sound()
        with saving.work() as work:
            outcome = handover.carry_out(work.session, by, asked, mark)
        return as_json(outcome_as_given(outcome))


APIS = (PeopleApi,)


def texts_in(sent: Body) -> dict[str, str]:
    """Name, account, phone as from the form: `accounts` says what is wrong with them."""
    return {name: sent.text(name) for name in TEXTS if sent.has(name)}


# --- who is asked about -------------------------------------------------------------------------------


def _below(pk: int) -> tuple[Actor, User]:
    """The account, for whoever holds the right to edit people anywhere: 403 before 404."""
    by = current_actor()
    rights.require(by, "person:edit")
    return by, accounts.find(db.session(), by, pk)


# --- as JSON ------------------------------------------------------------------------------------------


def answer(
    by: Actor, user: User, code: int = 200, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """The person as he now is. Who may not see him is told no more than his number."""
    payload: dict[str, Any] = {"id": user.id}
    if accounts.may(db.session(), by, "person:show", home_of(user)):
        payload["result"] = as_given([user])[0]
    etag = {"ETag": f'"{accounts.version_of(user)}"'}
    return as_json(payload | more, code, etag | dict(headers or {}))


def as_given(users: Sequence[User]) -> list[dict[str, Any]]:
    now, roles = datetime.now(UTC), directory.roles_of(db.session(), users)
    return [
        {
            "id": user.id,
            "username": user.username,
            "name": user.first_name,
            "phone": user.phone,
            "school_id": user.school_id,
            "region_code": user.region_code,
            "state": directory.state_of(user, now).value,
            "roles": [role.label for role in roles.get(user.id, ())],
            "last_login": user.last_login.astimezone(HERE).isoformat() if user.last_login else None,
            "left_on": user.left_on.isoformat() if user.left_on else None,
        }
        for user in users
    ]


def outcome_as_given(outcome: handover.Outcome) -> dict[str, Any]:
    def held(one: handover.Held) -> dict[str, Any]:
        return asdict(one) | {"until": one.until.isoformat() if one.until is not None else None}

    return {
        "mark": outcome.mark,
        "moved": [held(one) | {"awaits": awaits, "along": along} for one, awaits, along in outcome.moved],
        "kept": [held(one) | {"why": why} for one, why in outcome.kept],
        "classes": [{"id": id_, "name": name} for id_, name in outcome.classes],
        "cases": [{"kind": kind, "count": n} for kind, n in outcome.cases],
        "why_not_cases": outcome.why_not_cases or None,
        "ended": [held(one) for one in outcome.ended],
    }
