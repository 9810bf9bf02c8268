"""Places inside YAML values: from an offset in a text to the line and column where an editor shows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bot.loader import Scalar
from core.findings import Position

ESCAPED = {"x": 4, "u": 6, "U": 10}
ESCAPED_SPACES = frozenset(["", "n", "t", "r", " ", "_", "N", "L", "P", "v", "f", "e", "0", "a", "b"])


def locator(node: Scalar, lines: list[str]) -> Callable[[int], Position]:
    """From offsets in the value to places of the file. `lines` are the lines of the file."""
    if node.style == "|":
        return partial(_in_block, node, content_start(node, lines))
    if node.style != ">" and node.line == node.end_line:
        quotes = 2 if node.style else 0
        if node.end_column - node.column == len(node.text) + quotes:
            return partial(_in_line, node, quotes // 2)
    return partial(_in_folded, node, lines)


def content_start(node: Scalar, lines: list[str]) -> Position:
    """Where the first character of the value stands, behind a quote or in the line after `|`."""
    if node.style not in ("|", ">"):
        return Position(node.file, node.line, node.column + (1 if node.style else 0))
    first = next((line for line in lines[node.line :] if line.strip()), "")
    return Position(node.file, node.line + 1, len(first) - len(first.lstrip(" ")) + 1)


def _in_line(node: Scalar, quote: int, offset: int) -> Position:
    return Position(node.file, node.line, node.column + quote + offset)


def _in_block(node: Scalar, start: Position, offset: int) -> Position:
    before = node.text[:offset]
    return Position(node.file, start.line + before.count("\n"), start.column + len(before) - before.rfind("\n") - 1)


def _in_folded(node: Scalar, lines: list[str], offset: int) -> Position:
    """Folding and quoting change white space and escapes only: the n-th visible character stays the n-th."""
    count = len("".join(node.text[:offset].split()))
    start = content_start(node, lines)
    for row in range(start.line - 1, min(node.end_line, len(lines))):
        text = lines[row]
        column = start.column - 1 if row == start.line - 1 else 0
        while column < len(text):
            visible, width = _character(text, column, node.style)
            if visible and count == 0:
                return Position(node.file, row + 1, column + 1)
            count -= visible
            column += width
    return start


def _character(text: str, column: int, style: str) -> tuple[bool, int]:
    """Whether the character of the value that begins here is visible, and how many characters of the file it takes."""
    if style == "'" and text.startswith("''", column):
        return True, 2
    if style == '"' and text[column] == "\\":
        letter = text[column + 1 : column + 2]
        return letter not in ESCAPED_SPACES, ESCAPED.get(letter, 2)
    return not text[column].isspace(), 1
