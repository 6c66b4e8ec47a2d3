"""Names: tidying, checking, pinyin, initials, masks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import names
from app.core.names import blanked, check_name, clean, initials_of, mask_name, pinyin_of

CITIZEN, PASSPORT, PERMIT = "1", "A", "P"

# --- tidying ---


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("王子涵", "王子涵"),
        ("  王子涵\t", "王子涵"),
        ("\u3000王子涵\u3000", "王子涵"),
        ("\ufeff王\u200b子涵", "王子涵"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽・买买提", "阿依古丽·买买提"),
        ("阿依古丽‧买买提", "阿依古丽·买买提"),
        ("阿依古丽．买买提", "阿依古丽·买买提"),
        ("阿依古丽.买买提", "阿依古丽·买买提"),
        ("J. R. Smith", "J. R. Smith"),
        ("Jose\u0301", "José"),
        ("王 子涵", "王 子涵"),
        ("John  Smith", "John  Smith"),
        ("\ufa11\U0002f800", "\ufa11\U0002f800"),
        ("\u8c48\uf900", "\u8c48\uf900"),
        ("𠮷田𱁬", "𠮷田𱁬"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_typed_name_is_stored_tidily(typed: str | None, stored: str) -> None:
    assert clean(typed) == stored


@given(st.text(max_size=60))
def test_tidying_twice_changes_nothing_more(typed: str) -> None:
    assert clean(clean(typed)) == clean(typed)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x323AF, categories=["Lo"]), max_size=20))
def test_tidying_leaves_every_ideograph_as_it_is(typed: str) -> None:
    han = "".join(char for char in typed if "CJK" in unicodedata.name(char, ""))
    assert clean(han) == han


# --- checking ---


@pytest.mark.parametrize(
    "name",
    [
        "王伟",
        "欧阳修",
        "阿依古丽·买买提",
        "阿卜杜热合曼·艾则孜·买买提",
        "𠮷田",
        "王㛃",
        "李𬸚",
        "张\U00030edd",  # extension G
        "张\U00031350",  # extension H
        "张\U0002ebf0",  # extension I
        "\ufa11山",
        "李〇",
        "王" * 50,
    ],
)
@pytest.mark.parametrize("id_type", [CITIZEN, PASSPORT, "Z", None])
def test_chinese_names_pass_on_any_document(name: str, id_type: str | None) -> None:
    assert check_name(name, id_type) is None


@pytest.mark.parametrize(
    "name", ["John Smith", "Anna-Maria O'Neil", "J. R. Smith", "José", "Łukasz Żółć", "X", "Nguyễn Văn"]
)
def test_latin_names_pass_on_foreign_documents_only(name: str) -> None:
    for id_type in ("A", "6", "7", "8", "9", PERMIT):
        assert check_name(name, id_type) is None
    for id_type in (CITIZEN, "Z", None):
        assert check_name(name, id_type) == names.NAME_LATIN


@pytest.mark.parametrize(
    ("name", "id_type", "sentence"),
    [
        ("", CITIZEN, names.NAME_EMPTY),
        ("", PASSPORT, names.NAME_EMPTY),
        ("王", CITIZEN, names.NAME_SHORT),
        ("王" * 51, CITIZEN, names.NAME_LONG),
        ("a" * 51, PASSPORT, names.NAME_LONG),
        ("王 伟", CITIZEN, names.NAME_BLANK),
        ("王\u3000伟", CITIZEN, names.NAME_BLANK),
        ("王伟1", CITIZEN, names.NAME_SIGNS),
        ("王伟（大）", CITIZEN, names.NAME_SIGNS),
        ("王伟*", CITIZEN, names.NAME_SIGNS),
        ("王\x00伟", CITIZEN, names.NAME_SIGNS),
        ("😀😀", CITIZEN, names.NAME_SIGNS),
        ("=1+1", CITIZEN, names.NAME_SIGNS),
        ("Иван", PASSPORT, names.NAME_SIGNS),
        ("·阿依古丽", CITIZEN, names.NAME_DOT),
        ("阿依古丽·", CITIZEN, names.NAME_DOT),
        ("阿依··古丽", CITIZEN, names.NAME_DOT),
        ("··", CITIZEN, names.NAME_DOT),
        ("李Mary", CITIZEN, names.NAME_LATIN),
        ("李Mary", PASSPORT, names.NAME_LATIN),
        ("\u2f30伟", CITIZEN, names.NAME_LOOKALIKE),
        ("王\ue863", CITIZEN, names.NAME_LOOKALIKE),
        ("John  Smith", PASSPORT, names.LATIN_BLANK),
        ("John\tSmith", PASSPORT, names.LATIN_BLANK),
        ("John3", PASSPORT, names.LATIN_SIGNS),
        ("SMITH, JOHN", PASSPORT, names.LATIN_SIGNS),
        ("-John", PASSPORT, names.LATIN_SIGNS),
        ("John·Smith", PASSPORT, names.LATIN_SIGNS),
    ],
)
def test_a_wrong_name_gets_the_sentence_that_fits(name: str, id_type: str, sentence: str) -> None:
    assert check_name(name, id_type) == sentence


def test_what_blanks_a_clerk_may_type_around_a_name_do_not_matter() -> None:
    assert check_name(clean("　阿依古丽•买买提 "), CITIZEN) is None


@given(st.text(), st.sampled_from(["1", "A", "Z", None]))
def test_whatever_is_typed_gets_a_sentence_or_nothing(typed: str, id_type: str | None) -> None:
    sentence = check_name(clean(typed), id_type)
    assert sentence is None or sentence.endswith("。")


# --- pinyin ---


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("王子涵", "wang zi han", "wzh"),
        ("单雄信", "shan xiong xin", "sxx"),
        ("解晓东", "xie xiao dong", "xxd"),
        ("曾子涵", "zeng zi han", "zzh"),
        ("仇英", "qiu ying", "qy"),
        ("欧阳修", "ou yang xiu", "oyx"),
        ("尉迟恭", "yu chi gong", "ycg"),
        ("尉健行", "wei jian xing", "wjx"),
        ("长孙无忌", "zhang sun wu ji", "zswj"),
        ("万俟卨", "mo qi xie", "mqx"),
        ("令狐冲", "ling hu chong", "lhc"),
        ("朴树", "piao shu", "ps"),
        ("区小明", "ou xiao ming", "oxm"),
        ("查良镛", "zha liang yong", "zly"),
        ("任重", "ren zhong", "rz"),
        ("薄一波", "bo yi bo", "byb"),
        ("翟天", "zhai tian", "zt"),
        ("缪荃", "miao quan", "mq"),
        ("王长海", "wang chang hai", "wch"),
        ("李乐", "li le", "ll"),
        ("王单", "wang dan", "wd"),
        ("吕布", "lv bu", "lb"),
        ("單小明", "shan xiao ming", "sxm"),
        ("阿依古丽·买买提", "a yi gu li mai mai ti", "ayglmmt"),
        ("阿卜杜拉·曾", "a bu du la ceng", "abdlc"),
        ("单增曲珍", "dan zeng qu zhen", "dzqz"),
        ("李〇", "li ling", "ll"),
        ("𠮷田", "ji tian", "jt"),
        ("王\U0002ebf0", "wang #", "w#"),
        ("单", "shan", "s"),
        ("John Smith", "john smith", "js"),
        ("Anna-Maria O'Neil", "anna maria oneil", "amo"),
        ("José Łukasz", "jose lukasz", "jl"),
        ("Иван", "#", "#"),
        ("", "", ""),
    ],
)
def test_names_are_read_as_people_read_them(name: str, pinyin: str, initials: str) -> None:
    assert pinyin_of(name) == pinyin
    assert initials_of(name) == initials


@given(st.text(st.characters(min_codepoint=0x3400, max_codepoint=0x323AF, categories=["Lo"]), max_size=12))
def test_each_ideograph_gives_one_syllable(typed: str) -> None:
    han = "".join(char for char in typed if "CJK UNIFIED" in unicodedata.name(char, ""))
    assert len(initials_of(han)) == len(han)


@given(st.text(max_size=60))
def test_whatever_the_name_pinyin_is_letters_and_blanks(typed: str) -> None:
    assert set(pinyin_of(typed)) <= set("abcdefghijklmnopqrstuvwxyz #")


# --- masks ---


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张伟", "张*"),
        ("张子涵", "张*"),
        ("阿依古丽·买买提", "阿*"),
        ("𠮷田", "𠮷*"),
        ("John Smith", "J*"),
        ("", ""),
    ],
)
def test_a_masked_name_keeps_its_first_character_only(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("ouyang", ["ou yang", "ou yan g"]),
        ("ouyangr", ["ou yang r"]),
        ("zhangyiming", ["zhang yi ming", "zhang yi min g"]),
        ("xian", ["xian", "xia n", "xi an", "xi a n"]),
        ("oyrx", []),
        ("q", ["q"]),
        ("anna maria", []),
    ],
)
def test_letters_in_one_run_fall_into_syllables(typed: str, read: list[str]) -> None:
    assert blanked(typed) == read


@given(st.text("aeinghuxz", min_size=1, max_size=50))
def test_however_long_the_run_its_readings_are_few_and_lose_no_letter(typed: str) -> None:
    ways = blanked(typed)
    assert len(ways) <= 8
    assert all(way.replace(" ", "") == typed for way in ways)
