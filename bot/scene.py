"""The stage of a YAML test: a conversation with a clock, mocked services and lines around the pure step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bot.book import Book
from bot.coverage import Visit, visits_of
from bot.engine.codes import OFFER, SERVICE
from bot.engine.turn import step
from bot.testfiles import Entry, TestCase
from core.conversation import Conversation, Session
from core.effects import Call, CreateTicket, Effect, Record, Send, StartTimer, StopTimer, ToLine, UpdateClient
from core.events import CallDone, Event, LineAnswer, Message, Opened, Outside, Press, TicketChanged, TimerFired
from core.locale import texts
from core.messages import Attachment, Contact, Location
from core.normal import SPACES
from core.turn import Facts, LineFacts

NOON = datetime(2025, 3, 5, 12, 0)  # noqa: DTZ001 - an ordinary Wednesday, in the deployment's zone
FIRST_TICKET = 1001
TEST_CODE = "7KMPXQ2WT5"
MOST_EVENTS = 200  # that one line of a talk may cause


class Failed(Exception):
    """The test cannot go on, or the bot did not do what it should. `what` is for the reader."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the bot: its text as the channel shows it, and its buttons' labels."""

    text: str
    labels: list[str]


class Scene:
    """A test being played. `said` are the messages since the client's last action, `cursor` the first not yet matched."""

    def __init__(self, book: Book, case: TestCase, open_at: Callable[[str, datetime], LineFacts] | None) -> None:
        self.book = book
        self.t = texts(book.language)
        self.given = case.given
        self.open_at = open_at
        self.zone = ZoneInfo(book.deployment.timezone)
        self.now = (case.given.now or NOON).replace(tzinfo=self.zone)
        self.client: dict[str, Any] = dict(case.given.client)
        channels = book.deployment.channels
        self.channel = case.given.channel or next(iter(channels), "test")
        info = channels.get(self.channel)
        self.kind = info.kind if info is not None else "test"
        self.line = info.line if info is not None else next(iter(book.deployment.lines), "")
        self.conversation = Conversation(1, self.channel, "test", "1", 1, self.kind)
        self.starts = {flow.id: flow.start for flow in book.flows.values()}
        self.timers: dict[str, tuple[datetime, StartTimer]] = {}
        self.buttons: dict[str, Press] = {}
        self.said: list[Line] = []
        self.cursor = 0
        self.tickets: list[CreateTicket] = []
        self.handed: list[str] = []
        self.asked: list[str] = []
        self.outcomes: list[tuple[str, str]] = []
        self.calls: dict[str, int] = {}
        self.visits: set[Visit] = set()
        self.sent_files = 0

    # --- what the client and the world do ---------------------------------------------------------------------------

    def act(self, entry: Entry) -> None:
        """One line of the talk that is not the bot's."""
        self.said, self.cursor = [], 0
        self.now += timedelta(seconds=1)
        if entry.word == "wait":
            self.wait(float(entry.value))
        elif entry.word == "line":
            self.answer_line(entry.value)
        else:
            for event in self.events(entry):
                self.happen(event)

    def events(self, entry: Entry) -> list[Event]:
        if entry.word == "client":
            text = str(entry.value)
            return [Message(text, command=text.split(maxsplit=1)[0] if text.startswith("/") else "")]
        if entry.word == "press":
            return [self.press(entry.value)]
        if entry.word == "open":
            return [Opened(entry.value)]
        if entry.word == "event":
            return [self.outside(entry.value, entry.data)]
        return list(self.files(entry.value))

    def press(self, label: str) -> Press:
        found = self.buttons.get(label)
        if found is None:
            raise Failed(
                self.t("there is no button “{label}”; there are: {labels}", label=label, labels=", ".join(self.buttons))
            )
        return found

    def outside(self, name: str, data: dict[str, Any]) -> Event:
        if name in ("ticket_changed", "ticket_solved"):
            number = int(data.get("number", self.tickets[-1].number if self.tickets else FIRST_TICKET))
            status = str(data.get("status", "done" if name == "ticket_solved" else "open"))
            title = str(data.get("title", self.tickets[-1].title if self.tickets else ""))
            comment, told = str(data.get("comment", "")), data.get("told") is True
            return TicketChanged(number, status, name == "ticket_solved", title, comment, told=told)
        return Outside(name.removeprefix("webhook."), data)

    def files(self, what: dict[str, Any]) -> list[Message]:
        """Photos and files as the messenger sends them: several are an album of one message each."""
        text = what.get("text", "")
        if "contact" in what:
            return [Message(text, contact=Contact(what["contact"], own=True))]
        if "location" in what:
            return [Message(text, location=Location(55.75, 37.62, what["location"]))]
        kind, count = ("photo", what["photos"]) if "photos" in what else ("file", what.get("files", 1))
        self.sent_files += count
        first = self.sent_files - count + 1
        album = f"album{first}" if count > 1 else ""
        name, mime = ("photo.jpg", "image/jpeg") if kind == "photo" else ("file.pdf", "application/pdf")
        return [
            Message(
                text if n == 0 else "",
                album=album,
                attachments=(
                    msgspec.convert(
                        {"kind": kind, "file": f"{kind}-{first + n}", "name": name, "mime": mime, "size": 1000},
                        Attachment,
                    ),
                ),
            )
            for n in range(count)
        ]

    def answer_line(self, answer: str) -> None:
        """People take the session up and give it back, close it, or do not come; or the client leaves the queue."""
        if self.conversation.session.owner == "bot":
            raise Failed(self.t("no line has the session"))
        line = self.conversation.session.line
        self.own("bot", "closed" if answer == "done" else "bot", "")
        self.happen(LineAnswer(answer, line))  # type: ignore[arg-type]

    def own(self, owner: Any, status: Any, line: str) -> None:
        session: Session = self.conversation.session
        changed = msgspec.structs.replace(session, owner=owner, status=status, line=line, epoch=session.epoch + 1)
        self.conversation = msgspec.structs.replace(self.conversation, session=changed)

    # --- time -------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Time goes by; timers fire in their order."""
        until = self.now + timedelta(seconds=seconds)
        for _ in range(MOST_EVENTS):
            due = min(self.timers, key=lambda key: self.timers[key][0], default=None)
            if due is None or self.timers[due][0] > until:
                break
            self.now, timer = self.timers.pop(due)
            self.happen(TimerFired(timer.key, timer.data))
        self.now = until

    def rest(self) -> None:
        """The client has said all: pieces are joined by themselves."""
        found = self.timers.pop("pieces", None)
        if found is not None:
            self.now = found[0]
            self.happen(TimerFired("pieces", found[1].data))

    # --- one event and all that follows at once -----------------------------------------------------------------------

    def happen(self, event: Event) -> None:
        todo: list[Event] = [event]
        for _ in range(MOST_EVENTS):
            if not todo:
                return
            turn = step(self.book, self.conversation, todo.pop(0), self.now, self.facts())
            self.conversation = turn.conversation
            self.visits.update(visits_of(turn.trace, self.starts))
            for effect in turn.effects:
                todo += self.perform(effect)
        raise Failed(self.t("the flow runs in circles"))

    def facts(self) -> Facts:
        lines = {id: self.line_facts(id) for id in self.book.deployment.lines}
        return Facts(self.client, lines, self.line, FIRST_TICKET + len(self.tickets))

    def line_facts(self, id: str) -> LineFacts:
        title = self.book.deployment.lines[id].title
        facts = self.open_at(id, self.now) if self.open_at is not None else LineFacts(title, True, self.now)
        given = self.given.line.get(id)
        if given is None:
            return facts
        opens = facts.opens_at or self.now + timedelta(hours=12)
        return LineFacts(title, given != "closed", opens)

    def perform(self, effect: Effect) -> list[Event]:
        """What an effect brings about at once."""
        if isinstance(effect, Send):
            self.show(effect)
        elif isinstance(effect, StartTimer):
            self.timers[effect.key] = (self.now + timedelta(seconds=effect.seconds), effect)
        elif isinstance(effect, StopTimer):
            self.timers.pop(effect.key, None)
        elif isinstance(effect, UpdateClient):
            proved = sorted({*self.client.get("verified", ()), *effect.verified})
            self.client = {**self.client, **effect.values, **({"verified": proved} if proved else {})}
        elif isinstance(effect, Record):
            self.note(effect)
        elif isinstance(effect, Call):
            return self.tell_code(effect) if effect.service == SERVICE else [self.call(effect)]
        elif isinstance(effect, CreateTicket):
            return self.create(effect)
        elif isinstance(effect, ToLine):
            return self.hand_over(effect)
        return []

    def show(self, send: Send) -> None:
        message = send.message
        body = message.per_channel.get(self.kind, message.body)
        labels = [button.label for row in message.rows for button in row]
        self.said.append(Line(body.text, labels))
        for row in message.rows:
            for button in row:
                if button.token:
                    self.buttons[button.label] = Press(button.token, button.label)

    def note(self, record: Record) -> None:
        if record.kind == "run_ended":
            self.outcomes.append((record.data["flow"], record.data["outcome"]))
        elif record.kind == "step_entered":
            flow = self.book.flows.get(record.data["flow"])
            field = record.data.get("field", "")
            if flow is not None and field:
                self.asked.append(field)

    def call(self, effect: Call) -> CallDone:
        """The mock's answer; a list answers call by call, its last answer serves the rest."""
        name = f"{effect.service}.{effect.call}"
        if name not in self.given.requests:
            raise Failed(self.t("the call {name} has no answer in given.requests", name=name))
        mock = self.given.requests[name]
        if isinstance(mock, list):
            n = self.calls[name] = self.calls.get(name, 0) + 1
            mock = mock[min(n, len(mock)) - 1] if mock else "missing"
        if mock in ("missing", "failed"):
            return CallDone(effect.key, mock)
        if not isinstance(mock, dict):
            raise Failed(self.t("the answer of {name} must be a map, “missing” or “failed”", name=name))
        return CallDone(effect.key, "ok", self.typed(effect, mock))

    def tell_code(self, effect: Call) -> list[Event]:
        """There is nobody else in a test: a code is made, none is known, no phone has another owner."""
        if effect.call == OFFER:
            return [CallDone(effect.key, "ok", {"code": TEST_CODE, "links": ()})]
        return [CallDone(effect.key, "missing", {"why": "unknown"})] if effect.key else []

    def typed(self, effect: Call, mock: dict[str, Any]) -> dict[str, Any]:
        """The mocked names; a text written as a number is a text. Unknown names fail the test."""
        info = self.book.deployment.services.get(effect.service, {}).get(effect.call)
        take = info.take if info is not None else {}
        unknown = sorted(set(mock) - set(take))
        if unknown:
            raise Failed(
                self.t(
                    "the call {name} gives no “{unknown}”",
                    name=f"{effect.service}.{effect.call}",
                    unknown=", ".join(unknown),
                )
            )
        return {
            name: str(value) if take[name].type in ("text", "date", "time") and type(value) in (int, float) else value
            for name, value in mock.items()
        }

    def create(self, ticket: CreateTicket) -> list[Event]:
        self.tickets.append(ticket)
        if not ticket.wait:
            return []
        mock = self.given.requests.get(ticket.desk, {})
        if mock == "failed":
            return [CallDone(ticket.key, "failed")]
        return [CallDone(ticket.key, "ok", mock if isinstance(mock, dict) else {})]

    def hand_over(self, effect: ToLine) -> list[Event]:
        """A closed line answers at once; a busy one as soon as nobody has come; an open one keeps the session."""
        state = self.given.line.get(effect.line)
        known = effect.line in self.book.deployment.lines
        if state == "closed" or not known or not self.line_facts(effect.line).open:
            return [LineAnswer("closed", effect.line)]
        self.handed.append(effect.line)
        if state == "busy":
            return [LineAnswer("busy", effect.line)]
        self.own("queue", "queued", effect.line)
        return []

    # --- what is looked for -------------------------------------------------------------------------------------------

    def find(self, text: str) -> Line | None:
        """The next message that contains the text; formatting marks and white space do not matter."""
        wanted = flat(text)
        if not text:
            return self.said[self.cursor - 1] if self.cursor else (self.said[-1] if self.said else None)
        for n in range(self.cursor, len(self.said)):
            if wanted in flat(self.said[n].text):
                self.cursor = n + 1
                return self.said[n]
        return None

    @property
    def last_outcomes(self) -> list[str]:
        """How the last run ended, and the runs that ended with it."""
        return [outcome for _, outcome in self.outcomes[-1:]]

    def has_asked(self, wanted: tuple[str, ...]) -> bool:
        """Each field once, in order; a label stands for its name."""
        labels = {field.label: field.name for flow in self.book.flows.values() for field in flow.flow.fields.values()}
        return [labels.get(one, one) for one in wanted] == list(dict.fromkeys(self.asked))

    def find_ticket(self, wanted: dict[str, Any]) -> str:
        """Empty when one of the tickets is as wanted; else what the last one lacks."""
        if not self.tickets:
            return self.t("no ticket was created")
        misses = [self.miss(ticket, wanted) for ticket in self.tickets]
        return "" if "" in misses else misses[-1]

    def miss(self, ticket: CreateTicket, wanted: dict[str, Any]) -> str:
        same = {"desk": ticket.desk, "priority": ticket.priority, "files": len(ticket.files)}
        for name, got in same.items():
            if name in wanted and wanted[name] != got:
                return self.t("ticket: {name} is “{got}”, expected “{wanted}”", name=name, got=got, wanted=wanted[name])
        for name, got in (("title", ticket.title), ("text", ticket.text)):
            if name in wanted and flat(wanted[name]) not in flat(got):
                return self.t("ticket: {name} is “{got}”, expected “{wanted}”", name=name, got=got, wanted=wanted[name])
        for label, value in wanted.get("with", {}).items():
            if str(ticket.fields.get(label)) != str(value):
                return self.t(
                    "ticket: {name} is “{got}”, expected “{wanted}”",
                    name=label,
                    got=ticket.fields.get(label),
                    wanted=value,
                )
        return ""


def flat(text: str) -> str:
    """A text without formatting marks, white space as one space."""
    return SPACES.sub(" ", text.replace("**", "").replace("`", "")).strip()
