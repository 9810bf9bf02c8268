"""The event log: every kind of fact that is recorded, with its fields. Reports are made of facts and of nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SESSION = {"session": "the number of the session in its conversation"}
STEP = {"flow": "the flow", "step": "the step"}


@dataclass(frozen=True)
class FactKind:
    """A kind of fact: what it says and what each field of its `data` holds. With `session` it is a part of a session's life."""

    about: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def of_session(self) -> bool:
        return "session" in self.fields


_PROMISE = {
    **SESSION,
    "promise": "`first_reply`, `next_reply` or `resolve`",
    "line": "the line whose promise it is",
    "operator": "who had the session",
    "target": "what was promised, in seconds of working time",
    "due": "the deadline, 0 while there is none",
}

# Facts of a session's life.
_LIFE: dict[str, FactKind] = {
    "session_opened": FactKind(
        "A session began: the first message ever, or the first after a close.",
        {
            **SESSION,
            "channel": "the channel",
            "client": "the number of the client",
            "line": "the line of the channel",
            "seq": "the last place of the history before it",
            "continues": "the session that it goes on with, where it goes on with one",
        },
    ),
    "session_moved": FactKind(
        "A session made a move of its state machine.",
        {
            **SESSION,
            "move": "the name of the move",
            "from": "the status before",
            "to": "the status after",
            "who": "an operator (`user:7`), `client`, `flow`, `clock` or `house`",
            "why": "the reason",
            "epoch": "grows with every change of owner",
            "line": "the line after the move, or the one it left",
            "operator": "who has it after the move, or had it before",
            "from_line": "the line before, where it went from people to people",
            "from_operator": "who had it before, where it went from people to people",
            "category": "what it was about, at a close that says so",
        },
    ),
    "line_closed": FactKind("A client was told that a line is closed.", {**SESSION, "line": "the line"}),
    "assigned": FactKind(
        "A session was given to a person by somebody else, or by the house.",
        {
            **SESSION,
            "to": "to whom",
            "by": "by whom",
            "reason": "why them",
            "line": "the line",
            "skipped": "who was passed over, and why",
        },
    ),
    "transferred": FactKind(
        "A session was sent to another line or person.",
        {
            **SESSION,
            "from_line": "the line that sent it",
            "line": "the line that got it",
            "to": "the person that got it, empty for a queue",
            "by": "who sent it",
            "missing": "what the receiving line wants to know and was not told",
        },
    ),
    "transfer_accepted": FactKind("The receiver kept a transfer.", {**SESSION, "from_line": "the line that sent it"}),
    "transfer_returned": FactKind(
        "The receiver sent a transfer back.",
        {
            **SESSION,
            "from_line": "the line that sent it",
            "line": "the line that sent it back",
            "by": "who did",
            "why": "the reason given",
        },
    ),
    "priority_changed": FactKind(
        "Somebody changed the priority of a session.",
        {**SESSION, "line": "the line", "by": "who", "was": "before", "priority": "after"},
    ),
    "loan_over": FactKind(
        "The bot has asked what a person wanted to know.",
        {
            **SESSION,
            "line": "the line",
            "flow": "the flow",
            "outcome": "how it ended",
            "fields": "how many were filled",
        },
    ),
    "rated": FactKind(
        "A client rated a session.",
        {**SESSION, "line": "the line that closed it", "operator": "who closed it", "rating": "1 to 5"},
    ),
    "sla_met": FactKind("A promise was kept.", _PROMISE),
    "sla_missed": FactKind("The deadline of a promise passed.", _PROMISE),
    "sla_warned": FactKind("The deadline of a promise is near.", _PROMISE),
    "sla_recalculated": FactKind(
        "The deadline of a promise was calculated anew.",
        {**_PROMISE, "why": "what changed", "was": "the deadline before"},
    ),
    "sla_stopped": FactKind(
        "A promise is owed no more.",
        {**_PROMISE, "outcome": "`met`, `missed`, `passed` on to another line, or `ended`", "how": "what stopped it"},
    ),
}

# Facts of people that belong to no session's life.
_PEOPLE: dict[str, FactKind] = {
    "operator_refused": FactKind(
        "Somebody wanted to do something that may not be done now.",
        {"act": "what", "operator": "who", "why": "the reason"},
    ),
}

# Facts of the bot.
_BOT: dict[str, FactKind] = {
    "run_started": FactKind(
        "A run of a flow began.", {"flow": "the flow", "run": "its number", "why": "what started it"}
    ),
    "run_ended": FactKind("A run of a flow ended.", {"flow": "the flow", "run": "its number", "outcome": "how"}),
    "run_moved": FactKind(
        "A run went on in another conversation of the client.",
        {"flow": "the flow", "run": "its number", "to": "the conversation"},
    ),
    "step_entered": FactKind("A run came to a step.", {**STEP, "field": "the field it asks for"}),
    "answered": FactKind("A question was answered.", STEP),
    "wrong": FactKind("An answer could not be read.", {**STEP, "attempt": "which one it was"}),
    "too_many": FactKind("There were too many wrong answers.", STEP),
    "silent": FactKind("A client did not answer a question.", {**STEP, "stage": "of the reminders"}),
    "back": FactKind("A client went a step back.", STEP),
    "cancelled": FactKind("A client ended a run.", STEP),
    "digressed": FactKind("A client asked for something else within a run.", STEP),
    "handed": FactKind("A flow gave the session to a line.", {**STEP, "line": "the line"}),
    "uncaught": FactKind("No flow caught a message.", {"text": "the message, normal form, at most 200 letters"}),
    "delivery_failed": FactKind(
        "A message could not be delivered.", {"seq": "its place in the history", "verdict": "why"}
    ),
    "code_refused": FactKind("A one-time code was refused.", {"why": "the reason"}),
    "field_given": FactKind("A person wrote into a field of a run.", {"label": "the field", "by": "who"}),
    "error": FactKind("A flow met an error.", {**STEP, "error": "what it was"}),
}

FACTS: Mapping[str, FactKind] = {**_LIFE, **_PEOPLE, **_BOT}
