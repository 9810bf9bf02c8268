"""An operator opens a ticket out of a conversation: whoever may see it may do so, whoever has it."""

from __future__ import annotations

from core.effects import CreateTicket
from core.events import OperatorAct
from core.normal import clean
from handoff import notices
from handoff.acts.act import Act
from handoff.decision import Decision


def _ticket(on: Decision, event: OperatorAct) -> None:
    """`data` holds what the desk has checked already: its name, title, fields, files, and whether the client is told."""
    data, number = event.data, on.facts.ticket_number
    title = clean(str(data["title"])).strip()
    on.out(
        CreateTicket(
            key=f"{on.conversation.id}:{event.operator}:{data['key']}",
            number=number,
            desk=data["desk"],
            title=title,
            text=clean(event.text),
            fields={label: clean(text) for label, text in data["fields"].items()},
            files=tuple(data["files"]),
            priority=data["priority"],
            private=tuple(data["private"]),
            category=data["category"],
            assignee=data["assignee"],
            deadline=data["deadline"],
            author=event.operator,
        )
    )
    on.why("ticket", number=number, desk=data["desk"])
    if data["tell"]:
        on.out(notices.notice(on.t("Ticket {number} is created: {title}", number=number, title=title)))


TICKET = Act(_ticket, owner=False, fresh=False)
