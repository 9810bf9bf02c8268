"""L113: only fields with files can be attached."""

from __future__ import annotations

from collections.abc import Iterator

from bot.actions.say import Say
from bot.actions.ticket import Ticket
from bot.check.places import find, value_at
from bot.check.walk import own_actions
from bot.loader import Sequence
from bot.model import Library
from core.deployment import Deployment
from core.findings import Finding, Position
from core.locale import n_

WITH_FILES = frozenset({"photo", "file"})


def check_attached(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """Fields named by `attach`."""
    for flow in library.flows.values():
        for action in own_actions(flow, library.bot.policy):
            if not isinstance(action, (Say, Ticket)):
                continue
            for name in action.attach:
                field = flow.fields.get(name)
                if field is not None and field.type not in WITH_FILES:
                    yield Finding(
                        at=_place(action, name),
                        code="L113",
                        what=n_("the field «{name}» is a {type}: only photos and files can be attached"),
                        mend=n_("remove it, or use it in the text"),
                        values={"name": name, "type": field.type},
                        length=len(name),
                    )


def _place(action: Say | Ticket, name: str) -> Position:
    path = ("say", "attach") if isinstance(action, Say) else ("attach",)
    listed = find(action.node, path)
    for item in listed.items if isinstance(listed, Sequence) else ():
        if getattr(item, "text", "") == name:
            return item.at
    return value_at(action, *path)
