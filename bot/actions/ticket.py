"""`ticket`: create a ticket on a desk, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action, Block
from bot.shapes import FIELDS, NAME_SHAPE, STEPS, TEMPLATE, TEXT, Key, MapOf, Reference
from bot.templates import Template
from core.events import CallDone
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


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

    def policies(self) -> Iterator[str]:
        if self.failed is None:
            yield "failed"

    def enter(self, walk: Walk) -> None:
        if walk.is_mending() and walk.done_before({}):
            walk.go("next")
            return
        labels = walk.flow.labels
        key, outer = walk.create_ticket(
            desk=self.desk,
            title=walk.text(self.title),
            text=walk.text(self.text) if self.text is not None else "",
            fields={label: walk.text(template) for label, template in self.fields.items()},
            files=walk.files(self.attach),
            priority=walk.text(self.priority) if self.priority is not None else "",
            private=tuple(label for label in self.fields if label in labels and labels[label].private),
        )
        if self.save:
            number = walk.facts.ticket_number + walk.tickets - 1
            walk.frame.values[self.save] = {"номер": str(number), "статус": walk.t("new"), "ссылка": ""}
        walk.done_now({})
        if outer:
            walk.wait_for_call(key)
        else:
            walk.go("next")

    def again(self, walk: Walk) -> None:
        """Back from a digression: the outer desk may have answered meanwhile. Never a second ticket."""
        if not walk.resume_call():
            walk.go("next")

    def done(self, walk: Walk, result: CallDone) -> None:
        if result.status == "failed":
            walk.policy_failed()
            return
        saved = walk.frame.values.get(self.save) if self.save else None
        if saved and result.take.get("link"):
            walk.frame.values[self.save] = {**saved, "ссылка": result.take["link"]}
        walk.go("next")
