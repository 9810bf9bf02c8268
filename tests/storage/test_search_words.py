"""What a text is found by: words and their forms, numbers however they are written, and what of it is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.search.sqlite import match_of
from storage.search.words import SNIPPET, _folded, asked, exact_of, forms_of, snippet, words_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+7 (999) 123-45-67", "9991234567"),
        ("8 999 123 45 67", "9991234567"),
        ("89991234567", "9991234567"),
        ("9991234567", "9991234567"),
        ("АБ-123/45", "аб12345"),
        ("№1001", "1001"),
        ("INV2024-7", "inv20247"),
        ("заказ 1001", ""),
        ("привет", ""),
        ("", ""),
    ],
)
def test_a_question_that_is_a_number(text: str, number: str) -> None:
    assert asked(text)[1] == number


def test_numbers_of_a_text() -> None:
    found = exact_of("Заказ АБ-123/45, звоните +7 (999) 123-45-67 до 18:00")
    assert {"аб12345", "12345", "79991234567", "9991234567"} <= set(found)


def test_forms_of_russian_words() -> None:
    assert {"заказ", "заказу", "заказами"} <= forms_of("заказы")
    assert {"прийти", "пришла", "пришедшие"} <= forms_of("пришел")
    assert {"стекло", "стекла", "стек", "стечь"} <= forms_of("стекло")  # a thing, and what water has done
    assert forms_of("iphone") == {"iphone"}
    assert words_of("Ёлка_и-ПАЛКА") == ["елка", "и", "палка"]


@pytest.mark.parametrize("text", ["ПРИВЕТ, Ёж", "İstanbul Ёж", "ﬁ ǅ ẞ"])
def test_places_in_a_text_stay_when_letters_become_small(text: str) -> None:
    assert len(_folded(text)) == len(text)
    assert _folded(text) == _folded(_folded(text))


def test_a_question_is_never_syntax() -> None:
    words, number = asked('"заказ" OR * NEAR(x) text: - ^')
    assert match_of(words, number).count('"') % 2 == 0
    assert all(word.isalnum() for word in words)


@given(st.text(max_size=400), st.text(max_size=40))
def test_a_snippet_is_a_part_of_the_text_and_its_places_are_in_it(text: str, question: str) -> None:
    words, number = asked(question)
    part, marks = snippet(text, words, number)
    assert part in text
    assert len(part) <= SNIPPET
    assert all(0 <= begin < end <= len(part) for begin, end in marks)


def test_a_snippet_stands_around_what_was_found() -> None:
    text = "слово " * 200 + "паспорт " + "слово " * 200
    part, marks = snippet(text, ["паспорт"])
    assert [part[begin:end] for begin, end in marks] == ["паспорт"]
    assert not part.startswith("ово"), "it begins with a whole word"
