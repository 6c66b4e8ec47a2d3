"""The English catalogue is whole: every word of the source, translated, in the same form."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message

from app.core import codes
from app.translations import words

MESSAGES = {str(one.id): one for one in words.read() if one.id}
PLACES = re.compile(r"%\((\w+)\)s|%%")
HAN = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")


def faults(word: str, said: str) -> list[str]:
    """What is wrong with one translation."""
    found = []
    if not said.strip():
        found.append("empty")
    if sorted(PLACES.findall(word)) != sorted(PLACES.findall(said)):
        found.append("other placeholders")
    if HAN.search(said):
        found.append("Chinese")
    if "!" in said and "!" not in word:
        found.append("an exclamation mark")
    if word.endswith("。") and said[-1:] not in ".”)":
        found.append("a sentence without its end")
    return found


def test_the_catalogue_holds_the_words_of_the_source_and_no_others() -> None:
    """`make words` brings it up."""
    assert list(MESSAGES) == list(words.collect())


def test_every_word_is_translated_in_the_same_form() -> None:
    found = {word: faults(word, str(one.string)) for word, one in MESSAGES.items()}
    assert {word: wrong for word, wrong in found.items() if wrong} == {}


def test_no_word_is_a_guess_and_none_is_left_over() -> None:
    assert [one.id for one in MESSAGES.values() if isinstance(one, Message) and one.fuzzy] == []
    assert list(words.read().obsolete) == []


@pytest.mark.parametrize("name", codes.names())
def test_labels_of_a_code_table_stay_apart_in_english(name: str) -> None:
    """What is exported in English can be imported again."""
    labels = [str(MESSAGES[label].string) for _code, label in codes.table(name).all()]
    assert sorted({one for one in labels if labels.count(one) > 1}) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('LABEL = "学校"', ["学校"]),
        ('menu.add("帮助 › 操作指南")', ["帮助", "操作指南"]),
        ('_("QQ")', ["QQ"]),
        ('"""说明。"""\nx = 1', []),
        ('x = f"{n}班"', []),
        ('class A:\n    """甲：乙。\n\n    More."""\n    __label__ = "甲"', ["甲：乙。", "甲"]),
    ],
)
def test_words_are_found_without_being_marked(source: str, found: list[str]) -> None:
    assert list(words.words_of(source)) == found


@pytest.mark.parametrize(
    ("word", "said", "wrong"),
    [
        ("保存", "", "empty"),
        ("共%(n)s项", "%(k)s in all", "other placeholders"),
        ("保存", "保存", "Chinese"),
        ("已保存。", "Saved!", "an exclamation mark"),
        ("已保存。", "Saved", "a sentence without its end"),
    ],
)
def test_a_fault_would_be_found(word: str, said: str, wrong: str) -> None:
    assert wrong in faults(word, said)
