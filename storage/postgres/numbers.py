"""Ids of new rows, from sequences of the database; ticket numbers from blocks that a process takes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.util.concurrency import await_

from storage.ledger import Numbers

SEQUENCES = {
    "conversation": "conversations_id_seq",
    "client": "clients_id_seq",
    "inbox": "inbox_id_seq",
    "outbox": "outbox_id_seq",
    "join": "joins_id_seq",
}
MORE = 16  # ids that are fetched when a group's stock runs out


@dataclass
class Block:
    """Ticket numbers from `next` to before `end`."""

    next: int
    end: int


class TicketBlocks:
    """Small blocks: two groups at once never use the same number, and little is lost when a process ends.

    `fetch` takes a block of so many numbers from the database, none below the first one asked for, and gives its end.
    """

    SIZE = 10
    FEW = 3  # numbers that a turn should find

    def __init__(self, fetch: Callable[[int, int], Awaitable[int]]) -> None:
        self._fetch = fetch
        self._blocks: list[Block] = []
        self._floor = 1

    async def take(self) -> Block:
        """The block with the lowest numbers that nobody uses now, or a new one."""
        self._blocks.sort(key=lambda it: it.next, reverse=True)
        if self._blocks:
            return self._blocks.pop()
        end = await self._fetch(self._floor, self.SIZE)
        return Block(end - self.SIZE, end)

    def give(self, block: Block) -> None:
        """A group is done with it. Numbers beyond its end were used too, if it says so."""
        self._floor = max(self._floor, block.next)
        if block.end - block.next >= self.FEW:
            self._blocks.append(block)

    def drain(self) -> list[Block]:
        """Blocks that nobody uses; they are not given out again."""
        blocks, self._blocks = self._blocks, []
        return blocks


class Sequences(Numbers):
    """The numbers of one group of units. Ids are taken after the locks, so within a conversation they grow."""

    def __init__(self, fetch: Callable[[str, int], Iterable[int]], instance: str, blocks: TicketBlocks) -> None:
        super().__init__(instance=instance)
        self._fetch = fetch
        self._blocks = blocks
        self._block: Block | None = None
        self._first = 0
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
        self.ensure(name, 1)
        return self._stock[name].popleft()

    def peek(self, name: str) -> int:
        if name == "ticket":
            return self._tickets().next
        self.ensure(name, 1)
        return self._stock[name][0]

    def pass_over(self, name: str, number: int) -> None:
        block = self._tickets()
        block.next = max(block.next, number + 1)

    def _tickets(self) -> Block:
        """A block with some numbers left. It is fetched beside the transaction, so that nobody waits for its end."""
        if self._block is not None and self._block.end - self._block.next < TicketBlocks.FEW:
            self._blocks.give(self._block)
            self._block = None
        if self._block is None:
            self._block = await_(self._blocks.take())
            self._first = self._block.next
        return self._block

    def settle(self, committed: bool) -> None:
        """The end of the group: numbers that it did not use are for the next."""
        if self._block is not None:
            if not committed:
                self._block.next = self._first
            self._blocks.give(self._block)
            self._block = None
