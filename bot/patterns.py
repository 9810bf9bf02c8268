"""Patterns of flows on RE2: no pattern and no text can make a match slow. Case, ё and no-break spaces do not matter."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import re2

from core.findings import Finding, Position
from core.locale import n_

WORD = r"[\p{L}\p{N}_]"
NO_WORD = r"[^\p{L}\p{N}_]"
FOLDED = {ord("ё"): "е", ord("Ё"): "Е"} | dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F), " ")

# Pieces of a pattern: an escape, the edges of a character class, anything else.
TOKENS = re.compile(r"\\Q.*?(?:\\E|$)|\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\.|\[\^?\]?|\]|[^\\\[\]]+|.", re.DOTALL)


JOINED_BEFORE = re.compile(r"(?:[@+]|[^\W_][.\-])\Z")
JOINED_AFTER = re.compile(r"@|[.\-][^\W_]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A checked pattern. `groups` are its named groups; values keep the client's spelling."""

    source: str
    at: Position
    groups: tuple[str, ...]
    searching: Any = field(compare=False, repr=False)
    matching: Any = field(compare=False, repr=False)
    token: Any = field(compare=False, repr=False)

    def whole(self, text: str) -> str | None:
        """What the trimmed text stands for when the pattern fits all of it: its only group, else the whole."""
        text = text.strip()
        found = self.matching.fullmatch(fold(text))
        if found is None:
            return None
        start, end = _only_group(found, 1)
        return text[start:end]

    def search(self, text: str) -> dict[str, str] | None:
        """The named groups of the first place that fits, None when there is none."""
        found = self.searching.search(fold(text))
        if found is None:
            return None
        spans = ((name, found.span(number)) for name, number in self.searching.groupindex.items())
        return {name: text[start:end] for name, (start, end) in spans if start >= 0}

    def find(self, text: str) -> list[tuple[str, int, int]]:
        """(value, start, end) of every whole token that fits: no letter or digit stands at its sides, and it is no part
        of an address, a longer number or a date."""
        padded = f" {fold(text)} "
        tokens, at = [], 0
        while found := self.token.search(padded, at):
            start, end = _only_group(found, 2)
            begin, at = found.span(1)
            if start < end and is_apart(padded, begin, at):
                tokens.append((text[start - 1 : end - 1], begin - 1, at - 1))
            at = max(at, begin + 1)
            if at >= len(padded):
                break
        return tokens


def is_apart(padded: str, start: int, end: int) -> bool:
    """Whether what stands at the sides does not make one token with it: `1234@host`, `8-1234-5`, `12.1234`."""
    return not (JOINED_BEFORE.search(padded, 0, start) or JOINED_AFTER.match(padded, end))


def fold(text: str) -> str:
    """The text as patterns see it, character for character."""
    try:
        folded = text.translate(FOLDED)
        folded.encode()
    except UnicodeEncodeError:  # half of a character pair, from a broken client
        return text.translate(FOLDED).encode("utf-8", "replace").decode()
    return folded


def _only_group(found: Any, first: int) -> tuple[int, int]:
    """The span of the author's only group when it took part, else of the whole (the group before `first`)."""
    whole: tuple[int, int] = found.span(first - 1)
    if found.re.groups != first or found.span(first) == (-1, -1):
        return whole
    group: tuple[int, int] = found.span(first)
    return group


def parse_pattern(
    source: str, at: Position, report: Callable[[Finding], None], locate: Callable[[int], Position] | None = None
) -> Pattern | None:
    """The pattern, or None after an L165 finding with the reason. `locate` maps offsets of the source to places."""
    try:
        return build_pattern(source, at)
    except Unfit as unfit:
        place = at if locate is None else locate(max(0, source.find(unfit.near)))
        report(Finding(place, "L165", unfit.what, unfit.mend, unfit.values, length=len(unfit.near)))
        return None


class Unfit(Exception):
    """The pattern cannot be used: `what` and `mend` are message ids."""

    def __init__(self, what: str, mend: str = "", **values: str) -> None:
        super().__init__(what)
        self.what, self.mend, self.values = what, mend, values
        self.near = next(iter(values.values()), "")


def build_pattern(source: str, at: Position) -> Pattern:
    """The pattern compiled three ways: to search, to fit a whole answer, to find whole tokens. Raises `Unfit`."""
    core, left, right = _edges(_widened(source.replace("ё", "е").replace("Ё", "Е").replace("\u00a0", " ")))
    bare = _unanchored(core)
    matching = _compile(core)
    _check_names(source)
    searching = _compile(f"{_guard(left, '^')}(?:{core}){_guard(right, '$')}")
    return Pattern(
        source,
        at,
        tuple(searching.groupindex),
        searching,
        matching,
        _compile(f"{NO_WORD}({bare}){NO_WORD}"),
    )


def _check_names(source: str) -> None:
    """RE2 keeps silent about two groups of one name."""
    names = re.findall(r"\(\?P?<([^>]*)>", source)
    for n, name in enumerate(names):
        if name in names[:n]:
            raise Unfit(n_("two groups have one name: {name}"), name=name)


def _guard(wanted: bool, edge: str) -> str:
    """What `\\b` means for letters of every alphabet: the edge of the text or a character that is no part of a word."""
    return f"(?:{edge}|{NO_WORD})" if wanted else ""


def _edges(pattern: str) -> tuple[str, bool, bool]:
    """The pattern without `\\b` at its ends, and whether they stood there."""
    left = pattern.startswith(r"\b")
    core = pattern[2:] if left else pattern
    right = _ends_with(core, r"\b")
    return (core[:-2] if right else core), left, right


def _ends_with(pattern: str, tail: str) -> bool:
    """Whether the tail stands at the end, not half of an escaped backslash."""
    pieces = TOKENS.findall(pattern)
    return bool(pieces) and (
        pieces[-1] == tail or (len(tail) == 1 and pieces[-1][-1:] == tail and pieces[-1][:1] != "\\")
    )


def _unanchored(core: str) -> str:
    """Without `^` and `$` at its ends: a token inside a text has neighbours."""
    core = core.removeprefix("^")
    return core[:-1] if _ends_with(core, "$") else core


def _widened(pattern: str) -> str:
    """`\\w` and `\\W` for all alphabets; refuses `\\b` in the middle, where RE2 knows Latin letters only."""
    pieces = TOKENS.findall(pattern)
    out, inside = [], False
    for n, piece in enumerate(pieces):
        if piece[0] == "[" and not inside:
            inside = True
        elif piece == "]":
            inside = False
        out.append(_widened_piece(piece, inside, 0 < n < len(pieces) - 1))
    return "".join(out)


def _widened_piece(piece: str, inside: bool, middle: bool) -> str:
    if piece == r"\w":
        return WORD[1:-1] if inside else WORD
    if piece == r"\W":
        if inside:
            raise Unfit(
                n_("the pattern has {mark} in square brackets"), n_("write it outside of the brackets"), mark=piece
            )
        return NO_WORD
    if piece == r"\B" or (piece == r"\b" and (middle or inside)):
        raise Unfit(
            n_("the pattern has {mark} inside"), n_("\\b is allowed only at the beginning and at the end"), mark=piece
        )
    return piece


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise _reason(_said(error)) from error


def _said(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


_LOOKING = (n_("looking ahead and behind is not possible: {reason}"), n_("write the pattern without (?=, (?!, (?<"))
REASONS: dict[str, tuple[str, str]] = {
    "invalid perl operator: (?=": _LOOKING,
    "invalid perl operator: (?!": _LOOKING,
    "invalid perl operator: (?<": _LOOKING,
    "invalid escape sequence": (
        n_("this escape is not known: {reason}"),
        n_("back references such as \\1 do not exist here"),
    ),
    "missing )": (n_("a round bracket is not closed: {reason}"), ""),
    "unexpected )": (n_("a round bracket is closed that was not opened: {reason}"), ""),
    "missing ]": (n_("a square bracket is not closed: {reason}"), ""),
    "no argument for repetition": (
        n_("nothing stands before the repetition: {reason}"),
        n_("write \\* or \\+ for the character itself"),
    ),
    "bad repetition": (n_("a repetition is written wrongly: {reason}"), ""),
    "invalid repetition size": (n_("a repetition is too long: {reason}"), n_("at most 1000")),
    "invalid named capture group": (n_("a name of a group is written wrongly: {reason}"), n_("write (?P<name>…)")),
    "trailing": (n_("the pattern ends with a lone backslash"), n_("write \\\\ for the character itself")),
}


def _reason(said: str) -> Unfit:
    """RE2's complaint in our words."""
    for known, (what, mend) in REASONS.items():
        if said.startswith(known):
            return Unfit(what, mend, reason=said.partition(": ")[2])
    return Unfit(n_("the pattern cannot be used: {reason}"), reason=said)
