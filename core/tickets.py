"""Tickets as everybody reads them, the desks that keep them, and what somebody wants changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec

from core.locale import n_

Means = Literal["open", "waiting", "done"]
MEANS: tuple[Means, ...] = ("open", "waiting", "done")
CLIENT = "client"  # who changed a ticket: the client; `desk`: the outer desk; `user:<id>`: a person at work
# The statuses of a desk that names none of its own, with their titles.
USUAL: tuple[tuple[str, str, Means], ...] = (
    ("new", n_("new"), "open"),
    ("open", n_("in work"), "open"),
    ("waiting", n_("waiting for you"), "waiting"),
    ("done", n_("solved"), "done"),
)


class TicketStatus(msgspec.Struct, frozen=True):
    """A status of a desk: the word it is stored under, what people read, and the group it belongs to."""

    word: str
    title: str
    means: Means = "open"


class Desk(msgspec.Struct, frozen=True):
    """A desk. `statuses` in their order; an outer desk may have none, then its words are taken as they come.

    `resolve` is the promised time in seconds of working time of `line` (0: nothing is promised). `resume` gives the new
    deadline of a ticket that goes on: its line, since when it stood, its deadline, now (seconds since the epoch, UTC).
    """

    id: str
    title: str
    needs: tuple[str, ...] = ()
    statuses: tuple[TicketStatus, ...] = ()
    categories: tuple[str, ...] = ()
    resolve: float = 0.0
    line: str = ""
    outer: bool = False
    resume: Callable[[str, float, float, float], float] | None = None

    def known(self, word: str) -> TicketStatus | None:
        """The status of a word; rows of older versions hold titles of outer desks."""
        return next((it for it in self.statuses if word in (it.word, it.title)), None)

    def status(self, word: str, done: bool = False) -> TicketStatus:
        """The status of a word. One that the map does not hold is shown as it is and ends the ticket when `done`."""
        return self.known(word) or TicketStatus(word, usual_title(word), "done" if done else "open")

    @property
    def first(self) -> TicketStatus:
        """The status of a new ticket: the first one that is open."""
        return self._first("open", self.status("new"))

    @property
    def again(self) -> TicketStatus:
        """The status of a ticket that was done and is opened again: the second open one where there is one."""
        opened = [it for it in self.statuses if it.means == "open"]
        return opened[1] if len(opened) > 1 else self.first

    def lacking(self, fields: Iterable[str]) -> list[str]:
        """The needs that fields, by label, leave open; in their order."""
        given = set(fields)
        return [label for label in self.needs if label not in given]

    def _first(self, means: Means, otherwise: TicketStatus) -> TicketStatus:
        return next((it for it in self.statuses if it.means == means), otherwise)


def usual_title(word: str) -> str:
    """The title of a usual status (an English text id), or the word itself."""
    return next((title for usual, title, _ in USUAL if usual == word), word)


class Ticket(msgspec.Struct):
    """A work item of a desk. `fields` label → text; `history` is a list of {at, what, by, …}.

    `waiting` and `done` say to which group the status belongs: neither is open. `master` is the ticket that this one was
    joined to (0: none); `deadline` 0: nothing is promised; `assignee` is `user:<id>`.
    """

    number: int
    desk: str
    title: str
    text: str
    fields: dict[str, str]
    files: tuple[str, ...]
    priority: str
    status: str
    done: bool
    client: int
    conversation: int
    created_at: float
    updated_at: float
    outer_number: str = ""
    outer_link: str = ""
    private: tuple[str, ...] = ()
    history: list[dict[str, Any]] = []
    waiting: bool = False
    category: str = ""
    assignee: str = ""
    deadline: float = 0.0
    line: str = ""
    author: str = ""
    rating: int = 0
    version: int = 1
    master: int = 0
    solved_at: float = 0.0

    @property
    def means(self) -> Means:
        """The group of its status."""
        return "done" if self.done else "waiting" if self.waiting else "open"

    @property
    def comments(self) -> list[dict[str, Any]]:
        """What was said to or by the client, the oldest first: entries of the history."""
        return [entry for entry in self.history if entry.get("comment")]


class TicketChange(msgspec.Struct, frozen=True):
    """What somebody wants changed; None and empty leave things as they are.

    `version` is the one that was seen (0: whatever it is); `client` whose ticket it must be (0: anybody's). `key` makes it
    happen once. `tell`: whether clients hear of a new status and of a comment; the one who did it never does.
    """

    number: int
    by: str
    version: int = 0
    client: int = 0
    key: str = ""
    status: TicketStatus | None = None
    title: str | None = None
    priority: str | None = None
    category: str | None = None
    assignee: str | None = None
    deadline: float | None = None
    fields: dict[str, str] | None = None
    files: tuple[str, ...] = ()
    comment: str = ""
    rating: int = 0
    outer_number: str = ""
    outer_link: str = ""
    tell: bool = True
    desk: Desk | None = None  # for the titles of its statuses


# Why a change was refused: there is no such ticket, it has changed since, or the client may only do that later or never.
Refused = Literal["", "missing", "stale", "not_done", "done", "joined", "has_joined"]


def phases(entries: Iterable[Mapping[str, Any]]) -> list[tuple[float, Means]]:
    """Since when a ticket was open, waiting or done, by its history; the last one until now."""
    found: list[tuple[float, Means]] = []
    for entry in entries:
        if entry["what"] != "created" and "status" not in entry:
            continue
        means: Means = "done" if entry.get("done") else "waiting" if entry.get("waiting") else "open"
        if not found or found[-1][1] != means:
            found.append((float(entry["at"]), means))
    return found


def stands_since(entries: Iterable[Mapping[str, Any]]) -> float:
    """Since when a ticket is not open (seconds since the epoch, UTC); 0 while it is."""
    since = 0.0
    for at, means in phases(entries):
        since = 0.0 if means == "open" else since or at
    return since


_SLOT = "ticket"


def news_slot(source: int, place: int, number: int) -> str:
    """The name of the message that tells of an entry (`place`) in the history of `source`, under the client's `number`."""
    return f"{_SLOT}:{source}:{place}:{number}"


def read_news_slot(slot: str) -> tuple[int, int, int] | None:
    """Source, place and number of `news_slot`; None for any other slot."""
    head, *parts = slot.split(":")
    if head != _SLOT or len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return None
    source, place, number = map(int, parts)
    return source, place, number
