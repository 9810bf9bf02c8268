"""Places inside YAML values: from an offset in a text to the line and column where an editor shows it."""

from __future__ import annotations

import msgspec

from bot.loader import Scalar
from core.findings import Finding, Position

ESCAPED = {"x": 4, "u": 6, "U": 10}


def content_start(node: Scalar, lines: list[str]) -> Position:
    """Where the first character of the value stands."""
    if node.style in ("|", ">"):
        return _block_start(node, lines)
    return Position(node.file, node.line, node.column + (1 if node.style else 0))


def _block_start(node: Scalar, lines: list[str]) -> Position:
    for line in lines[node.line :]:
        if line.strip():
            return Position(node.file, node.line + 1, len(line) - len(line.lstrip(" ")) + 1)
    return Position(node.file, node.line + 1, 1)


def regular(node: Scalar) -> bool:
    """Whether lines and columns of the value run as those of the file do."""
    if node.style == "|":
        return True
    if node.style == ">" or node.line != node.end_line:
        return False
    return not node.style or node.end_column - node.column == len(node.text) + 2


def mend_position(finding: Finding, node: Scalar, lines: list[str]) -> Finding:
    """The finding with its true place. Parsers count as if a value were written as it reads; folded lines, `''` and
    escapes move things."""
    place = mended(finding.at, node, lines)
    return finding if place is finding.at else msgspec.structs.replace(finding, at=place)


def mended(at: Position, node: Scalar, lines: list[str]) -> Position:
    """The true place of a place that was counted from `content_start`."""
    if regular(node):
        return at
    start = content_start(node, lines)
    written = node.text.split("\n")
    row = min(at.line - start.line, len(written) - 1)
    column = at.column - start.column if at.line == start.line else at.column - 1
    # A value's own line breaks restart the column where the block starts, or at its offset from there.
    if at.line != start.line and at.column >= start.column:
        column = at.column - start.column
    offset = sum(len(line) + 1 for line in written[:row]) + max(0, column)
    return _nth(len("".join(node.text[:offset].split())), node, lines)


def _nth(count: int, node: Scalar, lines: list[str]) -> Position:
    """The place of the character before which `count` visible ones of the value stand."""
    start = content_start(node, lines)
    seen = 0
    for row in range(start.line - 1, node.end_line):
        text = lines[row] if row < len(lines) else ""
        column = start.column - 1 if row == start.line - 1 else 0
        while column < len(text):
            if _visible(text, column, node.style):
                if seen == count:
                    return Position(node.file, row + 1, column + 1)
                seen += 1
            column += _width(text, column, node.style)
    return start


def _visible(text: str, column: int, style: str) -> bool:
    """Whether a character of the value that is not white space begins here."""
    if style == '"' and text[column] == "\\":
        return text[column + 1 : column + 2] not in ("", "n", "t", "r", " ", "_", "N", "L", "P", "v", "f")
    return not text[column].isspace()


def _width(text: str, column: int, style: str) -> int:
    """How many characters of the file one character of the value takes."""
    if style == "'" and text.startswith("''", column):
        return 2
    if style == '"' and text[column] == "\\":
        return ESCAPED.get(text[column + 1 : column + 2], 2)
    return 1
