"""`call`: run another flow and come back with what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action, Block
from bot.shapes import NAME_SHAPE, STEPS, VALUE, Key, MapOf, Reference
from bot.templates import Template
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Action):
    """`inputs` is the YAML key `with`."""

    word: ClassVar[str] = "call"
    about: ClassVar[str] = n_("run another flow and come back with what it gives")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("call", "flow", Reference("flow"), required=True, about=n_("the flow to run")),
        Key("with", "inputs", MapOf(NAME_SHAPE, VALUE), about=n_("values for what the flow takes")),
        Key("failed", "failed", STEPS, about=n_("what to do when the flow fails; without it the failure goes up")),
    )
    flow: str
    inputs: dict[str, Template] = field(default_factory=dict)
    failed: Block | None = None

    def blocks(self) -> Iterator[tuple[str, Block]]:
        if self.failed is not None:
            yield "failed", self.failed

    def policies(self) -> Iterator[str]:
        if self.failed is None:
            yield "failed"

    def enter(self, walk: Walk) -> None:
        inputs = {name: walk.value(template) for name, template in self.inputs.items()}
        if walk.is_mending() and walk.done_before(inputs):
            walk.go("next")
            return
        walk.done_now(inputs)
        walk.push(self.flow, inputs)
