"""Texts of clients become plain text, and texts that mean the same compare equal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.normal import UNSEEN, clean, normal, words


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("привет\r\nмир\r!", "привет\nмир\n!"),
        ("a\x00b\x07c\x1bd", "abcd"),
        ("док\u202etxt.exe", "докtxt.exe"),
        ("не\u200bви\u2060дно\ufeff", "невидно"),
        ("бу\u061cк\u206eвы", "буквы"),
        ("и\u0306", "й"),
        ("👩\u200d💻", "👩\u200d💻"),
        ("таб\tстрока\n", "таб\tстрока\n"),
    ],
)
def test_clean(given_text: str, expected: str) -> None:
    assert clean(given_text) == expected


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [("  Ёлка!! ", "елка"), ("Да\u00a0, конечно…", "да , конечно"), ("«Отмена».", "отмена"), ("...", "")],
)
def test_normal(given_text: str, expected: str) -> None:
    assert normal(given_text) == expected


def test_words_are_limited() -> None:
    assert words("Вернуть товар по-быстрому, №5!") == ["вернуть", "товар", "по-быстрому", "5"]
    assert len(words("слово " * 100)) == 64


@given(st.text())
def test_nothing_unseen_is_left(text: str) -> None:
    assert not UNSEEN.search(clean(text))
    assert clean(clean(text)) == clean(text)
    assert normal(normal(text)) == normal(text)
