"""What a page can judge while one types, without asking the server: the declaration says it, a script carries it out.

A chain of steps belongs to a field. Some steps tidy the text as the server tidies it, the others complain in the server's
own sentence; the first complaint counts. Forms are written for both languages: Python's `re`, and JavaScript with `u`.
Nothing here decides: what the server says on saving holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

from flask_babel import gettext as _

Step = Mapping[str, Any]
"""`do` names the step, `says` is its sentence. With `when`, [[field, form, wanted], …], it is taken only where the texts of
these fields of the row ("" is the field itself) fit, or do not; with `unless` not where all of these do; with `empty` also
where nothing was typed."""


@dataclass(frozen=True, slots=True)
class Check:
    """A step on its way to the page: written once in the form, named by its key at each input."""

    words: str
    key: str

    @classmethod
    def of(cls, step: Step) -> Check:
        words = json.dumps(step, ensure_ascii=False, separators=(",", ":"))
        return cls(words, blake2s(words.encode(), digest_size=5).hexdigest())


@dataclass(frozen=True, slots=True)
class Fits:
    """A rule that is a form: the text fits it or `sentence` is said. The form uses no \\d, which differs by language."""

    form: str
    sentence: str

    def __call__(self, text: str) -> str | None:
        return None if re.fullmatch(self.form, text) else _(self.sentence)

    def step(self) -> Step:
        return fits(self.form, _(self.sentence))


# --- steps that tidy ----------------------------------------------------------------------------------

NFKC: Step = {"do": "nfkc"}
TRIM: Step = {"do": "trim"}
UPPER: Step = {"do": "upper"}

_tidied: dict[Callable[[str], str], tuple[Step, ...]] = {}


def swap(find: str, put: str) -> Step:
    return {"do": "swap", "find": find, "put": put}


def nfc(within: str) -> Step:
    return {"do": "nfc", "within": within}


def tidies(clean: Callable[[str], str], *steps: Step) -> None:
    """Says how a page tidies a text as `clean` does."""
    _tidied[clean] = steps


def steps_of(clean: Callable[[str], str] | None) -> tuple[Step, ...] | None:
    """The steps of a tidying, none for no tidying; None where the page does not know it."""
    return _tidied.get(clean) if clean is not None else ()


# --- steps that complain ------------------------------------------------------------------------------


def filled(says: str, **words: Any) -> Step:
    return {"do": "filled", "says": says, "empty": True, **words}


def fits(form: str, says: str, **words: Any) -> Step:
    """The whole text has this form."""
    return {"do": "fits", "form": form, "says": says, **words}


def lacks(find: str, says: str, **words: Any) -> Step:
    """Nothing of this is in the text; "{c}" in the sentence is what was found."""
    return {"do": "lacks", "find": find, "says": says, **words}


def longest(n: int, says: str) -> Step:
    """At most `n` characters; "{k}" in the sentence is how many there are."""
    return {"do": "longest", "n": n, "says": says}


def between(low: int | str, high: int | str, says: str, **words: Any) -> Step:
    """A number, or a day or month as they are kept."""
    return {"do": "between", "low": low, "high": high, "says": says, **words}


def later(other: str, says: str) -> Step:
    """A month lies after the day in another field."""
    return {"do": "later", "other": other, "says": says}


def mod11(says: str, **words: Any) -> Step:
    """The last of 18 characters is the check digit of the others (ISO 7064 MOD 11-2)."""
    return {"do": "mod11", "says": says, **words}


def dated(low: str, high: str, no_day: str, too_late: str, too_early: str, **words: Any) -> Step:
    """Characters 7 to 14 are a day between two days."""
    says = {"says": no_day, "late": too_late, "early": too_early}
    return {"do": "dated", "low": low, "high": high, **says, **words}


def agrees(part: str, other: str, form: str, low: str, high: str, says: str, **words: Any) -> Step:
    """The same "day" or "sex" as stands in the number of another field, where that is a number with a day in it."""
    return {
        "do": "agrees",
        "part": part,
        "other": other,
        "form": form,
        "low": low,
        "high": high,
        "says": says,
        **words,
    }


def none_of(steps: list[Step], says: str, **words: Any) -> Step:
    """Complains where every one of `steps` is content."""
    return {"do": "none_of", "steps": steps, "says": says, **words}
