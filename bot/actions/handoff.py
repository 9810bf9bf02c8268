"""`handoff`: give the session to a line of people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from bot.model import Action, Block
from bot.shapes import STEPS, TEMPLATE, Key, Reference
from bot.templates import Template
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff(Action):
    word: ClassVar[str] = "handoff"
    about: ClassVar[str] = n_("give the session to a line of people; the bot is silent")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("handoff", "line", Reference("line"), required=True, about=n_("the line")),
        Key("note", "note", TEMPLATE, about=n_("what the operator reads first")),
        Key("priority", "priority", TEMPLATE, about=n_("how urgent it is")),
        Key("closed", "closed", STEPS, about=n_("what to do outside the hours of the line")),
        Key("busy", "busy", STEPS, about=n_("what to do when nobody took it in time")),
    )
    line: str
    note: Template | None = None
    priority: Template | None = None
    closed: Block | None = None
    busy: Block | None = None

    def blocks(self) -> Iterator[tuple[str, Block]]:
        for event, block in (("closed", self.closed), ("busy", self.busy)):
            if block is not None:
                yield event, block
