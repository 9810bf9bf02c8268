"""Live pages in other processes: told when a message of their chat was settled, to read it from the history."""

from __future__ import annotations

from collections.abc import Mapping

from core.outbox import OutboxRow
from core.ports import Channel, Hints

LIVE = frozenset({"web"})  # kinds of channels whose pages are open with us


class LivePages:
    """Tells `history:<channel>` for rows of channels with pages."""

    def __init__(self, hints: Hints, channels: Mapping[str, Channel]) -> None:
        self._hints = hints
        self._topics = {name: f"history:{name}" for name, channel in channels.items() if channel.kind in LIVE}

    def told(self, row: OutboxRow) -> None:
        """A row is settled."""
        topic = self._topics.get(row.channel)
        if topic is not None:
            self._hints.tell(topic, str(row.conversation))
