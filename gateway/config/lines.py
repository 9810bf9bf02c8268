"""Settings of lines, desks and services: where sessions, tickets and calls of flows go."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, SecretStr, Tag, model_validator

from core.deployment import TakeType
from gateway.config.channels import EMPTY
from gateway.config.settings import Settings
from gateway.config.values import Duration, FilePath, Url

Spans = str | tuple[str, ...]


class Rule(Settings):
    """A line's own answer to a client who cannot be served now."""

    ticket: str
    """The desk: the bot asks for what the desk needs and lacks, creates the ticket and says its number."""


class IdleClose(Settings):
    """What happens when the client is silent after an operator's answer."""

    warn: Duration = Field(gt=0)
    """After how long the client is asked «вы ещё здесь?»."""
    close: Duration = Field(gt=0)
    """After how long, counted from the same answer, the session is closed as abandoned; such sessions are counted apart."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.close <= self.warn:
            raise ValueError("close must be longer than warn")
        return self


class LineSettings(Settings):
    """A line: a named group of people with hours, limits and promises."""

    title: str
    """What clients and people call the line."""
    hours: dict[str, Spans]
    """Working hours in `timezone`: `{mon-fri: "09:00-18:00", sat: "10:00-13:00, 14:00-16:00"}`; spans may be a list too.
    `"00:00-24:00"` is the whole day, `"22:00-06:00"` goes on into the next; a day that is not here is off."""
    holidays: tuple[date, ...] = ()
    """Days when the line is closed: `[2026-01-01]`."""
    closed: Rule | None = None
    """The answer outside the hours, where a flow's `handoff` has none of its own."""
    busy: Rule | None = None
    """The answer when nobody took the session within `max_wait`, where a flow has none of its own."""
    max_wait: Duration = 600.0
    """How long a session waits in the queue before `busy`. `0`: without end."""
    first_reply: Duration = 300.0
    """Promised time to the first answer, counted in working hours as all promises are. The nearest deadline orders the queue.
    `0`: nothing is promised."""
    next_reply: Duration = 0.0
    """Promised time to every later answer, from the client's word. `0`: nothing is promised."""
    resolve: Duration = 0.0
    """Promised time until the matter is closed; it does not run while the client has the word, or while the session is on
    hold. `0`: nothing is promised."""
    warn_at: float = Field(default=0.8, gt=0, le=1)
    """The part of a promise after which supervisors are warned: `0.8`. `1`: only when it is missed."""
    hurry: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(default_factory=dict)
    """What is left of the promises from a priority on: `{high: 0.5, urgent: 0.25}`. Words as flows write them, or numbers."""
    packet: tuple[str, ...] = ()
    """Labels of what a transfer to this line must bring: `[Номер заказа]`. What flows and the client's card know is filled in;
    what is missing is asked of whoever transfers."""
    categories: tuple[str, ...] = Field(default=(), max_length=5)
    """What talks are about: whoever closes one chooses. At most 5, so that all of them are seen at once."""
    rating: bool = False
    """Whether the client is asked for a rating from 1 to 5 at the end."""
    idle_close: IdleClose | None = None
    """What happens when the client does not answer any more: `{warn: 20m, close: 30m}`. Nothing by itself without it."""
    continue_within: Duration = 259_200.0
    """A client who writes again so soon after the end goes on with the same matter: the new session names the one before."""
    returning: Literal["bot", "line"] = "bot"
    """Who greets such a client: the `bot`, or the `line`, which gets the session at once when it is open."""
    route: Literal["balanced", "round_robin", "longest_idle", "pull"] = "balanced"
    """Who gets the next session: `balanced` whoever has the fewest, `round_robin` whoever got none for the longest time,
    `longest_idle` whoever has been without work the longest; with `pull` nobody is given any, people take."""
    max_sessions: float = Field(default=5.0, ge=0, le=1000)
    """How many sessions one person is given, those of other lines included; each counts as the `weight` of its channel.
    Those that wait for the client or are on hold do not count. `0`: any number. A person may have a smaller limit of their
    own."""
    limit: float = Field(default=0.0, ge=0, le=100_000)
    """How many sessions the whole line has in work at most, counted in the same way. `0`: any number."""
    sticky: Duration = 259_200.0
    """For how long a client comes back to the operator they had, when that one is online and free. `0`: never."""
    offer: Duration = 120.0
    """A session that was given to somebody who does nothing with it goes back to the queue after so long, and to somebody else.
    `0`: never."""

    @property
    def spans(self) -> dict[str, str]:
        """`hours` with the spans of each day in one text: `10:00-13:00, 14:00-16:00`."""
        return {day: said if isinstance(said, str) else ", ".join(said) for day, said in self.hours.items()}


class Status(Settings):
    """A status of a desk."""

    title: str
    """What the client reads."""
    means: Literal["open", "waiting", "done"] = "open"
    """The group it belongs to: somebody works on it, the client must do something, or it is finished."""
    done: bool = False
    """The same as `means: done`."""

    @property
    def group(self) -> Literal["open", "waiting", "done"]:
        """Its group, whichever way it was written."""
        return "done" if self.done else self.means


class DeskAnswer(Settings):
    """Paths in the answer of an outer desk, like `data.id`."""

    number: str = "number"
    """Their number of the ticket."""
    link: str = "link"
    """A link to the ticket there."""


class DeskSettings(Settings):
    """A desk: where tickets go. This one is built in."""

    kind: Literal["builtin"] = "builtin"
    """The kind of the desk: `builtin` keeps tickets here, `webhook` sends them to another system."""
    title: str
    """What people call the desk."""
    needs: tuple[str, ...] = ()
    """Labels of the fields that every ticket must bring; `frontline check` proves it for every flow."""
    statuses: dict[str, Status] = Field(default_factory=dict)
    """The statuses of its tickets in their order: `{new: {title: новая, means: open}, fixed: {title: решена, means: done}}`.
    The first open one is that of a new ticket, the second that of a reopened one. Left out: `new`, `open`, `waiting`, `done`."""
    categories: tuple[str, ...] = ()
    """What a ticket may be about; people choose one."""
    resolve: Duration = 0.0
    """The promised time until a ticket is solved, in working time of `line`. `0`: nothing is promised."""
    line: str = ""
    """Whose hours count for `resolve`. Empty: those of the line that the ticket came from."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        """Tickets of a built-in desk must be able to begin and to end."""
        groups = {status.group for status in self.statuses.values()}
        if self.kind == "builtin" and groups and not {"open", "done"} <= groups:
            raise ValueError("statuses need one that means open and one that means done")
        return self


class WebhookDeskSettings(DeskSettings):
    """A desk in another system: every ticket is a signed POST to it, repeated until it is taken."""

    kind: Literal["webhook"]  # type: ignore[assignment]
    """The kind of the desk."""
    url: Url = Field(min_length=1)
    """Where tickets are posted, as JSON."""
    secret: SecretStr = Field(min_length=1)
    """Signs our posts (`X-Frontline-Signature`) and proves theirs to `POST /desks/<desk>/status`."""
    timeout: Duration = 10.0
    """How long an answer may take."""
    answer: DeskAnswer = DeskAnswer()
    """Where their answer holds what we keep."""
    statuses: dict[str, Status] = Field(default_factory=dict)
    """Their status words → ours. A word that is not here is shown as it is, and is open unless they say `done`."""
    allow_private: bool = False
    """Whether `url` may lead into a private network."""


def _desk_kind(value: Any) -> str:
    kind = value.get("kind", "builtin") if isinstance(value, dict) else getattr(value, "kind", "builtin")
    return str(kind)


Desk = Annotated[
    Annotated[DeskSettings, Tag("builtin")] | Annotated[WebhookDeskSettings, Tag("webhook")], Discriminator(_desk_kind)
]


class TakeSettings(Settings):
    """One name that a call gives to flows."""

    path: str = ""
    """Where it stands in the answer: `order.items.0.title`, or the column of a table. Empty: under its own name."""
    type: TakeType = "text"
    """Its type, so that mistakes in flows are found before anybody meets them."""
    optional: bool = False
    """Whether it may be absent; else an answer without it counts as `failed`."""


class CallSettings(Settings):
    """One call of an http service. `{name}` in `path`, `params` and `body` are filled from the flow's `with`."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    """GET is repeated once after a failure; all others carry an `Idempotency-Key`."""
    path: str = Field(pattern=r"^/")
    """Added to `base`; values are percent-encoded: `/orders/{number}`."""
    params: dict[str, str] = Field(default_factory=dict)
    """The query string: `{phone: "{phone}"}`."""
    body: dict[str, Any] = Field(default_factory=dict)
    """The JSON body; a value that is exactly `{name}` keeps its type."""
    take: dict[str, TakeSettings] = Field(default_factory=dict)
    """What the flow gets."""


class HttpServiceSettings(Settings):
    """A service behind HTTP with JSON answers."""

    kind: Literal["http"] = "http"
    """The kind of the service: `http`, or `table`, rows of a CSV file."""
    base: Url = Field(min_length=1)
    """Where all its paths begin. Redirects to other hosts are not followed."""
    secret: SecretStr = EMPTY
    """Sent as `Authorization: Bearer …`."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """More headers of every call."""
    timeout: Duration = Field(default=5.0, gt=0, le=10)
    """How long an answer may take, at most 10 s."""
    max_bytes: int = Field(default=1024**2, ge=1, le=1024**2)
    """The longest answer that is read, at most 1 MiB."""
    allow_private: bool = False
    """Whether `base` may lead into a private network."""
    calls: dict[str, CallSettings]
    """The calls that flows may name."""


def parse_key(value: Any) -> Any:
    """A list of columns is a map of each to itself."""
    return {str(name): str(name) for name in value} if isinstance(value, list | tuple) else value


class TableSettings(Settings):
    """A look-up in a CSV file, read again when the file changes: demos and small shops need no API."""

    kind: Literal["table"]
    """The kind of the service."""
    file: FilePath
    """The CSV file: UTF-8, the first row names the columns."""
    key: Annotated[dict[str, str], BeforeValidator(parse_key)] = Field(min_length=1)
    """What the flow gives in `with` → the column it must equal: `{number: номер, phone: телефон}`; a list of columns
    when the names are the same. All together find one row."""
    call: str = ""
    """The name of its one call. Empty: `get_` and the name of the file without a last `s`: `orders.csv` gives
    `get_order`."""
    take: dict[str, TakeSettings] = Field(min_length=1)
    """What the flow gets."""


def _service_kind(value: Any) -> str:
    kind = value.get("kind", "http") if isinstance(value, dict) else getattr(value, "kind", "http")
    return str(kind)


Service = Annotated[
    Annotated[HttpServiceSettings, Tag("http")] | Annotated[TableSettings, Tag("table")], Discriminator(_service_kind)
]
