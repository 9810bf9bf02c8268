"""Settings of lines, desks and services: where sessions, tickets and calls of flows go."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, SecretStr, Tag

from core.deployment import TakeType
from gateway.config.channels import EMPTY
from gateway.config.settings import Settings
from gateway.config.values import Duration, FilePath, Url

Spans = str | tuple[str, ...]


class Rule(Settings):
    """A line's own answer to a client who cannot be served now."""

    ticket: str
    """The desk: the bot asks for what the desk needs and lacks, creates the ticket and says its number."""


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
    """Promised time to the first answer, counted in working hours. It orders the queue."""

    @property
    def spans(self) -> dict[str, str]:
        """`hours` with the spans of each day in one text: `10:00-13:00, 14:00-16:00`."""
        return {day: said if isinstance(said, str) else ", ".join(said) for day, said in self.hours.items()}


class Status(Settings):
    """What a status word of the outer desk means here."""

    title: str
    """What the client reads."""
    done: bool = False
    """Whether the ticket is finished then."""


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
    """Their status words → ours. A word that is not here is shown as it is."""
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
