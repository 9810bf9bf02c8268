"""What starts a flow. A new kind is a file here and a line in the tuple, which is in the order of levels."""

from __future__ import annotations

from bot.model import Trigger
from bot.triggers.button import Button
from bot.triggers.command import Command
from bot.triggers.event import EventTrigger
from bot.triggers.exact import Exact
from bot.triggers.link import Link
from bot.triggers.pattern import PatternTrigger
from bot.triggers.words import Words

TRIGGERS: tuple[type[Trigger], ...] = (Link, Command, Button, Exact, PatternTrigger, Words, EventTrigger)

__all__ = ["TRIGGERS", "Button", "Command", "EventTrigger", "Exact", "Link", "PatternTrigger", "Words"]
