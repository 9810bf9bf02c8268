"""Effects: what shall happen, as plain values. Local ones become rows of the turn's transaction, remote ones outbox rows."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from core.events import Event
from core.messages import Attachment, Outgoing


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """What every effect is."""


Author = Literal["bot", "operator", "notice"]


class Send(Wanted, frozen=True, tag="send"):
    """Send a message to the client.

    A `bot` message is refused at send time when a person has taken over since; `operator` and `notice` ones never are.
    `slot` names a message that a later `Send` with the same slot and `replace` edits (the position in the queue).
    """

    message: Outgoing
    author: Author = "bot"
    operator: str = ""
    slot: str = ""
    replace: bool = False


class StartTimer(Wanted, frozen=True, tag="start_timer"):
    """Set (or set anew) the conversation's timer `key`. Seconds count from the turn, or from the delivery of the turn's
    last message when `from_delivery`. Firing is a `TimerFired(key, data)` event."""

    key: str
    seconds: float
    data: dict[str, Any] = {}
    from_delivery: bool = False


class StopTimer(Wanted, frozen=True, tag="stop_timer"):
    """Forget the timer `key`; no harm when there is none."""

    key: str


class Call(Wanted, frozen=True, tag="call"):
    """Call `service.call` of the config with typed parameters; the result returns as `CallDone(key)`."""

    key: str
    service: str
    call: str
    params: dict[str, Any] = {}


class CreateTicket(Wanted, frozen=True, tag="create_ticket"):
    """Create a ticket, once per `key`. `fields` are label → text, in order; `files` our file ids.

    On an outer desk the outcome returns as `CallDone(key)` when `wait`. `status`, `deadline` (seconds since the epoch, UTC)
    and `line` are filled in from the desk's settings before it is written.
    """

    key: str
    number: int
    desk: str
    title: str
    text: str = ""
    fields: dict[str, str] = {}
    files: tuple[str, ...] = ()
    priority: str = ""
    private: tuple[str, ...] = ()
    wait: bool = False
    status: str = "new"
    category: str = ""
    assignee: str = ""
    deadline: float = 0.0
    line: str = ""
    author: str = "bot"


class UpdateClient(Wanted, frozen=True, tag="update_client"):
    """Write fields of the client's card; names in `verified` were proved by the messenger."""

    values: dict[str, Any]
    verified: tuple[str, ...] = ()


class ToLine(Wanted, frozen=True, tag="to_line"):
    """Give the session to a line. Never reaches the store: the worker asks `handoff.decide` at once."""

    line: str
    note: str = ""
    priority: str = ""
    run: int = 0


class AnswerBot(Wanted, frozen=True, tag="answer_bot"):
    """`handoff` tells the bot how the handoff ended. Never reaches the store: the worker runs the bot at once."""

    answer: Literal["closed", "busy", "returned", "done", "left"]
    line: str


class Hand(Wanted, frozen=True, tag="hand"):
    """Hand an event to the other room. Never reaches the store: the worker asks that room at once."""

    event: Event


class Queue(Wanted, frozen=True, tag="queue"):
    """Put the session on a line's queue. `deadline` orders it (seconds since the epoch, UTC)."""

    line: str
    priority: int
    deadline: float
    note: str = ""


class Unqueue(Wanted, frozen=True, tag="unqueue"):
    """Take the session off its queue."""

    reason: str = ""


class Note(Wanted, frozen=True, tag="note"):
    """A private note for operators. Never leaves the house. `to` are those it calls: `user:7`."""

    text: str
    author: str = "bot"
    to: tuple[str, ...] = ()


class Change(Wanted, frozen=True, tag="change"):
    """Give a message of an operator another text. `row` is its outbox row, `seq` its place in the history."""

    seq: int
    row: int
    text: str


class Recall(Wanted, frozen=True, tag="recall"):
    """Take a message of an operator away from the client; fields as of `Change`."""

    seq: int
    row: int


class Resend(Wanted, frozen=True, tag="resend"):
    """Send a message that failed once more, under a new key; fields as of `Change`."""

    seq: int
    row: int


class FetchFile(Wanted, frozen=True, tag="fetch_file"):
    """Bring a file of the channel into our store."""

    attachment: Attachment


class Forward(Wanted, frozen=True, tag="forward"):
    """Put an event into the inbox of another conversation of the same client, once per `key`."""

    conversation: int
    event: Event
    key: str


class Record(Wanted, frozen=True, tag="record"):
    """A fact for reports: `uncaught`, `run_started`, `step_entered`, `wrong`, `run_ended`, `error`, … `data` holds no secret."""

    kind: str
    data: dict[str, Any] = {}


Effect = (
    Send
    | StartTimer
    | StopTimer
    | Call
    | CreateTicket
    | UpdateClient
    | ToLine
    | AnswerBot
    | Hand
    | Queue
    | Unqueue
    | Note
    | Change
    | Recall
    | Resend
    | FetchFile
    | Forward
    | Record
)
