"""A lease in the hands of who works under it: the right to poll one account, while nobody else does."""

from __future__ import annotations

from typing import Protocol


class Hold(Protocol):
    """A lease as its holder sees it. It ends by the holder's own clock, before the store gives it to another; `lost`
    waits for that."""

    epoch: int  # 0 where one process serves the store and no lease is needed

    @property
    def held(self) -> bool: ...
    async def lost(self) -> None: ...
    def drop(self) -> None:
        """The store has said that it is another's."""
        ...
