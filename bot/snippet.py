"""What clients said as a line of YAML that the loader reads as the very same words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from core.normal import words

PLAIN = re.compile(r"[^\W\d_](?:[^\W_]|[ -](?=[^\W_]))*\Z")
NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def quoted(text: str) -> str:
    """A text as a value inside `[…]`: bare where nothing of it means anything to YAML, else in double quotes."""
    if PLAIN.match(text) and text.lower() not in NOT_TEXT:
        return text
    return '"' + "".join(_escaped(sign) for sign in text) + '"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return "\\" + sign
    code = ord(sign)
    if sign.isprintable() and not 0xD800 <= code <= 0xDFFF and sign != "\ufeff":
        return sign
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def trigger_word(text: str) -> Literal["words", "exact"]:
    """The kind of trigger that can catch a message: `words`, or `exact` where it has none."""
    return "words" if words(text) else "exact"


def trigger_line(phrases: Sequence[str]) -> str:
    """`- words: [one, another]`, a line of `triggers:`. All phrases are of one kind (`trigger_word`)."""
    return f"- {trigger_word(phrases[0])}: [{', '.join(map(quoted, phrases))}]"
