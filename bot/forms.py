"""Forms of words: what a word of a phrase may look like in a message. Used at publish; run time is a dictionary."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

REMEMBERED = 20_000  # words; a large set of flows has about a thousand
LATIN_ENDINGS = ("s", "es", "ed", "ing")


@cache
def _morphology() -> Any:
    """One dictionary for the process, loaded when the first word needs it."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


@lru_cache(REMEMBERED)
def forms(word: str) -> frozenset[str]:
    """Every form of a normalised word, itself among them."""
    if word.isascii():
        return _latin(word)
    parses = [parse for parse in _morphology().parse(word) if parse.is_known]
    found = {form.word.replace("ё", "е") for parse in parses for form in parse.lexeme}
    return frozenset(found | {word})


@lru_cache(REMEMBERED)
def base(word: str) -> str:
    """The dictionary form of a normalised word: two words with one base mean the same in a phrase."""
    if word.isascii():
        return word.removesuffix("s") if len(word) > 3 else word
    best = _morphology().parse(word)[0]
    return str(best.normal_form).replace("ё", "е") if best.is_known else word


def _latin(word: str) -> frozenset[str]:
    """English has few endings; numbers and codes have none."""
    if not word.isalpha() or len(word) < 3:
        return frozenset({word})
    stems = {word, word.removesuffix("s"), word.removesuffix("e")}
    return frozenset({word, word.removesuffix("s")} | {stem + ending for stem in stems for ending in LATIN_ENDINGS})
