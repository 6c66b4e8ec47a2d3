"""The gate before the application: one test's windows do not reach into the next."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from tests.sites import Gate


class Slow:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.has_come, self.may_go = threading.Event(), threading.Event()

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        self.has_come.set()
        self.may_go.wait(10)
        return Response(Request(environ).path)(environ, start_response)


def test_a_window_of_an_earlier_test_is_not_let_in() -> None:
    gate = Gate(Response("in"))  # type: ignore[arg-type]
    early, without = Client(gate), Client(gate)
    early.set_cookie(Gate.COOKIE, str(gate.test))
    assert early.get("/").status_code == 200
    with gate.closed():
        pass
    assert early.get("/").status_code == 503
    assert without.get("/").status_code == 200


def test_the_gate_closes_when_the_last_is_out() -> None:
    slow = Slow()
    gate = Gate(slow)  # type: ignore[arg-type]
    answers: list[int] = []
    visit = threading.Thread(target=lambda: answers.append(Client(gate).get("/").status_code))
    visit.start()
    assert slow.has_come.wait(10)
    threading.Timer(0.05, slow.may_go.set).start()
    with gate.closed():
        assert gate.inside == 0
        assert slow.may_go.is_set()
    visit.join(10)
    assert answers == [200]
