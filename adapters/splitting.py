"""Long texts in parts: no word, symbol or formatting is cut unless it is longer than a whole part."""

from __future__ import annotations

import unicodedata

from core.rich import Mark, Rich

# Best places to end a part, best first: after a paragraph, a line, a sentence, a word.
ENDS = ("\n\n", "\n", ". ", "! ", "? ", "… ", "; ", " ", "\t")
JOINER = "\u200d"


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
        if not any(m.start < place < m.end for m in marks):
            return place
        at = text.rfind(end, earliest, place - 1)
    return 0


def _between_symbols(text: str, limit: int) -> int:
    """The last place up to `limit` that parts neither a letter from its accents nor a joined emoji."""
    at = limit
    while at > max(limit - 32, 1) and _joined(text, at):
        at -= 1
    return limit if _joined(text, at) else at


def _joined(text: str, at: int) -> bool:
    return text[at - 1] == JOINER or text[at] == JOINER or bool(unicodedata.combining(text[at])) or text[at] == "\ufe0f"
