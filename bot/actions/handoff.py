"""`handoff`: give the session to a line of people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action, Block
from bot.shapes import STEPS, TEMPLATE, Key, Reference
from bot.templates import Template
from core.effects import ToLine
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


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

    def enter(self, walk: Walk) -> None:
        """A closed line answers without leaving the bot; an open one gets the session, and the run waits for it."""
        facts = walk.facts.lines.get(self.line)
        note = walk.text(self.note) if self.note is not None else walk.summary()
        walk.frame.memory["note"] = note
        walk.forget_back()
        walk.record("handed", flow=walk.frame.flow, step=walk.node.step, line=self.line)
        walk.note("handoff", line=self.line, open=facts is None or facts.open)
        if facts is not None and not facts.open:
            walk.refused("closed", self.line)
            return
        priority = walk.text(self.priority) if self.priority is not None else ""
        walk.effects.append(ToLine(self.line, note, priority, walk.run.number))
        walk.rest()
