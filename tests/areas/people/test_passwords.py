"""Which passwords are good enough, and the one-time passwords."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.areas.people import passwords


@pytest.fixture(autouse=True)
def _in_app(app: Flask) -> Iterator[None]:
    """Sentences are translated, so they want an application."""
    with app.app_context():
        yield


@pytest.mark.parametrize("password", ["Qing-lan-2026", "xK9#mmmmmm", "Aa1 !bcdefg", "密码A1-bcdefgh"])
def test_good_passwords(password: str) -> None:
    assert list(passwords.complaints(password, "zhaoyun", "赵云")) == []


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("Ab1-efgh", "至少10个字符"),
        ("ab1-efghij", "大写字母"),
        ("AB1-EFGHIJ", "小写字母"),
        ("Abc-efghij", "数字"),
        ("Abc1efghij", "符号"),
        ("xx-Zhaoyun-1", "账号或姓名"),
        ("赵云Abc-12345", "账号或姓名"),
        ("x-ZHAOyun-99", "账号或姓名"),
        ("Abc-1234567\0", "无法输入"),
        ("Abc-1" + "x" * 200, "最多128个字符"),
        ("", "至少10个字符"),
    ],
)
def test_bad_passwords_and_why(password: str, says: str) -> None:
    assert any(says in sentence for sentence in passwords.complaints(password, "zhaoyun", "赵云"))


def test_every_reason_is_said_at_once() -> None:
    assert len(list(passwords.complaints("zhaoyun", "zhaoyun", "赵云"))) == 3


def test_one_time_passwords_are_good_enough_and_differ() -> None:
    made = {passwords.one_time("secret", f"nonce {n}") for n in range(300)}
    assert len(made) == 300
    for one in made:
        assert list(passwords.complaints(one, "zhaoyun", "赵云")) == []
        assert not set(one) & set("lIoO01")


def test_a_one_time_password_follows_from_secret_and_nonce() -> None:
    assert passwords.one_time("secret", "a") == passwords.one_time("secret", "a")
    assert passwords.one_time("secret", "a") != passwords.one_time("other", "a")
