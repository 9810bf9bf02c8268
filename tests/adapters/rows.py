"""Outbox rows to person 7, as every messenger's tests send them."""

from __future__ import annotations

from typing import Any

from core.messages import Button, Outgoing
from core.outbox import OutboxRow
from core.rich import Rich

MESSAGE = frozenset(("rows", "files", "quote", "per_channel"))


def row(channel: str, account: str, text: str | Rich = "Здравствуйте", **values: Any) -> OutboxRow:
    """A row of an account; what is a part of the message goes into it."""
    body = Rich(text) if isinstance(text, str) else text
    message = Outgoing(body, **{name: values.pop(name) for name in MESSAGE & values.keys()})
    fields: dict[str, Any] = {
        "id": 1, "conversation": 1, "kind": "send", "channel": channel, "account": account, "chat": "7", "key": "s-1",
        "message": message,
    }  # fmt: skip
    return OutboxRow(**{**fields, **values})


def buttons(*labels: str) -> tuple[tuple[Button, ...], ...]:
    """One button per row."""
    return tuple((Button(label, token=f"1.2.{number}"),) for number, label in enumerate(labels))
