"""Long texts in parts: no word, symbol or formatting is cut unless it is longer than a whole part."""

from __future__ import annotations

import unicodedata

from core.rich import Mark, Rich

# Best places to end a part, best first: after a paragraph, a line, a sentence, a word.
ENDS = ("\n\n", "\n", ". ", "! ", "? ", "… ", "; ", " ", "\t")
JOINER = "\u200d"
LONGEST_SYMBOL = 32  # characters; nobody sees a longer one as one
MARKS = frozenset(("Mn", "Me", "Mc"))  # accents, enclosing keys, vowel signs, variation selectors
MODIFIERS = frozenset(map(chr, range(0x1F3FB, 0x1F400)))  # skin tones
TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))  # flags of regions
FLAGS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))


def split(rich: Rich, limit: int) -> list[Rich]:
    """Parts of at most `limit` code points whose texts joined are the text; an empty text gives no part.

    A mark longer than what is left goes on in the next part with the same kind.
    """
    parts = []
    rest = rich
    while len(rest.text) > limit:
        at = _cut(rest, limit)
        parts.append(_slice(rest, 0, at))
        rest = _slice(rest, at, len(rest.text))
    return [*parts, rest] if rest.text else parts


def _slice(rich: Rich, start: int, end: int) -> Rich:
    marks = tuple(
        Mark(m.kind, max(m.start, start) - start, min(m.end, end) - start, m.url)
        for m in rich.marks
        if m.start < end and m.end > start
    )
    return Rich(rich.text[start:end], marks)


def _cut(rich: Rich, limit: int) -> int:
    """Where the first part ends: between words, outside of marks if that can be, and not too early, for the reader's sake."""
    for marks, earliest in ((rich.marks, limit // 2), (rich.marks, 0), ((), limit // 2), ((), 0)):
        for end in ENDS:
            at = _last(rich.text, marks, end, earliest, limit)
            if at:
                return at
    return _between_symbols(rich.text, limit)


def _last(text: str, marks: tuple[Mark, ...], end: str, earliest: int, limit: int) -> int:
    """The last place after `end` in (earliest, limit] that lies in none of the marks; 0 when there is none."""
    at = text.rfind(end, earliest, limit)
    while at >= 0:
        place = at + len(end)
        if not any(m.start < place < m.end for m in marks) and not (place < len(text) and _joined(text, place)):
            return place
        at = text.rfind(end, earliest, place - 1)
    return 0


def _between_symbols(text: str, limit: int) -> int:
    """The last place up to `limit` that parts neither a letter from its accents nor an emoji from what is joined to it."""
    at = limit
    while at > max(limit - LONGEST_SYMBOL, 1) and _joined(text, at):
        at -= 1
    return limit if _joined(text, at) else at


def _joined(text: str, at: int) -> bool:
    """Whether the characters before and at the place are seen as one."""
    before, after = text[at - 1], text[at]
    if JOINER in (before, after) or after in MODIFIERS or after in TAGS:
        return True
    if unicodedata.category(after) in MARKS or (before, after) == ("\r", "\n"):
        return True
    return after in FLAGS and _flags_before(text, at) % 2 == 1


def _flags_before(text: str, at: int) -> int:
    """How many flag letters end there: two make a flag."""
    start = at
    while start and text[start - 1] in FLAGS:
        start -= 1
    return at - start
