"""Canned replies: a text with variables, filled in for one conversation. Values are data, never templates. Pure.

A variable stands in double braces, as in flows: `{{ client.name }}`, `{{ Номер заказа }}`, and perhaps with what to say without
a value: `{{ client.name | default("клиент") }}`. There is nothing else: no tags, no sums.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.locale import n_
from core.normal import clean, normal

LONGEST = 4096  # characters of one value
_HOLE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}")
_NAME = re.compile(r"[^\W\d][\w .,:№/()-]{0,99}")
_DEFAULT = re.compile(r"default\(\s*(\"[^\"]*\"|'[^']*')\s*\)")


@dataclass(frozen=True)
class BadReply(Exception):
    """A text that is no template of ours: where, and why (a message id)."""

    offset: int
    why: str


@dataclass(frozen=True)
class Hole:
    """A variable in a text. `default` None: it must have a value."""

    name: str
    default: str | None = None


@dataclass(frozen=True)
class Filled:
    """A text for the client, and the variables that have no value, in their order: with any it must not be sent."""

    text: str
    unfilled: tuple[str, ...] = ()


def parse_reply(text: str) -> tuple[str | Hole, ...]:
    """The words and the variables of a text, in order. Raises `BadReply`."""
    parts: list[str | Hole] = []
    end = 0
    for found in _HOLE.finditer(text):
        parts += [_words(text, end, found.start()), _hole(found[1], found.start())]
        end = found.end()
    parts.append(_words(text, end, len(text)))
    return tuple(part for part in parts if part != "")


def _words(text: str, start: int, end: int) -> str:
    stray = _STRAY.search(text, start, end)
    if stray is not None:
        raise BadReply(stray.start(), n_("a variable is written {{ name }}; there is nothing else in braces"))
    return text[start:end]


def _hole(said: str, offset: int) -> Hole:
    name, bar, rest = said.partition("|")
    name = " ".join(name.split())
    if not _NAME.fullmatch(name):
        raise BadReply(offset, n_("this is no name of a variable"))
    default = _DEFAULT.fullmatch(rest.strip()) if bar else None
    if bar and default is None:
        raise BadReply(offset, n_('after | only default("…") may stand'))
    return Hole(name, default[1][1:-1] if default is not None else None)


def fill(parts: tuple[str | Hole, ...], values: Mapping[str, str]) -> Filled:
    """The text with `values` by `key_of` their names. What has none stays in braces, so that people see it."""
    said, unfilled = [], []
    for part in parts:
        if isinstance(part, str):
            said.append(part)
            continue
        value = clean(values.get(key_of(part.name), "")).strip()[:LONGEST] or part.default
        if value is None:
            unfilled.append(part.name)
        said.append(f"{{{{ {part.name} }}}}" if value is None else value)
    return Filled("".join(said), tuple(dict.fromkeys(unfilled)))


def left_open(parts: tuple[str | Hole, ...], text: str) -> tuple[str, ...]:
    """Variables of a template that still stand in braces in a text made of it. What clients say in braces is no variable."""
    names = {key_of(part.name): part.name for part in parts if isinstance(part, Hole)}
    open_ = (key_of(" ".join(found[1].partition("|")[0].split())) for found in _HOLE.finditer(text))
    return tuple(dict.fromkeys(names[key] for key in open_ if key in names))


def key_of(name: str) -> str:
    """By what names are the same: `Номер заказа` and `номер  заказа`."""
    return normal(name)
