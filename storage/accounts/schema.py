"""The tables of accounts."""

from __future__ import annotations

from sqlalchemy import Index, Table, UniqueConstraint

from storage.columns import blob_column as _blob
from storage.columns import identity as _id
from storage.columns import metadata
from storage.columns import number_column as _number
from storage.columns import text_column as _text
from storage.columns import time_column as _time

# People who sign in (`core.accounts.User`), with their roles in lines.
users = Table(
    "users",
    metadata,
    _id(),
    _text("name"),
    _text("title"),
    _text("role"),
    _number("active"),
    _text("language"),
    _text("theme"),
    _text("password"),
    _text("totp"),
    _text("totp_new"),
    _number("totp_at"),
    _blob("recovery"),
    _time("created_at"),
    _time("changed_at"),
    UniqueConstraint("name"),
    Index("ix_users_role", "role"),
)

user_lines = Table(
    "user_lines",
    metadata,
    _number("user_id", key=True),
    _text("line", key=True),
    _text("role"),
    sqlite_with_rowid=False,
)

# Devices that are signed in, by the hash of their token (`core.accounts.Login`).
logins = Table(
    "logins",
    metadata,
    _text("digest", key=True),
    _text("id"),
    _number("user_id"),
    _time("created_at"),
    _time("seen_at"),
    _time("idle_at"),
    _time("ends_at"),
    _text("device"),
    _text("address"),
    Index("ix_logins_user_id", "user_id"),
    Index("ix_logins_ends_at", "ends_at"),
)

# Keys of machines to the API (`core.accounts.Token`).
tokens = Table(
    "tokens",
    metadata,
    _id(),
    _text("digest"),
    _number("user_id"),
    _text("name"),
    _blob("scopes"),
    _time("created_at"),
    _time("used_at"),
    _time("ends_at"),
    UniqueConstraint("digest"),
    Index("ix_tokens_user_id", "user_id"),
)

# Attempts to sign in, by account and by address; none is looked at before `until`.
guesses = Table(
    "guesses",
    metadata,
    _text("scope", key=True),
    _number("times"),
    _time("until"),
    _time("last_at"),
    Index("ix_guesses_last_at", "last_at"),
)

# What people did, each row with the hash of the one before (`core.accounts.Audited`). Only ever added to.
audit = Table(
    "audit",
    metadata,
    _id(),
    _time("at"),
    _text("by"),
    _text("action"),
    _text("object"),
    _blob("detail"),
    _text("address"),
    _text("before"),
    _text("hash"),
)

# Writes of the API by who made them and their idempotency keys (`core.accounts.Answered`).
requests = Table(
    "requests",
    metadata,
    _text("owner", key=True),
    _text("key", key=True),
    _text("digest"),
    _number("status"),
    _blob("body"),
    _time("at"),
    Index("ix_requests_at", "at"),
)

ACCOUNTS = (users, user_lines, logins, tokens, guesses, audit, requests)
