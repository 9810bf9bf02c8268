"""`choose`: let the client pick the way; stores nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bot.expressions import Expression
from bot.model import Action, Block
from bot.shapes import EXPRESSION, STEPS, TEMPLATE, TEXT, TEXTS, Integer, Key, ListOf, Record, value_place
from bot.templates import Template
from core.findings import Position
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One option. `condition` (key `if`) hides it; without `then` the run goes on with the next step."""

    at: Position
    button: str
    words: tuple[str, ...] = ()
    condition: Expression | None = None
    then: Block | None = None


WAY = Record(
    "options",
    (
        Key("button", "button", TEXT, required=True, about=n_("the label")),
        Key("words", "words", TEXTS, about=n_("phrases that mean it too")),
        Key("if", "condition", EXPRESSION, about=n_("shown only when this is true")),
        Key("then", "then", STEPS, about=n_("what to do; without it the run goes on with the next step")),
    ),
    lambda values, node: Way(at=value_place(node, "button"), **values),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(Action):
    """Machine events `pick0`, `pick1`, … in the order written."""

    word: ClassVar[str] = "choose"
    about: ClassVar[str] = n_("let the client pick the way; stores nothing")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("choose", "question", TEMPLATE, required=True, about=n_("the question")),
        Key("options", "options", ListOf(WAY), required=True, about=n_("the ways to go on")),
        Key("columns", "columns", Integer(1, 8), about=n_("buttons in a row")),
    )
    question: Template
    options: tuple[Way, ...]
    columns: int = 1

    def blocks(self) -> Iterator[tuple[str, Block]]:
        for n, option in enumerate(self.options):
            if option.then is not None:
                yield f"pick{n}", option.then
