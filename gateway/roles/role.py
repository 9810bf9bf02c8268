"""What every role may say: its routes and loops, what it starts with, how it stops taking, how it ends."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from gateway.server import Route

if TYPE_CHECKING:
    from gateway.app import Gateway

Loop = Callable[[], Coroutine[Any, Any, None]]


class Quiet:
    """A role of nothing; real ones replace what they need. `channels`: whether it needs them started."""

    channels = False

    def __init__(self, house: Gateway) -> None:
        self.house = house

    def routes(self) -> list[Route]:
        """What it serves over HTTP."""
        return []

    async def start(self) -> None:
        """Before the doors are open and the channels started."""

    def loops(self) -> dict[str, Loop]:
        """What runs until the end, by name; one of the same name in two roles runs once."""
        return {}

    async def rest(self) -> None:
        """The first step of a stop: nothing new is taken on."""

    async def stop(self, grace: float) -> None:
        """The second: what is under way is finished within the grace (seconds), or given back."""
