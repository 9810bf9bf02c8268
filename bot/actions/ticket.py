"""`ticket`: create a ticket on a desk, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from bot.model import Action, Block
from bot.shapes import FIELDS, NAME_SHAPE, STEPS, TEMPLATE, TEXT, Key, MapOf, Reference
from bot.templates import Template
from core.locale import n_


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket(Action):
    """`fields` is the YAML key `with`: label → text. The saved result has `номер`, `статус`, `ссылка`."""

    word: ClassVar[str] = "ticket"
    about: ClassVar[str] = n_("create a ticket on a desk, never twice")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("ticket", "desk", Reference("desk"), required=True, about=n_("the desk")),
        Key("title", "title", TEMPLATE, required=True, about=n_("one line that tells what it is about")),
        Key("text", "text", TEMPLATE, about=n_("the description")),
        Key("with", "fields", MapOf(TEXT, TEMPLATE), about=n_("the fields of the ticket, label: value")),
        Key("attach", "attach", FIELDS, about=n_("fields with files")),
        Key("priority", "priority", TEMPLATE, about=n_("how urgent it is")),
        Key("save", "save", NAME_SHAPE, about=n_("the name of the ticket")),
        Key("failed", "failed", STEPS, about=n_("what to do when the outer desk refuses")),
    )
    desk: str
    title: Template
    text: Template | None = None
    fields: dict[str, Template] = field(default_factory=dict)
    attach: tuple[str, ...] = ()
    priority: Template | None = None
    save: str = ""
    failed: Block | None = None

    def blocks(self) -> Iterator[tuple[str, Block]]:
        if self.failed is not None:
            yield "failed", self.failed
