"""What the client did, as fields and triggers read it, with what only the engine needs: a command, a pressed button."""

from __future__ import annotations

from bot.heard import Heard, heard
from core.events import Message


class Said(Heard):
    """A message, or the label of a pressed button. `command` is `/status` when the message is one."""

    __slots__ = ("command", "pressed")

    def __init__(self, read: Heard, command: str = "", pressed: bool = False) -> None:
        super().__init__(read.text, read.attachments, read.contact, read.location)
        self.command = command
        self.pressed = pressed


def said(message: Message) -> Said:
    return Said(heard(message), message.command)


def said_text(text: str) -> Said:
    """A text that was heard before, or that a trigger caught."""
    return Said(Heard(text))


def pressed(label: str) -> Said:
    return Said(Heard(label), pressed=True)
