"""`choose`: let the client pick the way; stores nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.expressions import Expression
from bot.model import Action, Block
from bot.options import match_option
from bot.shapes import EXPRESSION, LABEL, STEPS, TEMPLATE, TEXTS, Integer, Key, ListOf, Record, value_place
from bot.templates import Template
from core.findings import Position
from core.locale import n_
from core.messages import Button

if TYPE_CHECKING:
    from bot.engine.walk import Refusal, Walk
    from bot.heard import Heard


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
        Key("button", "button", LABEL, required=True, about=n_("the label")),
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

    def onward(self) -> Iterator[str]:
        yield from (f"pick{n}" for n, option in enumerate(self.options) if option.then is None)
        if all(option.condition is not None for option in self.options):
            yield "next"

    def policies(self) -> Iterator[str]:
        yield "too_many"
        yield "timeout"

    def enter(self, walk: Walk) -> None:
        walk.record("step_entered", flow=walk.frame.flow, step=walk.node.step)
        kept = walk.kept_choice() if walk.is_mending() else None
        shown = self.shown(walk)
        if kept is not None and kept in shown:
            walk.go(f"pick{kept}")
        elif shown:
            self.again(walk)
        else:  # every option is hidden by its condition
            walk.error("no option to choose")
            walk.go("next")

    def again(self, walk: Walk) -> None:
        buttons = [Button(self.options[n].button) for n in self.shown(walk)]
        rows = tuple(tuple(buttons[at : at + self.columns]) for at in range(0, len(buttons), self.columns))
        walk.ask(walk.rich(self.question), rows)

    def shown(self, walk: Walk) -> list[int]:
        """The options whose conditions hold now."""
        names = walk.names()
        return [
            n
            for n, option in enumerate(self.options)
            if option.condition is None or walk.truth(option.condition, names)
        ]

    def hear(self, walk: Walk, heard: Heard) -> Refusal | None:
        shown = self.shown(walk)
        labels = tuple(self.options[n].button for n in shown)
        found = match_option(heard, labels, tuple(self.options[n].words for n in shown))
        if found is None:
            return walk.refuse(True)
        walk.answered()
        walk.keep_choice(shown[found])
        walk.note("accepted", state=walk.frame.state, option=labels[found])
        if heard.text != labels[found]:
            walk.remember_heard(heard.text)
        walk.go(f"pick{shown[found]}")
        return None
