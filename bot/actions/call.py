"""`call`: run another flow and come back with what it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from bot.model import Action, Block
from bot.shapes import NAME_SHAPE, STEPS, TEMPLATE, Key, MapOf, Reference
from bot.templates import Template
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Action):
    """`inputs` is the YAML key `with`."""

    word: ClassVar[str] = "call"
    about: ClassVar[str] = n_("run another flow and come back with what it gives")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("call", "flow", Reference("flow"), required=True, about=n_("the flow to run")),
        Key("with", "inputs", MapOf(NAME_SHAPE, TEMPLATE), about=n_("values for what the flow takes")),
        Key("failed", "failed", STEPS, about=n_("what to do when the flow fails; without it the failure goes up")),
    )
    flow: str
    inputs: dict[str, Template] = field(default_factory=dict)
    failed: Block | None = None

    def blocks(self) -> Iterator[tuple[str, Block]]:
        if self.failed is not None:
            yield "failed", self.failed
