"""Ids of new rows, from sequences of the database; ticket numbers from blocks that a process takes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from storage.ledger import Numbers

SEQUENCES = {
    "conversation": "conversations_id_seq",
    "client": "clients_id_seq",
    "inbox": "inbox_id_seq",
    "outbox": "outbox_id_seq",
}
MORE = 16  # ids that are fetched when a group's stock runs out


class Sequences(Numbers):
    """The ids of one group of units. They are taken after the locks, so within a conversation they grow."""

    def __init__(self, fetch: Callable[[str, int], Iterable[int]], instance: str, ticket: int) -> None:
        super().__init__(instance=instance, ticket=ticket)
        self._fetch = fetch
        self._stock: defaultdict[str, deque[int]] = defaultdict(deque)

    def stock(self, name: str, numbers: Iterable[int]) -> None:
        """Numbers that were fetched for this group."""
        self._stock[name].extend(numbers)

    def ensure(self, name: str, count: int) -> None:
        """Have so many at hand."""
        short = count - len(self._stock[name])
        if short > 0:
            self.stock(name, self._fetch(SEQUENCES[name], max(short, MORE)))

    def take(self, name: str) -> int:
        if name == "ticket":
            return super().take(name)
        self.ensure(name, 1)
        return self._stock[name].popleft()

    def peek(self, name: str) -> int:
        self.ensure(name, 1)
        return self._stock[name][0]


@dataclass
class Block:
    """Ticket numbers from `next` to before `end`."""

    next: int
    end: int


class TicketBlocks:
    """Small blocks: two groups at once never use the same number, and little is lost when a process ends."""

    SIZE = 10
    FEW = 3  # numbers that a group should find in its block

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._spoiled = False
        self.floor = 1  # the first number that a new block may have

    def take(self) -> Block | None:
        """The block with the lowest numbers that nobody uses now; None: a new one must be fetched."""
        self._blocks.sort(key=lambda it: it.next, reverse=True)
        return self._blocks.pop() if self._blocks else None

    def give(self, block: Block, next: int) -> None:
        """A group is done. What it used beyond its block, or a number it was told to use, is not given out again."""
        self.floor = max(self.floor, next)
        spoiled, self._spoiled = self._spoiled, False
        if not spoiled and block.end - next >= self.FEW:
            self._blocks.append(Block(next, block.end))

    def spoil(self) -> None:
        """A number turned out to be another's: what is at hand is not to be trusted."""
        self._blocks.clear()
        self._spoiled = True
