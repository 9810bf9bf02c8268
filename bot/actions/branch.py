"""`if`: branch on what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bot.expressions import Expression
from bot.model import Action, Block
from bot.shapes import EXPRESSION, STEPS, Key, ListOf, Record
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk

ARM = Record(
    "elif",
    (
        Key("if", "test", EXPRESSION, required=True, about=n_("the condition")),
        Key("then", "then", STEPS, required=True, about=n_("what to do when it is true")),
    ),
    lambda values, node: (values["test"], values["then"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Action):
    """`arms` are `if` and every `elif`: machine events `yes` (first arm), `pick1`, `pick2`, … (elif), `no` (else)."""

    word: ClassVar[str] = "if"
    about: ClassVar[str] = n_("branch on what is known")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("if", "test", EXPRESSION, required=True, about=n_("the condition")),
        Key("then", "then", STEPS, required=True, about=n_("what to do when it is true")),
        Key("elif", "elifs", ListOf(ARM), about=n_("further conditions, tried in order")),
        Key("else", "otherwise", STEPS, about=n_("what to do when none is true")),
    )
    arms: tuple[tuple[Expression, Block], ...]
    otherwise: Block | None = None

    @classmethod
    def build(cls, values: dict[str, Any]) -> Self:
        arms = ((values.pop("test"), values.pop("then")), *values.pop("elifs", ()))
        return cls(arms=arms, **values)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        for n, (_, block) in enumerate(self.arms):
            yield ("yes" if n == 0 else f"pick{n}"), block
        if self.otherwise is not None:
            yield "no", self.otherwise

    def onward(self) -> Iterator[str]:
        if self.otherwise is None:
            yield "no"

    def enter(self, walk: Walk) -> None:
        names = walk.names()
        for n, (test, _) in enumerate(self.arms):
            if walk.truth(test, names):
                walk.go("yes" if n == 0 else f"pick{n}")
                return
        walk.go("no")
