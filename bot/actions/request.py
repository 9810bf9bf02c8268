"""`request`: call a service of the config and wait for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from bot.model import Action, Block
from bot.shapes import NAME_SHAPE, STEPS, TEMPLATE, Key, MapOf, Reference
from bot.templates import Template
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Action):
    """`call` is `service.call`; `missing` is 404 or an empty answer."""

    word: ClassVar[str] = "request"
    about: ClassVar[str] = n_("call a service of the config and wait for the answer")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("request", "call", Reference("call"), required=True, about=n_("service.call of the config")),
        Key("with", "params", MapOf(NAME_SHAPE, TEMPLATE), about=n_("what the call needs")),
        Key("save", "save", NAME_SHAPE, about=n_("the name of the answer")),
        Key("missing", "missing", STEPS, about=n_("what to do when there is nothing of the kind")),
        Key("failed", "failed", STEPS, about=n_("what to do when the service does not answer")),
    )
    call: str
    params: dict[str, Template] = field(default_factory=dict)
    save: str = ""
    missing: Block | None = None
    failed: Block | None = None

    def blocks(self) -> Iterator[tuple[str, Block]]:
        for event, block in (("missing", self.missing), ("failed", self.failed)):
            if block is not None:
                yield event, block
