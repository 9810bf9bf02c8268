"""Stand-ins for messengers: what goes out is heard by invented clients, and leaves this process nowhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from adapters import part_of
from adapters.web.capabilities import capabilities as web_capabilities
from adapters.web.channel import Web
from core.outbox import OutboxRow, Sent
from core.ports import Capabilities, Channel, Gate
from gateway.channels import channel_settings
from gateway.config.model import Config
from gateway.demo.place import is_played

BLOCKED = "Forbidden: bot was blocked by the user"
Ear = Callable[[OutboxRow], None]


def nobody(_: OutboxRow) -> None:
    """Hears nothing."""


def able(kind: str) -> Capabilities:
    """What a messenger of that kind can show; the web chat's own depends on its settings, and here takes no files."""
    found: Capabilities | None = getattr(part_of(kind, "capabilities"), "CAPABILITIES", None)
    return found if found is not None else web_capabilities(0)


class Played:
    """A messenger without a messenger. `blocked` are chats whose client has turned the bot away."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind, self.account = name, kind, f"demo-{name}"
        self.capabilities = able(kind)
        self.ear: Ear = nobody
        self.blocked: set[str] = set()

    def routes(self) -> list[tuple[str, str, Callable[[Any], Awaitable[Any]]]]:
        """Nobody calls."""
        return []

    async def start(self, gate: Gate) -> None:
        """There is nothing to connect to."""

    async def stop(self) -> None:
        """Nor to leave."""

    async def pace(self, row: OutboxRow) -> Sent | None:
        """Nothing limits how fast it goes."""
        return None

    async def caught_up(self) -> None:
        """Nothing was missed."""

    async def send(self, row: OutboxRow) -> Sent:
        """Taken at once."""
        if row.chat in self.blocked:
            return Sent("unreachable", reason=BLOCKED)
        self.ear(row)
        return Sent("sent", row.target_ids if row.kind == "edit" else (f"demo-{row.id}",))

    async def fetch(self, ref: str, limit: int) -> tuple[bytes, str]:
        """Files of a demo are stored when they arrive. Raises ValueError."""
        raise ValueError("a demo has no files elsewhere")

    async def typing(self, chat: str) -> None:
        """Nobody looks."""

    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """Nobody looks."""


class Overheard(Web):
    """The real web chat, with invented visitors beside those who come by their browsers."""

    ear: Ear = staticmethod(nobody)

    async def send(self, row: OutboxRow) -> Sent:
        """As ever; whose chat it is, the ear knows."""
        sent = await super().send(row)
        self.ear(row)
        return sent


def past_channels(config: Config) -> dict[str, Channel]:
    """For the making of the past: no door is open yet, so web chats are played, too."""
    return {
        name: _played_web(name) if not is_played(it) else Played(name, it.kind) for name, it in config.channels.items()
    }


def _played_web(name: str) -> Played:
    played = Played(name, "web")
    played.account = name  # as the real one has it, so that it goes on with these conversations
    return played


def live_channels(config: Config) -> dict[str, Channel]:
    """For a demo at work."""
    return {
        name: Played(name, it.kind) if is_played(it) else Overheard(name, channel_settings(config, name))
        for name, it in config.channels.items()
    }


def listen(channels: dict[str, Channel], ear: Ear) -> None:
    """From now on what goes out is heard."""
    for channel in channels.values():
        if isinstance(channel, Played | Overheard):
            channel.ear = ear
