"""The messages of the live socket as models: what comes in is validated by them, the JSON Schema is made of all."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import models_json_schema

from gateway.api.models import Given, Id, Model

Seq = Annotated[int, Field(ge=0, le=2**53)]

# --- from the client -------------------------------------------------------------------------------------------------


class Hello(Given):
    """The first message of a socket."""

    type: Literal["hello"]
    after: Seq | None = None
    """The last `seq` one has got: everything behind it comes first. Left out: only what happens from now on."""


class Look(Given):
    """The conversation that is open in the window; colleagues see who is looking."""

    type: Literal["look"]
    conversation: Id | None
    """`null`: none is open any more."""


class Answering(Given):
    """One is writing an answer. Said again every few seconds while it lasts."""

    type: Literal["answering"]
    conversation: Id


class Watch(Given):
    """Lists whose changes one wants to hear of although they are not in the feed."""

    type: Literal["watch"]
    lists: Annotated[list[Literal["bot"]], Field(max_length=8)]
    """`bot`: conversations that the bot has. Ticks tell that the list may be another."""


class Ping(Given):
    """Asks whether the line is alive."""

    type: Literal["ping"]


# --- to the client ---------------------------------------------------------------------------------------------------


class Ready(Model):
    """Everything up to `seq` has been sent, or was never asked for; from here on it is live."""

    type: Literal["ready"] = "ready"
    seq: Seq


class Reset(Model):
    """What one has must be read anew by the lists' own questions, and then one goes on behind `seq`."""

    type: Literal["reset"] = "reset"
    seq: Seq
    why: Literal["old", "future", "rights"]
    """`old`: the feed does not reach back so far. `future`: the number was never given. `rights`: one sees other
    conversations than before."""


class Said(Model):
    """The last message of a conversation."""

    seq: int
    at: datetime | None
    author: str
    """`client`, `bot`, `operator` or `system`."""
    operator: str = ""
    text: str = ""
    files: int = 0


class ListRow(Model):
    """A conversation as lists show it, as it is now."""

    conversation: Id
    session: int
    """The number of the session within the conversation."""
    client: int
    channel: str
    status: str
    owner: str
    line: str
    operator: str
    epoch: int
    priority: int
    due: datetime | None
    opened_at: datetime | None
    queued_at: datetime | None
    moved_at: datetime | None
    closed_at: datetime | None
    category: str
    said: Said | None = None


class Change(Model):
    """Something changed. `seq` grows from message to message; what one may not see leaves gaps."""

    type: Literal["change"] = "change"
    seq: Seq
    at: datetime
    kind: str
    """What: `session`, `message`, `ticket` and other kinds of the feed."""
    conversation: int
    """0 when it is about none."""
    data: dict[str, Any]
    """Places and marks of the kind; what was said is in `row` and in the API."""
    row: ListRow | None = None
    """The conversation now, so that a list can show it without asking."""


class Gone(Model):
    """What one saw until now, and sees no more: the conversation, or the ticket when `kind` is one of tickets."""

    type: Literal["gone"] = "gone"
    seq: Seq
    at: datetime
    kind: str
    conversation: int
    number: int = 0
    """Of the ticket."""


class At(Model):
    """Nothing up to `seq` is left for one: a resume from here is a short one."""

    type: Literal["at"] = "at"
    seq: Seq


class Person(Model):
    """A colleague."""

    id: Id
    title: str


class Looking(Model):
    """Who has a conversation open, oneself included. Not in the feed, lost with the connection."""

    type: Literal["looking"] = "looking"
    conversation: Id
    people: list[Person]


class SomebodyAnswers(Model):
    """A colleague writes an answer: for so many seconds, unless it is said again."""

    type: Literal["answering"] = "answering"
    conversation: Id
    person: Person
    seconds: float


class ClientTypes(Model):
    """The client is writing: for so many seconds, unless it is said again."""

    type: Literal["client_types"] = "client_types"
    conversation: Id
    seconds: float


class ClientSaw(Model):
    """The client has seen everything up to a message."""

    type: Literal["client_saw"] = "client_saw"
    conversation: Id
    upto: Seq


class Tick(Model):
    """A list that one watches may be another."""

    type: Literal["tick"] = "tick"
    list: Literal["bot"]


class Pong(Model):
    """The answer to a ping."""

    type: Literal["pong"] = "pong"


class Trouble(Model):
    """A message of the client that could not be done. The socket stays open."""

    type: Literal["error"] = "error"
    code: Literal["unreadable", "unknown", "invalid", "not-allowed", "not-found", "slow-down", "failed"]
    about: str = ""
    """The type of the message."""
    detail: str = ""


INCOMING: tuple[type[Given], ...] = (Hello, Look, Answering, Watch, Ping)
OUTGOING: tuple[type[Model], ...] = (
    Ready, Reset, Change, Gone, At, Looking, SomebodyAnswers, ClientTypes, ClientSaw, Tick, Pong, Trouble,
)  # fmt: skip


def build_schema(version: str) -> dict[str, Any]:
    """The JSON Schema of the socket: `client` and `server` are what either side may send."""
    wanted = [(it, "validation" if it in INCOMING else "serialization") for it in (*INCOMING, *OUTGOING)]
    refs, found = models_json_schema(wanted, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    named = {model: refs[model, mode] for model, mode in wanted}  # type: ignore[index]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "frontline live",
        "version": version,
        "client": {"oneOf": [named[it] for it in INCOMING]},
        "server": {"oneOf": [named[it] for it in OUTGOING]},
        "$defs": found.get("$defs", {}),
    }
