"""What a text is found by: its words, the forms they come in, and numbers however they are written. Pure.

Both engines get the same: words for their own full-text index, and beside them `exact`: numbers, phones and order numbers
without the signs between their parts, so that `+7 (999) 123-45-67` and `89991234567` meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from core.normal import normal

MOST_WORDS = 8  # of a question
MOST_LEXEMES = 3  # that a word may be a form of
LONGEST = 100_000  # characters of one document
LETTERS = "".join(map(chr, (*range(ord("a"), ord("z") + 1), *range(ord("а"), ord("я") + 1))))
SNIPPET = 160  # characters that are shown around what was found
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(
    r"[+№#]?(?:[^\W\d_]{1,10}[\-/.])?[^\W_]*\d[^\W_]*(?:[ \-–./()]{1,2}[^\W_]*\d[^\W_]*|[\-/.][^\W_]+)*"
)
_RUSSIAN = re.compile(r"[а-я]+")


def words_of(text: str) -> list[str]:
    """The words of a text, in order: lower case, ё as е."""
    return _WORD.findall(_folded(text))


def _folded(text: str) -> str:
    """As long as the text is, character for character."""
    folded = text.lower()
    if len(folded) != len(text):  # some letter becomes two
        folded = "".join(letter if len(letter) == 1 else " " for letter in map(str.lower, text))
    return folded.replace("ё", "е")


@cache
def _dictionary() -> Any:
    """The dictionary, read when somebody searches for the first time: it takes a part of a second, and 20 MB."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


@lru_cache(maxsize=2_000)
def forms_of(word: str) -> frozenset[str]:
    """Every form of the words that it may be a form of, as `words_of` has them; the word alone when it is no Russian one."""
    if len(word) < 3 or not _RUSSIAN.fullmatch(word):
        return frozenset((word,))
    meant: dict[str, Any] = {}
    for parse in _dictionary().parse(word):  # the likeliest first
        meant.setdefault(parse.normal_form, parse)
    forms = (str(form.word) for it in list(meant.values())[:MOST_LEXEMES] for form in it.lexeme)
    return frozenset((word, *(form.replace("ё", "е") for form in forms)))


def exact_of(text: str) -> list[str]:
    """Numbers of a text without the signs between their parts; of a Russian phone, the ten digits that both ways of writing
    share."""
    found: list[str] = []
    for match in _NUMBER.finditer(_folded(text)):
        whole = "".join(_WORD.findall(match[0]))
        found += [whole, whole.lstrip(LETTERS)] if len(whole) > 1 else []
        found += [whole[1:]] if len(whole) == 11 and whole[0] in "78" and whole.isdecimal() else []
    return list(dict.fromkeys(found))


def asked(question: str) -> tuple[list[str], str]:
    """The words of a question, and its number without signs when the whole of it is one."""
    said = normal(question)
    numbers = exact_of(said) if _NUMBER.fullmatch(said) else []
    phone = next((it for it in numbers if f"7{it}" in numbers or f"8{it}" in numbers), "")
    return words_of(said)[:MOST_WORDS], phone or next(iter(numbers), "")


def snippet(text: str, words: Iterable[str], number: str = "") -> tuple[str, list[tuple[int, int]]]:
    """The part of a text around the first word that was found, and where in it the found words stand. Plain text: the places
    say what is to be marked."""
    places = _places(text, tuple(words), number)
    first = places[0][0] if places else 0
    start = 0 if len(text) <= SNIPPET or first < SNIPPET // 2 else first - SNIPPET // 3
    start = text.rfind(" ", 0, start) + 1 if start else 0
    part = text[start : start + SNIPPET]
    kept = [(begin - start, min(end - start, len(part))) for begin, end in places]
    return part, [(begin, end) for begin, end in kept if 0 <= begin < end]


def _places(text: str, words: tuple[str, ...], number: str) -> list[tuple[int, int]]:
    folded, forms = _folded(text), frozenset[str]().union(*map(forms_of, words))
    found = [
        match.span()
        for match in _WORD.finditer(folded)
        if match[0] in forms or any(match[0].startswith(word) for word in words)
    ]
    if number:
        spans = [it.span() for it in _NUMBER.finditer(folded) if number in "".join(_WORD.findall(it[0]))]
        found = spans or found
    return found
