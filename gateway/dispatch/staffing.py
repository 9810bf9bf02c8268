"""At a start: channels whose clients nobody would ever answer."""

from __future__ import annotations

from gateway.config.model import Config
from gateway.floor import Floor
from gateway.logs import logger
from storage.routing.reading import read_staffed

log = logger()


def unserved(config: Config, staffed: frozenset[str]) -> list[tuple[str, str]]:
    """Channels that are on, each with its line, where the line has neither an operator nor an answer when it is closed."""
    found = []
    for name, channel in sorted(config.channels.items()):
        line = config.lines.get(channel.line)
        if channel.on and (line is None or (line.closed is None and channel.line not in staffed)):
            found.append((name, channel.line))
    return found


async def warn_of_unserved(floor: Floor) -> None:
    """Say it once, in the log. Raises `StorageFull`."""
    staffed = await floor.units.ask(read_staffed)
    for channel, line in unserved(floor.config, staffed):
        log.warning("channel_unserved", channel=channel, line=line)
