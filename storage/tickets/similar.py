"""How alike two tickets are: by the stems of their words, and by the numbers they name. Pure."""

from __future__ import annotations

import re

from core.normal import normal

WORD = re.compile(r"\w+")
STEM = 5  # letters: Russian words differ at their ends («списали», «списание»), hardly at their beginnings
SHORTEST = 3  # letters of a word that means something
LIKE = 0.34  # a third of all stems in common
SAME_CODE = 0.9  # the same order or contract is the same matter, whatever else is said
CODE = re.compile(r"(?=\w*\d)\w{5,}")


def stems(text: str) -> frozenset[str]:
    """The words of a text cut to their beginnings; what is shorter than a word, and bare figures, are left out."""
    return frozenset(
        word[:STEM] for word in WORD.findall(normal(text)) if len(word) >= SHORTEST and not word.isdecimal()
    )


def codes(text: str) -> frozenset[str]:
    """Numbers of orders, contracts and the like: five characters or more, with a figure among them."""
    return frozenset(CODE.findall(normal(text)))


def likeness(one: str, other: str) -> float:
    """From 0 to 1: the share of common stems (Jaccard); a common code says more than words do."""
    ours, theirs = stems(one), stems(other)
    every = ours | theirs
    shared = len(ours & theirs) / len(every) if every else 0.0
    return max(shared, SAME_CODE) if codes(one) & codes(other) else shared
