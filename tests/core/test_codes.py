"""One-time codes: made by chance, read as people type them, never mistaken for an answer."""

from __future__ import annotations

import random
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codes import ALPHABET, GROUP, LENGTH, code_link, digest_code, make_code, read_code, read_link, show_code

CODES = st.integers(0, 2**32).map(lambda seed: make_code(random.Random(seed).choice))


def test_the_alphabet_has_no_look_alikes() -> None:
    assert not set("01OIL") & set(ALPHABET)
    assert len(ALPHABET) == len(set(ALPHABET)) == 31
    assert LENGTH - 1 >= 8  # signs by chance


@given(CODES, st.booleans(), st.sampled_from(["", " ", "-", "–", "\u00a0"]))
def test_a_code_is_read_in_any_case_and_grouping(code: str, lower: bool, between: str) -> None:
    typed = between.join((code[:GROUP], code[GROUP:]))
    assert read_code(typed.lower() if lower else typed) == code
    assert read_code(show_code(code)) == code
    assert read_link(code_link(code)) == code
    assert read_link(code) == ""


@given(CODES)
def test_a_russian_keyboard_types_it_too(code: str) -> None:
    russian = code.translate(str.maketrans("ABCEHKMPTXY", "АВСЕНКМРТХУ"))
    assert read_code(russian) == code


@given(CODES, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_found(code: str, place: int, sign: str) -> None:
    typed = code[:place] + sign + code[place + 1 :]
    assert read_code(typed) == (code if typed == code else "")


@given(CODES, st.integers(0, LENGTH - 3))
def test_two_swapped_signs_are_found(code: str, place: int) -> None:
    one, other = code[place], code[place + 1]
    typed = code[:place] + other + one + code[place + 2 :]
    assert read_code(typed) == (code if typed == code else "")


@given(st.text(max_size=40))
def test_any_text_can_be_asked(text: str) -> None:
    assert read_code(text) in {"", text.upper()} or len(text) >= LENGTH
    read_link(text)


@pytest.mark.parametrize(
    "text", ["9161234567", "7707083893", "BACKGROUND", "ORD-123456", "заказ 123456", "+79991234567", "а" * 10]
)
def test_answers_are_no_codes(text: str) -> None:
    assert read_code(text) == ""


def test_codes_differ() -> None:
    made = {make_code(secrets.choice) for _ in range(500)}
    assert len(made) == 500
    assert len({digest_code(code) for code in made}) == 500
