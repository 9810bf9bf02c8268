"""Events: everything that can happen to a conversation. Each is a value that survives JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

from core.messages import Attachment, Contact, Location, Quote


class Happened(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """What every event is."""


class Message(Happened, frozen=True, tag="message"):
    """A client's message. `album` joins the parts that the messenger sent apart, in the order of `part`, which grows as the
    client sees them; `command` is `/status` without arguments; `quote` is the message that this one answers."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    contact: Contact | None = None
    location: Location | None = None
    album: str = ""
    command: str = ""
    quote: Quote | None = None
    part: int = 0


class Press(Happened, frozen=True, tag="press"):
    """A client pressed a button. `label` is what stood on it, when the channel tells."""

    token: str
    label: str = ""


class Opened(Happened, frozen=True, tag="opened"):
    """A client came by a deep link, or pressed the messenger's Start (`link` empty)."""

    link: str = ""


class Edited(Happened, frozen=True, tag="edited"):
    """A client changed an earlier message: `external_id` is its `message_id`. Recorded; flows do not see it.

    `attachments` are those it has now, None where the channel does not tell. `was` is the text before, as the store knew it
    when the change came in; whoever hands the event in leaves it empty.
    """

    external_id: str
    text: str = ""
    attachments: tuple[Attachment, ...] | None = None
    was: str = ""


class Removed(Happened, frozen=True, tag="removed"):
    """A client took an earlier message away. Recorded: what it said stays in the history; flows do not see it."""

    message_id: str


class Reacted(Happened, frozen=True, tag="reacted"):
    """The marks a client has on a message now; none when they were taken away. Recorded; flows do not see it."""

    message_id: str
    emojis: tuple[str, ...] = ()


class Reachability(Happened, frozen=True, tag="reachability"):
    """The client blocked the bot, or let it write again."""

    reachable: bool


class Readdressed(Happened, frozen=True, tag="readdressed"):
    """The platform calls the chat `chat` from now on (a group became a supergroup)."""

    chat: str


class TimerFired(Happened, frozen=True, tag="timer"):
    """A timer of the conversation came due. `key` and `data` are those it was set with."""

    key: str
    data: dict[str, Any] = {}


class CallDone(Happened, frozen=True, tag="call_done"):
    """The result of a service call or of an outer desk. `take` holds the typed names of `config.yaml`."""

    key: str
    status: Literal["ok", "missing", "failed"]
    take: dict[str, Any] = {}
    error: str = ""


class DeliveryFailed(Happened, frozen=True, tag="delivery_failed"):
    """A message could not be delivered for good. `verdict`: unreachable, rejected, unknown."""

    seq: int
    verdict: str
    reason: str = ""


class TicketChanged(Happened, frozen=True, tag="ticket_changed"):
    """A ticket of this client changed its status (`done` true when it is solved), or got a public comment.

    `status` is its title. `source` and `place` name the entry of a ticket's history that is told here: of the ticket itself
    (0), or of the one it was joined to. `told`: the client has read it already, only a flow waits for its turn.
    """

    number: int
    status: str
    done: bool = False
    title: str = ""
    comment: str = ""
    source: int = 0
    place: int = 0
    told: bool = False


class Outside(Happened, frozen=True, tag="outside"):
    """A signed event from another system, `POST /events/<name>`."""

    name: str
    data: dict[str, Any] = {}


class MoveAsked(Happened, frozen=True, tag="move_asked"):
    """The client goes on in another of their conversations, `to` in `channel`: the live run goes there.

    With `back` two clients are no longer one: only a run that came from `to` returns to it.
    """

    to: int
    channel: str
    back: bool = False


class Moved(Happened, frozen=True, tag="moved"):
    """What the conversation `origin` in `channel` gave away: its live run and the one that a digression had suspended, each
    None when there is none. `why` there is no run: `people` (on `line`) have the session, `nothing` is under way."""

    origin: int
    channel: str
    run: dict[str, Any] | None = None
    suspended: dict[str, Any] | None = None
    why: Literal["", "people", "nothing"] = ""
    line: str = ""
    back: bool = False


class LineAnswer(Happened, frozen=True, tag="line_answer"):
    """What a line made of a handoff.

    closed: outside its hours · busy: nobody took it in time · returned: given back to the bot · done: closed by people ·
    left: the client left the queue.
    """

    answer: Literal["closed", "busy", "returned", "done", "left"]
    line: str


class HandoffAsked(Happened, frozen=True, tag="handoff_asked"):
    """A flow, a policy or a supervisor gives the session to a line."""

    line: str
    note: str = ""
    priority: str = ""
    run: int = 0


class OperatorAct(Happened, frozen=True, tag="operator"):
    """A deed of a person, or of the house for one. `epoch` is the one that was seen; an older one is refused.

    `operator` is `user:<id>` of an account (`core.accounts.operator_id`), or `vk:77` of a colleague in the messenger. `act` is
    a name of `handoff.acts.ACTS`; `data` is what that act needs besides.
    """

    operator: str
    act: str
    text: str = ""
    epoch: int = -1
    client_key: str = ""
    quote: Quote | None = None
    attachments: tuple[Attachment, ...] = ()
    data: dict[str, Any] = {}


class LoanAsked(Happened, frozen=True, tag="loan_asked"):
    """A person who has the session wants the bot to ask the questions of the flow `flow`. Never stored: rooms tell each other."""

    flow: str
    operator: str


class LoanBegun(Happened, frozen=True, tag="loan_begun"):
    """The bot has the word for a while; the session stays with the person. Never stored."""

    flow: str
    operator: str


class LoanOver(Happened, frozen=True, tag="loan_over"):
    """The lent flow is over: `outcome` says how, `fields` are what it brought, label → text. Never stored."""

    outcome: str
    fields: dict[str, str] = {}


class LoanStopped(Happened, frozen=True, tag="loan_stopped"):
    """The person takes the word back. Never stored."""


class FieldGiven(Happened, frozen=True, tag="field_given"):
    """A person writes a collected field anew; `label` is what people call it. Never stored."""

    label: str
    text: str
    operator: str


class ColleagueReply(Happened, frozen=True, tag="colleague_reply"):
    """A colleague answered in the messenger itself: the client has it already. `operator` is who, in the channel's words:
    `vk:77`."""

    operator: str
    text: str = ""
    attachments: tuple[Attachment, ...] = ()


class Poisoned(Happened, frozen=True, tag="poisoned"):
    """An event that failed too often was set aside; people shall look after the client."""

    event_id: int
    error: str = ""


Event = (
    Message
    | Press
    | Opened
    | Edited
    | Removed
    | Reacted
    | Reachability
    | Readdressed
    | TimerFired
    | CallDone
    | DeliveryFailed
    | TicketChanged
    | Outside
    | LineAnswer
    | MoveAsked
    | Moved
    | HandoffAsked
    | OperatorAct
    | LoanAsked
    | LoanBegun
    | LoanOver
    | LoanStopped
    | FieldGiven
    | ColleagueReply
    | Poisoned
)


class Inbound(msgspec.Struct, frozen=True, omit_defaults=True):
    """An event as an adapter hands it in, before it has a conversation.

    `external_id` is unique within (channel, account): `update:123`. `chat` names the conversation, `sender_*` the client.
    """

    channel: str
    account: str
    external_id: str
    chat: str
    event: Event
    sent_at: datetime
    sender_id: str = ""
    sender_name: str = ""
    sender_username: str = ""
    sender_language: str = ""
    message_id: str = ""
