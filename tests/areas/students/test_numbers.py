"""Citizen IDs, other documents, 学籍号, 学校标识码: examples of the standard, or numbers of unused areas."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.areas.students import numbers
from app.areas.students.numbers import (
    birthday_in,
    check_citizen_id,
    check_digit,
    check_document,
    check_identity,
    check_residence_permit,
    check_student_no,
    gender_in,
    id_in,
    kind_of,
    make_formal,
    make_formal_without_id,
    make_temporary,
    normal,
)

TODAY = date(2026, 9, 1)
WOMAN, WOMAN_BORN = "11010519491231002X", date(1949, 12, 31)  # both from GB 11643
MAN, MAN_BORN = "440524188001010014", date(1880, 1, 1)
AREA = "519901"
BORN = date(2013, 5, 6)

days = st.dates(min_value=date(1950, 1, 1), max_value=TODAY)
sequences = st.integers(0, 999)
areas = st.sampled_from(["519901", "519902", "119901", "659901", "719901"])


def made(area: str, born: date, sequence: int) -> str:
    first_17 = f"{area}{born:%Y%m%d}{sequence:03}"
    return first_17 + check_digit(first_17)


def sentences(number: str | None, born: date | None = None, gender: str | None = None) -> list[str]:
    return [sentence for _, sentence in check_citizen_id(number, born, gender, TODAY)]


# --- reading ---


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("11010519491231002x", WOMAN),
        (" 110105 19491231 002X\t", WOMAN),
        ("１１０１０５１９４９１２３１００２Ｘ", WOMAN),
        ("1101\u200b0519491231002X\ufeff", WOMAN),
        ("", ""),
        (None, ""),
    ],
)
def test_a_typed_number_is_stored_in_one_form(typed: str | None, stored: str) -> None:
    assert normal(typed) == stored


@given(st.text())
def test_reading_twice_changes_nothing_more(typed: str) -> None:
    assert normal(normal(typed)) == normal(typed)


# --- the citizen ID ---


def test_the_examples_of_the_standard_are_right() -> None:
    assert sentences(WOMAN, WOMAN_BORN, "2") == []
    assert list(check_citizen_id(MAN, MAN_BORN, "1", date(1990, 1, 1))) == []


def test_the_counter_example_of_the_standard_has_a_wrong_check_digit() -> None:
    assert sentences("110105194912310021") == [numbers.ID_CHECK]


def test_the_sentence_for_the_check_digit_is_the_one_agreed() -> None:
    assert (
        numbers.ID_CHECK
        == "身份证件号末位校验码不正确。请对照户口簿逐位核对；证件确实如此的，请家长先到户籍派出所核实。"
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (None, numbers.ID_EMPTY),
        ("  ", numbers.ID_EMPTY),
        ("110105491231002", numbers.ID_OLD),
        ("11010519491231002", numbers.ID_LENGTH),
        ("9" * 5000, numbers.ID_LENGTH),
        ("11010519491231O02X", numbers.ID_SHAPE),
        ("X1010519491231002X", numbers.ID_SHAPE),
        ("=1+1=1+1=1+1=1+1=1", numbers.ID_SHAPE),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢١", numbers.ID_SHAPE),
        ("010105194912310021", numbers.ID_AREA),
        ("830100201305060013", numbers.ID_AREA),
        ("110105194902300021", numbers.ID_DATE),
        ("110105000001010021", numbers.ID_DATE),
        (made(AREA, TODAY + timedelta(days=1), 1), numbers.ID_FUTURE),
        (MAN, numbers.ID_AGE),
    ],
)
def test_each_fault_of_an_id_has_its_sentence(number: str | None, sentence: str) -> None:
    assert sentences(number) == [sentence]


def test_who_was_born_today_or_turns_120_today_passes() -> None:
    assert sentences(made(AREA, TODAY, 1)) == []
    assert sentences(made(AREA, date(1906, 9, 1), 1)) == []
    assert sentences(made(AREA, date(1905, 9, 2), 1)) == []
    assert sentences(made(AREA, date(1905, 9, 1), 1)) == [numbers.ID_AGE]


@pytest.mark.parametrize("area", ["110103", "330103", "422921", "519999"])
def test_retired_and_unknown_counties_are_no_fault(area: str) -> None:
    assert sentences(made(area, BORN, 1)) == []


@pytest.mark.parametrize("area", ["810000", "820000", "830000"])
def test_residence_permits_pass_as_ids_and_as_permits(area: str) -> None:
    number = made(area, BORN, 0)  # sequence 000 is not given out
    assert sentences(number, BORN, "2") == []
    assert list(check_residence_permit(number, BORN, "2", TODAY)) == []


def test_an_ordinary_id_is_no_residence_permit() -> None:
    assert list(check_residence_permit(WOMAN, None, None, TODAY)) == [("id_number", numbers.PERMIT_AREA)]


def test_date_and_sex_must_agree_with_the_id() -> None:
    complaints = list(check_citizen_id(WOMAN, date(1949, 12, 30), "1", TODAY))
    assert complaints == [("born_on", numbers.BORN_ON_DIFFERS), ("gender", numbers.GENDER_DIFFERS)]


def test_a_wrong_check_digit_does_not_hide_a_wrong_date() -> None:
    complaints = dict(check_citizen_id("110105194912310021", BORN, "2", TODAY))
    assert complaints == {"id_number": numbers.ID_CHECK, "born_on": numbers.BORN_ON_DIFFERS}


def test_an_id_without_a_date_says_nothing_about_the_other_fields() -> None:
    assert dict(check_citizen_id("110105194902300021", BORN, "1", TODAY)) == {"id_number": numbers.ID_DATE}


def test_birthday_and_sex_are_read_from_an_id() -> None:
    assert (birthday_in(WOMAN), gender_in(WOMAN)) == (WOMAN_BORN, "2")
    assert (birthday_in(MAN.lower()), gender_in(MAN)) == (MAN_BORN, "1")


@pytest.mark.parametrize("number", [None, "", "E12345678", "110105491231002", "11010519490230002X"])
def test_no_birthday_is_read_where_there_is_none(number: str | None) -> None:
    assert birthday_in(number) is None


@pytest.mark.parametrize("number", [None, "", "E12345678", "110105491231002"])
def test_no_sex_is_read_where_there_is_none(number: str | None) -> None:
    assert gender_in(number) is None


@given(areas, days, sequences)
def test_a_made_id_is_right_and_gives_back_its_parts(area: str, born: date, sequence: int) -> None:
    number = made(area, born, sequence)
    assert sentences(number, born, "1" if sequence % 2 else "2") == []
    assert birthday_in(number) == born


@given(days, sequences, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_is_noticed(born: date, sequence: int, place: int, wrong: str) -> None:
    number = made(AREA, born, sequence)
    typed = number[:place] + wrong + number[place + 1 :]
    assert (sentences(typed) == []) == (typed == number)


@given(days, sequences)
def test_any_two_neighbours_swapped_are_noticed(born: date, sequence: int) -> None:
    number = made(AREA, born, sequence)
    for place, (left, right) in enumerate(pairwise(number)):
        swapped = number[:place] + right + left + number[place + 2 :]
        assert (sentences(swapped) == []) == (left == right)


@given(st.text(max_size=40), st.none() | days, st.sampled_from([None, "", "0", "1", "2", "9"]))
def test_whatever_is_typed_gets_sentences(typed: str, born: date | None, gender: str | None) -> None:
    for id_type in ("1", "6", "7", "8", "9", "A", "P", "Z"):
        for field, sentence in check_identity(id_type, typed, born, gender, TODAY):
            assert field in ("id_number", "born_on", "gender")
            assert sentence.endswith("。")


# --- other documents ---


@pytest.mark.parametrize(
    ("id_type", "number"),
    [
        ("A", "E12345678"),
        ("A", "ej1234567"),
        ("A", "123456789"),
        ("A", "AB12345"),
        ("6", "H1234567801"),
        ("6", "A123456(7)"),
        ("6", "K01234567"),
        ("7", "1234567(8)"),
        ("7", "1/234567/8"),
        ("7", "MA1234567"),
        ("8", "12345678"),
        ("8", "1234567801"),
        ("8", "1234567801(B)"),
        ("8", "T12345678"),
        ("9", "CHN310012345678"),
        ("9", "911124198108030024"),
        ("Z", ""),
        ("Z", "P510123456"),
        ("Z", "军字第12345号"),
        ("2", "A12345678"),
    ],
)
def test_plausible_documents_pass(id_type: str, number: str) -> None:
    assert check_document(id_type, number) is None


@pytest.mark.parametrize(
    ("id_type", "number", "sentence"),
    [
        ("A", "", numbers.ID_EMPTY),
        ("6", None, numbers.ID_EMPTY),
        ("A", "E123", numbers.DOCUMENT_SHAPE),
        ("A", "ABCDEFGH", numbers.DOCUMENT_SHAPE),
        ("A", "E12345678-1", numbers.DOCUMENT_SHAPE),
        ("A", "护照12345", numbers.DOCUMENT_SHAPE),
        ("A", "1" * 21, numbers.DOCUMENT_SHAPE),
        ("A", "E1234\x005678", numbers.DOCUMENT_SHAPE),
        ("A", "A123456(7)", numbers.DOCUMENT_SHAPE),
        ("8", "1234567", numbers.DOCUMENT_TAIWAN),
        ("8", "123456789", numbers.DOCUMENT_TAIWAN),
        ("A", WOMAN, numbers.DOCUMENT_IS_CITIZEN_ID),
        ("8", WOMAN.lower(), numbers.DOCUMENT_IS_CITIZEN_ID),
        ("Z", "1" * 21, numbers.DOCUMENT_OTHER),
        ("Z", "1\x002", numbers.DOCUMENT_OTHER),
    ],
)
def test_implausible_documents_get_their_sentence(id_type: str, number: str | None, sentence: str) -> None:
    assert check_document(id_type, number) == sentence


@pytest.mark.parametrize(
    ("id_type", "number", "fields"),
    [
        ("1", WOMAN, ["born_on"]),
        ("1", None, ["id_number"]),
        ("P", WOMAN, ["id_number"]),
        ("A", "E12345678", []),
        ("A", "E1", ["id_number"]),
        ("Z", None, []),
        (None, None, []),
    ],
)
def test_each_type_of_document_is_checked_by_its_own_rule(
    id_type: str | None, number: str | None, fields: list[str]
) -> None:
    assert [field for field, _ in check_identity(id_type, number, BORN, "2", TODAY)] == fields


# --- 学籍号 ---


@pytest.mark.parametrize(
    "number",
    [
        f"G{WOMAN}",
        f"g{WOMAN.lower()} ",
        f"G{MAN}",
        "L519901201305061234",
        "L51990120130506123X",
        make_formal_without_id(AREA, BORN, 7),
    ],
)
def test_sound_student_numbers_pass(number: str) -> None:
    assert check_student_no(number) is None


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (None, numbers.STUDENT_NO_LENGTH),
        ("", numbers.STUDENT_NO_LENGTH),
        (WOMAN, numbers.STUDENT_NO_LENGTH),
        ("G" * 5000, numbers.STUDENT_NO_LENGTH),
        (f"A{WOMAN}", numbers.STUDENT_NO_PREFIX),
        (f"1{WOMAN}", numbers.STUDENT_NO_PREFIX),
        ("G11010519491231X02X", numbers.STUDENT_NO_SHAPE),
        ("G١١٠١٠٥١٩٤٩١٢٣١٠٠٢١", numbers.STUDENT_NO_SHAPE),
        ("L5199012013050612345", numbers.STUDENT_NO_LENGTH),
        ("L519901201302301234", numbers.STUDENT_NO_DATE),
        ("G110105194912310021", numbers.STUDENT_NO_CHECK),
        ("J519901201305060070", numbers.STUDENT_NO_CHECK),
    ],
)
def test_each_fault_of_a_student_number_has_its_sentence(number: str | None, sentence: str) -> None:
    assert check_student_no(number) == sentence


@given(areas, days, st.integers())
def test_a_temporary_number_is_sound_and_repeats_with_its_seed(area: str, born: date, seed: int) -> None:
    number = make_temporary(area, born, random.Random(seed))
    assert number == make_temporary(area, born, random.Random(seed))
    assert number.startswith(f"L{area}{born:%Y%m%d}")
    assert check_student_no(number) is None
    assert (kind_of(number), id_in(number)) == ("L", None)


def test_without_a_seed_temporary_numbers_differ() -> None:
    assert len({make_temporary(AREA, BORN) for _ in range(20)}) > 1


@given(areas, days, sequences)
def test_a_formal_number_contains_the_id(area: str, born: date, sequence: int) -> None:
    number = make_formal(made(area, born, sequence))
    assert check_student_no(number) is None
    assert (kind_of(number), id_in(number)) == ("G", made(area, born, sequence))


@given(areas, days, sequences)
def test_a_formal_number_without_id_is_sound_and_holds_none(area: str, born: date, sequence: int) -> None:
    number = make_formal_without_id(area, born, sequence)
    assert number.startswith(f"J{area}{born:%Y%m%d}{sequence:03}")
    assert check_student_no(number) is None
    assert (kind_of(number), id_in(number)) == ("J", None)


@given(days, sequences, st.integers(1, 18), st.sampled_from("0123456789X"))
def test_any_single_wrong_character_of_a_formal_number_is_noticed(
    born: date, sequence: int, place: int, wrong: str
) -> None:
    number = make_formal_without_id(AREA, born, sequence)
    typed = number[:place] + wrong + number[place + 1 :]
    assert (check_student_no(typed) is None) == (typed == number)


@pytest.mark.parametrize("citizen_id", ["", "E12345678", "110105194912310021", "11010519490230002X"])
def test_no_formal_number_is_made_of_a_wrong_id(citizen_id: str) -> None:
    with pytest.raises(ValueError, match="citizen ID"):
        make_formal(citizen_id)


@pytest.mark.parametrize("area", ["", "51990", "5199010", "51990a", "５１９９０１"])
def test_no_number_is_made_for_a_wrong_area(area: str) -> None:
    with pytest.raises(ValueError, match="six digits"):
        make_temporary(area, BORN)
    with pytest.raises(ValueError, match="six digits"):
        make_formal_without_id(area, BORN, 1)


@pytest.mark.parametrize("sequence", [-1, 1000])
def test_no_number_is_made_beyond_the_last_sequence(sequence: int) -> None:
    with pytest.raises(ValueError, match="sequence"):
        make_formal_without_id(AREA, BORN, sequence)


@pytest.mark.parametrize("text", ["", "G1", WOMAN, f"G{WOMAN}\n"])
def test_what_is_no_student_number_has_no_kind(text: str) -> None:
    with pytest.raises(ValueError, match="student number"):
        kind_of(text)


@given(st.text(max_size=25))
def test_whatever_is_typed_for_a_student_number_gets_a_sentence_or_nothing(typed: str) -> None:
    sentence = check_student_no(typed)
    assert sentence is None or sentence.endswith("。")
    assert id_in(typed) is None or sentence != numbers.STUDENT_NO_SHAPE


# --- the sentences ---


def test_every_sentence_says_fact_and_way_out() -> None:
    told = {
        name: value
        for name, value in vars(numbers).items()
        if isinstance(value, str) and value.endswith("。")
    }
    assert len(told) > 20
    for name, sentence in told.items():
        assert sentence.count("。") >= 2, name
        assert "请" in sentence and "！" not in sentence, name
