"""Which process serves which edition, as far as hints tell."""

from __future__ import annotations

import os
import re
import socket
from typing import Any

from core.ports import Hints

SECONDS = 4.0  # how long a process is believed to serve after it has said so
SERVES = "serves:"  # the key is serves:<process>:<edition>:<current or behind>

# What stands in Redis may be anybody's: only what looks like ours is believed, and shown in a terminal.
KEY = re.compile(rf"{SERVES}[\w./-]+:[0-9a-f]{{1,64}}:(current|behind)", re.ASCII)


def process_name() -> str:
    """This process among those of all machines; a colon would end it."""
    return re.sub(r"[^\w./-]", "-", f"{socket.gethostname()}/{os.getpid()}", flags=re.ASCII)


async def say_present(hints: Hints, edition: str, behind: bool) -> None:
    """Says that this process serves an edition; `behind`: because it cannot serve the current one."""
    await hints.present(f"{SERVES}{process_name()}:{edition}:{'behind' if behind else 'current'}", SECONDS)


async def find_processes(hints: Hints | None, current: str, own: tuple[str, bool] | None) -> list[dict[str, Any]]:
    """All processes with what they serve, by name. `own` is what this one serves and whether it is behind."""
    keys = [key for key in await hints.who(SERVES) if KEY.fullmatch(key)] if hints is not None else []
    found: dict[str, dict[str, Any]] = {}
    # A process that has just switched is known twice for a moment: what it serves now counts.
    for key in sorted(keys, key=lambda key: (key.split(":")[2] == current, key)):
        _, process, edition, state = key.split(":")
        found[process] = {"process": process, "edition": edition, "behind": state == "behind"}
    if own is not None:
        found[process_name()] = {"process": process_name(), "edition": own[0], "behind": own[1]}
    return [found[process] for process in sorted(found)]
