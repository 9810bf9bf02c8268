"""Rich text: plain characters plus marks over them, the only form in which a text leaves the bot."""

from __future__ import annotations

from typing import Literal

import msgspec

MarkKind = Literal["bold", "italic", "code", "link"]


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Formatting of `text[start:end]`; offsets are in code points, adapters convert (Telegram and VK want UTF-16)."""

    kind: MarkKind
    start: int
    end: int
    url: str = ""


class Rich(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text for a person. `text` holds no markup at all: values of clients are data here."""

    text: str
    marks: tuple[Mark, ...] = ()

    def __add__(self, other: Rich) -> Rich:
        shift = len(self.text)
        moved = tuple(Mark(m.kind, m.start + shift, m.end + shift, m.url) for m in other.marks)
        return Rich(self.text + other.text, self.marks + moved)


def plain(text: str) -> Rich:
    """A text without formatting."""
    return Rich(text)


def join(parts: list[Rich], separator: str = "\n") -> Rich:
    """The parts one after another; empty parts are left out."""
    whole = Rich("")
    for part in parts:
        if part.text:
            whole = part if not whole.text else whole + Rich(separator) + part
    return whole
