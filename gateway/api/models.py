"""What the API takes and gives: the models validate, and the OpenAPI document is made of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, WithJsonSchema

from core.access import Role

# Letters of any language, no control characters: they stand in logs, tables and headers. RE2-like, as JSON Schema has it.
Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
UserName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._@+-]*$")]
LineName = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[^\x00-\x1f\x7f]+$")]
Code = Annotated[str, StringConstraints(max_length=32)]
Secret = Annotated[
    SecretStr,
    Field(min_length=1, max_length=1000),
    WithJsonSchema(
        {"type": "string", "format": "password", "writeOnly": True, "minLength": 1, "maxLength": 1000},
        mode="validation",
    ),
]
Id = Annotated[int, Field(ge=1, le=2**53)]
Language = Literal["", "ru", "en"]
Theme = Literal["", "light", "dark"]
LineRole = Literal["operator", "supervisor"]
Lines = Annotated[dict[LineName, LineRole], Field(max_length=200)]


class Model(BaseModel):
    """Strict: nothing unknown is taken, nothing is turned from one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class Given(Model):
    """What a client sends."""


def moment(at: float) -> datetime | None:
    """A moment of the store for people and machines; 0 is none."""
    return datetime.fromtimestamp(at, UTC) if at else None


# --- problems and pages ----------------------------------------------------------------------------------------------


class ProblemError(Model):
    """A place in the request, and what is wrong there."""

    pointer: str
    """A JSON pointer into the body, or the name of a parameter."""
    detail: str


class ProblemDetails(BaseModel):
    """RFC 9457."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = "about:blank"
    """`urn:frontline:<name>`."""
    title: str
    status: int
    detail: str = ""
    errors: list[ProblemError] = []


class Page(Given):
    """Which part of a list."""

    limit: int = Field(default=50, ge=1, le=200, strict=False)
    """How many at most."""
    cursor: Annotated[str, StringConstraints(max_length=200)] = ""
    """`next` of the page before."""


# --- signing in ------------------------------------------------------------------------------------------------------


class SignIn(Given):
    """Who one is."""

    name: Annotated[Text, StringConstraints(max_length=64)]
    password: Secret
    code: Code = ""
    """Of the authenticator app, or a recovery code; for accounts with a second factor."""


class Me(Model):
    """The account that is signed in."""

    id: Id
    name: str
    title: str
    role: Role
    lines: dict[str, Role]
    language: str
    theme: str
    totp: bool
    """Whether a second factor is asked for."""
    recovery_codes: int
    """How many recovery codes are left."""


class MeChange(Given):
    """What one may change of oneself without proof. What is left out stays."""

    language: Language | None = None
    theme: Theme | None = None


class PasswordChange(Given):
    """A new password."""

    old: Secret
    new: Secret


class Device(Model):
    """A device that is signed in."""

    id: str
    current: bool
    """Whether it is the one that asks."""
    device: str
    """What the browser said of itself."""
    network: str
    """The network it was last seen in."""
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


class Devices(Model):
    """All devices of the account that is signed in."""

    items: list[Device]


class TotpBegin(Given):
    """The first step asks for the password, the second for the first code of the app."""

    password: Secret | None = None
    code: Code = ""


class Totp(Model):
    """After the first step the secret for the app, after the second the recovery codes. Both are shown once."""

    secret: str = ""
    link: str = ""
    """`otpauth://…`, to be shown as a picture."""
    recovery_codes: list[str] = []


class TotpStop(Given):
    """Proof that it is the owner who takes the second factor away."""

    password: Secret
    code: Code


# --- accounts --------------------------------------------------------------------------------------------------------


class UserView(Model):
    """An account as others see it."""

    id: Id
    name: str
    title: str
    role: Role
    lines: dict[str, Role]
    active: bool
    language: str
    totp: bool
    created_at: datetime
    changed_at: datetime


class Users(Model):
    """A page of accounts."""

    items: list[UserView]
    next: str | None
    """The cursor of the next page; none at the end."""


class NewUser(Given):
    """A new account."""

    name: UserName
    """What one signs in with: small Latin letters, digits, `.`, `_`, `-`, `@`, `+`."""
    title: Text | None = None
    """What others read."""
    role: Role
    lines: Lines = {}
    """The role in each line."""
    language: Language = ""
    password: Secret | None = None
    """Left out: one is made up and shown once."""


class MadeUser(UserView):
    """A new account, with its password when that was made up."""

    password: str = ""


class UserChange(Given):
    """What is left out stays. A new role, password or second factor ends the sessions of the account."""

    title: Text | None = None
    role: Role | None = None
    lines: Lines | None = None
    active: bool | None = None
    language: Language | None = None
    password: Secret | None = None
    totp: Literal[False] | None = None
    """`false` takes the second factor away, for somebody who has lost it."""


# --- deeds in a conversation -----------------------------------------------------------------------------------------

# What people say to clients and to each other: any text, but nothing that is no text.
Said = Annotated[str, StringConstraints(max_length=20_000)]
Epoch = Annotated[int, Field(ge=0, le=2**53)]


class PlainAct(Given):
    """A deed on a session as it was seen."""

    epoch: Epoch
    """Of the session as one saw it: if it has changed hands since, nothing is done."""
    text: Said = ""
    """Why, or what to say with it."""


class ActDone(Model):
    """What became of a deed."""

    conversation: Id
    epoch: int
    """Of the session now."""


# --- tokens and the audit --------------------------------------------------------------------------------------------


Scope = Literal[
    "me:read",
    "users:read",
    "users:write",
    "audit:read",
    "conversations:read",
    "conversations:write",
    "reports:read",
    "tickets:read",
    "tickets:write",
    "clients:read",
    "clients:write",
    "system:read",
]


class NewToken(Given):
    """A key for a machine. It may do what its owner may, as far as its scopes reach."""

    name: Text
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=16)]
    days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """After how many days it ends; left out: never."""


class TokenView(Model):
    """A token without its secret."""

    id: Id
    user: Id
    name: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    ends_at: datetime | None


class MadeToken(TokenView):
    """A new token with its secret, which nobody can read again."""

    token: str


class Tokens(Model):
    """A page of tokens."""

    items: list[TokenView]
    next: str | None


class AuditRow(Model):
    """What was done by whom."""

    id: Id
    at: datetime
    by: str
    action: str
    object: str
    detail: dict[str, Any]
    network: str
    before: str
    hash: str
    """SHA-256 over the row and `before`, the hash of the row before it."""


class AuditPage(Page):
    """Which part of the audit; what is left out does not matter."""

    by: Annotated[str, StringConstraints(max_length=100)] = ""
    """The name of an account; what its tokens did is found, too."""
    action: Annotated[str, StringConstraints(max_length=64)] = ""
    object: Annotated[str, StringConstraints(max_length=200)] = ""
    """What it was about, as rows have it: `user:3`, `channel:telegram`."""
    since: Annotated[datetime, Field(strict=False)] | None = None
    until: Annotated[datetime, Field(strict=False)] | None = None
    """Before this moment."""


class AuditChecked(Model):
    """What a walk along the chain found."""

    whole: bool
    rows: int
    head: str
    """`<id>:<hash>` of the last row: noted elsewhere, it shows later that nothing was cut off."""
    broken: int | None
    """The first row that is not as it was."""
    why: str
    """`changed`, `missing`, `cut`, `head`."""
    at: datetime


class Audit(Model):
    """A page of the audit, the newest first."""

    items: list[AuditRow]
    next: str | None
