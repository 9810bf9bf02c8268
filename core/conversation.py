"""The state of one conversation: whose turn it is (session) and where the dialogue stands (talk)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Owner = Literal["bot", "queue", "operator"]
Status = Literal["bot", "queued", "assigned", "waiting", "held", "closed"]


class Frame(msgspec.Struct, omit_defaults=True):
    """One flow on a run's stack: pinned to a version, standing at a state of its machine. Values are JSON values."""

    flow: str
    version: str
    state: str
    values: dict[str, Any] = {}
    visits: dict[str, int] = {}  # state → times entered in this run
    asked: dict[str, int] = {}  # field → state that stored it, and other per-field marks
    attempts: int = 0  # wrong answers to the current question
    memory: dict[str, Any] = {}  # the engine's and the actions' own notes, by state


class Run(msgspec.Struct, omit_defaults=True):
    """One run of a flow: a stack of frames (calls) with snapshots for «назад»."""

    number: int
    frames: list[Frame]
    snapshots: list[bytes] = []  # at most 20, each an encoded list of frames
    question: dict[str, Any] = {}  # the last question sent: state, token prefix, labels
    pending: str = ""  # key of the remote call the run waits for
    held: list[dict[str, Any]] = []  # events that came while the call ran, or pieces to be joined
    outcome: str = ""


class Talk(msgspec.Struct, omit_defaults=True):
    """The bot's half. `run` is the live run, `suspended` the one a digression interrupted (depth 1)."""

    runs: int = 0  # how many runs there were: the next run's number
    run: Run | None = None
    suspended: Run | None = None
    asking: dict[str, Any] = {}  # a question of the engine's own: interrupt? which flow? leave the queue?
    memory: dict[str, Any] = {}
    waiting: list[dict[str, Any]] = []  # outside events that wait for the run or the person to finish
    messages: int = 0  # client messages so far: `first_message` is the first ever


class Session(msgspec.Struct, omit_defaults=True):
    """One episode of a conversation, from the first message to its close. Exactly one owner at a time."""

    number: int = 0
    status: Status = "bot"
    owner: Owner = "bot"
    epoch: int = 0
    line: str = ""
    operator: str = ""
    opened_at: float = 0.0  # seconds since the epoch, UTC, as all times here
    queued_at: float = 0.0
    last_at: float = 0.0
    note: str = ""
    priority: str = ""
    memory: dict[str, Any] = {}
    assigned_at: float = 0.0  # when the present operator got it
    first_reply_at: float = 0.0  # the first answer of a person
    closed_at: float = 0.0
    category: str = ""  # what it was about, given at the close
    rating: int = 0  # 1 to 5, by the client
    packet: dict[str, str] = {}  # what a transfer brought: label → text
    sla: dict[str, Any] = {}  # the clocks of its promises, `handoff.sla`
    continues: int = 0  # the number of the session that this one goes on with


class Conversation(msgspec.Struct, omit_defaults=True):
    """A client's endless thread in one channel. `seq` numbers its history without gaps."""

    id: int
    channel: str
    account: str
    chat: str
    client: int
    kind: str = ""  # the channel's kind: telegram, web, …
    seq: int = 0
    version: int = 0
    reachable: bool = True
    talk: Talk = msgspec.field(default_factory=Talk)
    session: Session = msgspec.field(default_factory=Session)
