"""Marks sentences for translation, and puts words together in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce, wraps
from typing import ParamSpec, TypeVar

from flask_babel import force_locale, get_locale
from flask_babel import gettext as _

CHINESE = "zh_Hans_CN"
P = ParamSpec("P")
T = TypeVar("T")


def N_(sentence: str) -> str:
    """The sentence as it is: whoever shows it translates it."""
    return sentence  # N_ is the name that Babel looks for without being told


def kept(sentence: str, **words: object) -> str:
    """What is written down for others, in the audit or on paper: Chinese, whoever does it."""
    return sentence % words if words else sentence


def in_chinese(make: Callable[P, T]) -> Callable[P, T]:
    """For what makes documents and entries of the audit: their language is not that of whoever asks for them."""

    @wraps(make)
    def made(*args: P.args, **words: P.kwargs) -> T:
        if str(get_locale() or CHINESE) == CHINESE:
            return make(*args, **words)
        with force_locale(CHINESE):
            return make(*args, **words)

    return made


def listed(words: Iterable[str]) -> str:
    """甲、乙、丙: things of one kind."""
    return _("、").join(words)


def among_quotes(words: Iterable[str]) -> str:
    """甲”“乙: several things where a sentence has quotes around one (GB/T 15834 §4.5.3.5: nothing between the quotes)."""
    return _("”“").join(words)


def joined(parts: Iterable[str]) -> str:
    """甲；乙: statements beside each other."""
    return _("；").join(parts)


def sentences(parts: Iterable[str]) -> str:
    """One after another: Chinese sets no space between sentences."""
    return reduce(lambda one, more: _("%(one)s%(more)s", one=one, more=more), parts, "").lstrip()


def labelled(label: str, text: str) -> str:
    return _("%(label)s：%(text)s", label=label, text=text)


def with_note(name: str, note: str) -> str:
    return _("%(name)s（%(note)s）", name=name, note=note)


def about(label: str, reason: object) -> str:
    """A complaint with the name of its field."""
    return _("“%(label)s”：%(reason)s", label=label, reason=reason)
