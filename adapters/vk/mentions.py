"""Mentions of VK made harmless: pure. A name that VK would turn into a link, or a call of everybody, stays a text."""

from __future__ import annotations

import re

from core.rich import Mark, Rich

WALL = "\u2060"  # word joiner: seen by nobody, and no mention goes through it
# `[id1|x]`, `[club1|x]`, `[https://vk.com/a|x]`; `@name`, `*name`, `@all`, `@id1 (x)`. Not the @ of a mail address, and nothing
# inside an address of a page.
BRACKET = r"\[(?=[^\[\]|\n]{1,200}\|)"
SIGN = r"(?<![\w./\-])[@*](?=\w)"
MENTION = re.compile(f"{BRACKET}|{SIGN}")


def neutralise(rich: Rich) -> Rich:
    """The text with a wall behind each sign that begins a mention; marks stay over what they marked."""
    ends = [found.end() for found in MENTION.finditer(rich.text)]
    if not ends:
        return rich
    pieces = [rich.text[start:end] for start, end in zip([0, *ends], [*ends, len(rich.text)], strict=True)]
    marks = tuple(Mark(m.kind, _moved(m.start, ends), _moved(m.end, ends), m.url) for m in rich.marks)
    return Rich(WALL.join(pieces), marks)


def _moved(place: int, ends: list[int]) -> int:
    return place + sum(end <= place for end in ends)
