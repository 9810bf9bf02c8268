"""What the rules of the store share: tables, numbers, leases, the clock, and the unit of writing under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from core.events import Event
from core.outbox import OutboxRow
from storage import shape
from storage.rows import WAITING, Row, Rows

LEASE = 30.0  # seconds a handed-out row stays with whoever got it


@dataclass
class Numbers:
    """The next free ids. One process writes, so they are counted here; gaps are allowed, repeats are not."""

    conversation: int = 1
    client: int = 1
    inbox: int = 1
    outbox: int = 1
    ticket: int = 1
    join: int = 1
    instance: str = ""  # of this store: makes keys unique beyond it

    def take(self, name: str) -> int:
        """The next number of a kind."""
        number: int = getattr(self, name)
        setattr(self, name, number + 1)
        return number

    def peek(self, name: str) -> int:
        """The next number of a kind, left where it is."""
        number: int = getattr(self, name)
        return number

    def pass_over(self, name: str, number: int) -> None:
        """A number was used; the next is a higher one."""
        setattr(self, name, max(self.peek(name), number + 1))


class Leases:
    """Which outbox rows are with a sender, until when. They live in memory: a new process owns none of the old ones."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def take(self, id: int, now: float) -> None:
        self._until[id] = now + LEASE

    def held(self, id: int, now: float) -> bool:
        return self._until.get(id, 0.0) > now

    def drop(self, ids: Iterable[int]) -> None:
        for id in ids:
            self._until.pop(id, None)

    def forget_old(self, now: float) -> None:
        """Drop what nobody came back for."""
        self.drop([id for id, until in self._until.items() if until <= now])


@dataclass
class Unit:
    """What one unit of writing did beside the tables; undone with it, or made true when it is committed."""

    taken: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)
    woke: bool = False
    fed: bool = False  # it wrote a line of the feed
    left: set[str] = field(default_factory=set)  # channels of rows that another process sends; "" without a lane


@dataclass
class Ledger:
    """The rules' hands. `unit` is the unit of writing under way: they run one at a time."""

    rows: Rows
    numbers: Numbers
    clock: Callable[[], float]
    outer_desks: frozenset[str] = frozenset()
    leases: Leases = field(default_factory=Leases)
    unit: Unit = field(default_factory=Unit)
    hands: Callable[[str], bool] | None = None  # whether this process sends for a channel; None: for all

    def begin(self) -> Unit:
        """Start a unit of writing."""
        self.unit = Unit()
        return self.unit

    def committed(self, unit: Unit) -> None:
        """The unit is on the disk: settled rows are no longer leased."""
        self.leases.drop(unit.freed)

    def dropped(self, unit: Unit) -> None:
        """The unit never was: nobody got the rows."""
        self.leases.drop(unit.taken)

    def hand(self, row: OutboxRow, now: float) -> OutboxRow:
        """Give a row out, leased."""
        self.leases.take(row.id, now)
        self.unit.taken.append(row.id)
        return row

    def offer(self, row: OutboxRow, now: float, into: list[OutboxRow]) -> None:
        """Give a new row out, unless another process sends for its channel: then it stays free."""
        if self.hands is None or self._ours(row.channel if row.kind in shape.LANE else ""):
            into.append(self.hand(row, now))

    def _ours(self, channel: str) -> bool:
        ours = self.hands is None or self.hands(channel)
        if not ours:
            self.unit.left.add(channel)
        return ours

    def hand_stored(self, id: int, now: float) -> OutboxRow | None:
        """Give a stored row out; None when somebody holds it, it is settled, or its time has not come."""
        stored = self.rows.outbox_row(id)
        if stored is None or not is_free(stored, self.leases, now):
            return None
        if not self._ours(stored["channel"] if stored["lane"] else ""):
            return None
        target = self.rows.outbox_row(stored["target"]) if stored["target"] else None
        return self.hand(shape.outbox_row(stored, target), now)

    def key(self, id: int) -> str:
        """The idempotency key of an outbox row: unique beyond this store and this process."""
        return f"{self.numbers.instance}-{id}"

    def put_event(self, conversation: int, event: Event, key: str) -> bool:
        """Put an internal event into the inbox, once per key. False when the key was known."""
        if self.rows.seen("", str(conversation), key) is not None:
            return False
        row = shape.event_row(self.numbers.take("inbox"), conversation, event, key, self.clock())
        self.rows.insert("inbox", row)
        self.unit.woke = True
        return True


def is_free(row: Row, leases: Leases, now: float) -> bool:
    """A row that may be handed out now, its lane aside."""
    return row["state"] == WAITING and row["not_before"] <= now and not leases.held(row["id"], now)
