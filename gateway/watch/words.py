"""What stands behind a platform's words of trouble, and words without anything secret in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, SecretStr

Cause = Literal["token", "limit", "network", "conflict", "store", "platform", "other"]
SHORTEST = 6  # characters of a secret that is looked for: shorter ones stand in innocent words
MASK = "•••"

# The first that fits. Words are those of our adapters and of their platforms, which are English.
CAUSES: tuple[tuple[Cause, re.Pattern[str]], ...] = (
    (
        "limit",
        re.compile(
            r"\b429\b|too many|flood|retry after|limits?\b|as an error asked|as retry-after|closed for|^[69] ", re.I
        ),
    ),
    ("token", re.compile(r"\b401\b|unauthori[sz]ed|authorization failed|verify\.token|token|^(5|27|15) ", re.I)),
    ("conflict", re.compile(r"\b409\b|conflict|terminated by other", re.I)),
    ("store", re.compile(r"storage full|store is away|files cannot be given", re.I)),
    ("platform", re.compile(r"\b5\d\d\b|bad gateway|internal server|^10 ", re.I)),
    (
        "network",
        re.compile(
            r"connect|timeout|no answer|network|reset|dns|resolve|certificate|ssl|unconfirmed|oserror|not sent", re.I
        ),
    ),
)


def cause_of(words: str) -> Cause:
    """Why it does not go, in one word that pages have a hint for."""
    return next((cause for cause, shape in CAUSES if shape.search(words)), "other")


def secrets_of(value: Any) -> tuple[str, ...]:
    """Every secret of a configuration, the longest first."""
    found = {one for one in _secrets(value) if len(one) >= SHORTEST}
    return tuple(sorted(found, key=len, reverse=True))


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _secrets(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _secrets(one)


def masked(text: str, secrets: Sequence[str]) -> str:
    """The text with every secret covered, should a platform have repeated one."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
