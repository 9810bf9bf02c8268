"""The author's formatting: `**bold** _italic_ `code` [text](url)`. What is not well formed is plain text."""

from __future__ import annotations

import re
from collections.abc import Callable

from core.rich import Mark, MarkKind, Rich

SCHEMES = ("http://", "https://", "tel:", "mailto:")
HOLE = 0x100000  # characters from here on stand for values: a plane no text uses
PLAIN = re.compile(r"https?://[^\s\\*`\[\])]+|[^\\*_`\[h]+|h")
URL = re.compile(r"\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
SEEN = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]+")
ESCAPED = "*_`[]\\"

_Closes = Callable[[int], bool]


def parse_formatting(source: str) -> Rich:
    """The text without its marks, and the marks over it. `\\*` is a plain star. Marks end on the line they begin on."""
    reader = _Reader(source)
    reader.read(0, len(source))
    return Rich("".join(reader.out), tuple(sorted(reader.marks, key=lambda mark: (mark.start, -mark.end))))


def is_hole(character: str) -> bool:
    return ord(character) >= HOLE


def is_safe_url(url: str) -> bool:
    """Only links a client may be led to: web pages, phones and letters."""
    return url.lower().startswith(SCHEMES) and SEEN.fullmatch(url) is not None


class _Reader:
    """One pass over the source. `dead` remembers up to where no closer exists, so that the pass stays linear."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.out: list[str] = []
        self.size = 0
        self.marks: list[Mark] = []
        self.dead: dict[str, int] = {}

    def read(self, at: int, end: int) -> None:
        while at < end:
            if run := PLAIN.match(self.source, at, end):
                self.put(run[0])
                at = run.end()
            else:
                at = self.special(at, end)

    def put(self, text: str) -> None:
        self.out.append(text)
        self.size += len(text)

    def special(self, at: int, end: int) -> int:
        """Reads a mark, an escape or the bare character at a place; returns where to go on."""
        character = self.source[at]
        if character == "\\" and at + 1 < end and self.source[at + 1] in ESCAPED:
            self.put(self.source[at + 1])
            return at + 2
        after = MARKS[character](self, at, end) if character in MARKS else 0
        if after:
            return after
        self.put(character)
        return at + 1

    def bold(self, at: int, end: int) -> int:
        if not self.source.startswith("**", at):
            return 0
        return self.span("bold", at, end, "**", lambda close: not self.source[close - 1].isspace())

    def italic(self, at: int, end: int) -> int:
        if at and is_word(self.source[at - 1]):
            return 0
        return self.span("italic", at, end, "_", self.closes_italic)

    def closes_italic(self, close: int) -> bool:
        after = self.source[close + 1 : close + 2]
        return not self.source[close - 1].isspace() and not (after and is_word(after))

    def code(self, at: int, end: int) -> int:
        close = self.find("`", at + 1, end)
        if close <= at + 1:
            return 0
        start = self.size
        self.put(self.source[at + 1 : close])
        self.marks.append(Mark("code", start, self.size))
        return close + 1

    def span(self, kind: MarkKind, at: int, end: int, fence: str, closes: _Closes) -> int:
        """A mark whose inside may hold others."""
        begin = at + len(fence)
        if begin >= end or self.source[begin].isspace() or self.source[begin] == fence[0]:
            return 0
        close = self.find(fence, begin, end)
        while close > 0 and not (close > begin and self.source[close - 1] != "\\" and closes(close)):
            close = self.find(fence, close + 1, end)
        if close < 0:
            self.dead[fence] = self.line_end(at, end)
            return 0
        self.inside(kind, begin, close)
        return close + len(fence)

    def link(self, at: int, end: int) -> int:
        close = self.find("]", at + 1, end)
        url = URL.match(self.source, close + 1, end) if close > at + 1 else None
        if url is None or not (is_safe_url(url[1]) or is_hole(url[1][:1] or " ")):
            return 0
        self.inside("link", at + 1, close, url[1])
        return url.end()

    def inside(self, kind: MarkKind, begin: int, close: int, url: str = "") -> None:
        start = self.size
        self.read(begin, close)
        self.marks.append(Mark(kind, start, self.size, url))

    def find(self, fence: str, at: int, end: int) -> int:
        """Where the fence stands next on this line, -1 when nowhere."""
        if at <= self.dead.get(fence, -1):
            return -1
        line = self.line_end(at, end)
        found = self.source.find(fence, at, line)
        if found < 0:
            self.dead[fence] = line
        return found

    def line_end(self, at: int, end: int) -> int:
        line = self.source.find("\n", at, end)
        return end if line < 0 else line


def is_word(character: str) -> bool:
    """Letters, digits, `_` and values: `номер_заказа` and `{{ a }}_{{ b }}` are not italic."""
    return character.isalnum() or character == "_" or is_hole(character)


MARKS: dict[str, Callable[[_Reader, int, int], int]] = {
    "*": _Reader.bold,
    "_": _Reader.italic,
    "`": _Reader.code,
    "[": _Reader.link,
}
