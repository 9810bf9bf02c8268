"""What flows may name: lines, desks, services and channels of `config.yaml`, as plain data."""

from __future__ import annotations

from typing import Literal

import msgspec

TakeType = Literal["text", "number", "money", "yes_no", "date", "time", "list"]


class Take(msgspec.Struct, frozen=True):
    """One name that a call returns: its type, and whether its absence is fine."""

    type: TakeType
    optional: bool = False


class CallInfo(msgspec.Struct, frozen=True):
    """One call of a service: what it needs and what it gives. `safe`: reads only (GET), so «назад» may cross it."""

    params: tuple[str, ...]
    take: dict[str, Take]
    safe: bool = True


class DeskInfo(msgspec.Struct, frozen=True):
    """A desk: the field labels each ticket needs; `outer` when another system numbers and answers."""

    title: str
    needs: tuple[str, ...] = ()
    outer: bool = False


class LineRule(msgspec.Struct, frozen=True):
    """A line's own answer when it is closed or busy: a ticket on a desk."""

    ticket: str


class LineInfo(msgspec.Struct, frozen=True):
    """A line as flows see it. A rule that is None leaves the answer to the flow."""

    title: str
    closed: LineRule | None = None
    busy: LineRule | None = None
    always_open: bool = False


class ChannelInfo(msgspec.Struct, frozen=True):
    """A channel that is on: its kind, default line, how long a button's label may be (characters), what clients call it."""

    kind: str
    line: str
    button_limit: int = 64
    title: str = ""


class Deployment(msgspec.Struct, frozen=True):
    """The surroundings flows are checked and compiled against."""

    language: str = "ru"
    timezone: str = "Europe/Moscow"
    lines: dict[str, LineInfo] = {}
    desks: dict[str, DeskInfo] = {}
    services: dict[str, dict[str, CallInfo]] = {}
    channels: dict[str, ChannelInfo] = {}
