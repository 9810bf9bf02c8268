"""Options of `choose`, `choice` and `many` in a message: by label, by number, by their words."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.forms import forms
from bot.heard import Heard
from bot.triggers.button import label_key
from core.normal import words

NUMBER = re.compile(r"(?:№\s*)?([0-9]{1,3})[.)]?")

Labels = tuple[str, ...]
Phrases = tuple[tuple[str, ...], ...]  # for each option, its phrases


def match_option(heard: Heard, labels: Labels, phrases: Phrases = ()) -> int | None:
    """Which option a message names: its label, else its number from 1, else the only option whose words all occur."""
    if not heard.text:
        return None
    keys, by_words = _table(labels, phrases)
    n = keys.get(" ".join(heard.words) or heard.text)
    if n is not None:
        return n
    if number := NUMBER.fullmatch(heard.text.strip()):
        n = int(number[1]) - 1
        return n if 0 <= n < len(labels) else None
    return _by_words(set(heard.words), by_words)


def _by_words(said: set[str], options: list[list[Requirement]]) -> int | None:
    """The option whose longest phrase fits; None when two fit equally."""
    scores = [max((len(r) for r in option if all(f & said for f in r)), default=0) for option in options]
    best = max(scores, default=0)
    return scores.index(best) if best and scores.count(best) == 1 else None


Requirement = list[frozenset[str]]  # for each word of a phrase, its forms


@lru_cache(4096)
def _table(labels: Labels, phrases: Phrases) -> tuple[dict[str, int], list[list[Requirement]]]:
    keys = {label_key(label): n for n, label in reversed(list(enumerate(labels)))}
    return keys, [learn(option) for option in phrases]


def learn(phrases: tuple[str, ...]) -> list[Requirement]:
    """What each phrase of an option requires of a message."""
    return [[forms(word) for word in words(phrase)] for phrase in phrases if words(phrase)]
