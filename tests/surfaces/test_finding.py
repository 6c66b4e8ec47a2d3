"""Search over everything: who finds what, by which words, at what cost; and that no number enters an address."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from tests import cast
from tests.cast import CHENGGUAN, YIZHONG
from tests.client import Client

Login = Callable[..., Client]
JSON = {"Accept": "application/json"}


def find(client: Client, typed: str) -> dict[str, list[str]]:
    """Kind → the names found of it."""
    answer = client.post("/find", data={"q": typed}, headers=JSON)
    assert answer.status_code == 200, answer.text
    return {kind["label"]: [hit["label"] for hit in kind["hits"]] for kind in json.loads(answer.data)["kinds"]}


def hits(client: Client, typed: str) -> list[dict[str, str]]:
    kinds = json.loads(client.post("/find", data={"q": typed}, headers=JSON).data)["kinds"]
    return [hit for kind in kinds for hit in kind["hits"]]


def test_dbg(login):
    for who in ("lin","wang","chen","he","li","ops","zhou"):
        c = login(who)
        for q in ("王子涵","wzh","ouyang","七年级","青岚","qlxdyzx","banji","陈","li", cast.id_number(1), "2026", "hmc"):
            print(who, q, json.loads(c.post("/find", data={"q": q}, headers=JSON).data))
    assert 0
