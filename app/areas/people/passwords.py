"""Which passwords are good enough, and the one-time passwords that open an account. How they are kept: core.logins."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterator

from flask_babel import gettext as _
from pypinyin import lazy_pinyin

from app.core.logins import LONGEST_PASSWORD
from app.core.wording import listed

SHORTEST = 10  # characters
SHORTEST_PINYIN = 4  # letters; "li" is in too many words to be refused
LETTERS = "abcdefghijkmnpqrstuvwxyz"  # no l, o, I, O, 0, 1: read aloud or copied from a slip of paper
CAPITALS, DIGITS, SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=#%"
KINDS = ((LETTERS, 6), (CAPITALS, 3), (DIGITS, 3), (SIGNS, 2))


def complaints(password: str, username: str, name: str) -> Iterator[str]:
    """Why this cannot be the password of this person: every reason at once."""
    if len(password) < SHORTEST:
        yield _("密码至少%(n)s个字符。", n=SHORTEST)
    if len(password) > LONGEST_PASSWORD:
        yield _("密码最多%(n)s个字符。", n=LONGEST_PASSWORD)
    if not password.isprintable():
        yield _("密码中有无法输入的字符。请只用键盘上的字母、数字和符号。")
    if missing := list(_missing_kinds(password)):
        yield _("密码还缺少：%(kinds)s。", kinds=listed(missing))
    if any(part in password.lower() for part in _own_words(username, name)):
        yield _("密码中不能含有账号或姓名。")


def _missing_kinds(password: str) -> Iterator[str]:
    if not any("a" <= ch <= "z" for ch in password):
        yield _("小写字母")
    if not any("A" <= ch <= "Z" for ch in password):
        yield _("大写字母")
    if not any("0" <= ch <= "9" for ch in password):
        yield _("数字")
    if not any(_is_sign(ch) for ch in password):
        yield _("符号")


def _is_sign(ch: str) -> bool:
    return unicodedata.category(ch)[0] in "PS"


def _own_words(username: str, name: str) -> Iterator[str]:
    yield username.lower()
    if name:
        yield name.lower()
        pinyin = "".join(lazy_pinyin(name)).lower()
        if len(pinyin) >= SHORTEST_PINYIN:
            yield pinyin


def one_time(secret: str, nonce: str) -> str:
    """The one-time password of a nonce. Only the nonce travels in the cookie; without the secret it says nothing."""
    stream = _bytes_of(secret, nonce)
    picked = [_pick(alphabet, stream) for alphabet, count in KINDS for _one in range(count)]
    for last in range(len(picked) - 1, 0, -1):
        other = _below(last + 1, stream)
        picked[last], picked[other] = picked[other], picked[last]
    return "".join(picked)


def _bytes_of(secret: str, nonce: str) -> Iterator[int]:
    block = 0
    while True:
        yield from hmac.digest(secret.encode(), f"one-time {block} {nonce}".encode(), hashlib.sha256)
        block += 1


def _pick(alphabet: str, stream: Iterator[int]) -> str:
    return alphabet[_below(len(alphabet), stream)]


def _below(limit: int, stream: Iterator[int]) -> int:
    """Evenly below `limit`: bytes in the uneven rest are thrown away."""
    even = 256 - 256 % limit
    return next(byte for byte in stream if byte < even) % limit
