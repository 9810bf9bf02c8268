"""What each channel's parser makes of bytes: events, or none for a reason, or a refusal that sets the bytes aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from adapters.api.parse import Reader
from adapters.max import parse as max_
from adapters.payloads import Unreadable, parse_json
from adapters.telegram import parse as telegram
from adapters.vk import parse as vk
from adapters.web.parse import parse_event, parse_post
from adapters.web.refusal import Refused
from core.events import Inbound
from core.locale import texts
from core.ports import StoredFile

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
ENGLISH = texts("en")
TOKEN = "token-of-the-corpus"


class Outcome(NamedTuple):
    """`inbounds` in their order. `aside` says why the bytes, or a part of them, go to quarantine or back to the sender."""

    inbounds: tuple[Inbound, ...] = ()
    aside: str = ""


def _telegram(raw: bytes, now: datetime) -> Outcome:
    try:
        found = telegram.parse_update(parse_json(raw), "telegram", "123456", now, ENGLISH)
    except Unreadable as unreadable:
        return Outcome(aside=str(unreadable))
    return Outcome((found,) if found else ())


def _vk(raw: bytes, now: datetime) -> Outcome:
    account = vk.Account("vk", "1234", ENGLISH)
    try:
        event = parse_json(raw)
        vk.parse_answer(event)
        vk.cropped(event)
        vk.event_time(event)
        return Outcome(vk.parse_event(event, account, now))
    except Unreadable as unreadable:
        return Outcome(aside=str(unreadable))


def _max(raw: bytes, now: datetime) -> Outcome:
    account = max_.Account("max", TOKEN, ENGLISH)
    try:
        update = parse_json(raw)
        max_.callback_id(update)
        found = max_.parse_update(update, account, now)
    except Unreadable as unreadable:
        return Outcome(aside=str(unreadable))
    return Outcome((found,) if found else ())


def _api(raw: bytes, now: datetime) -> Outcome:
    try:
        read = Reader("partner", "partner", frozenset(("files.example",))).read(raw, "msg_1", now)
    except Unreadable as unreadable:
        return Outcome(aside=str(unreadable))
    aside = "; ".join(f"{one.note.pointer}: {one.note.detail}" for one in read.refused)
    return Outcome(tuple(one.inbound for one in read.heard), aside)


class _Files(Mapping[str, StoredFile]):
    """Whatever a page names is a file of its own: what is not is refused before (tests/adapters/web)."""

    def __getitem__(self, id: str) -> StoredFile:
        return StoredFile(id, 1, "чек.pdf", "application/pdf", 9)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _web(raw: bytes, now: datetime) -> Outcome:
    try:
        post = parse_post(raw)
        event = parse_event(post, _Files())
    except Refused as refused:
        return Outcome(aside=refused.code)
    return Outcome((Inbound("site", "site", post.client_id, "c-7", event, now),))


PARSERS: dict[str, Callable[[bytes, datetime], Outcome]] = {
    "telegram": _telegram, "vk": _vk, "max": _max, "api": _api, "web": _web,
}  # fmt: skip


def outcome(channel: str, raw: bytes, now: datetime = NOW) -> Outcome:
    """What becomes of bytes that a channel gets. Raises what its parser may not raise."""
    return PARSERS[channel](raw, now)


def lines(found: Outcome, reason: str) -> list[str]:
    """An outcome for people who review it."""
    shown = [line for inbound in found.inbounds for line in _shown(inbound)]
    if found.aside:
        shown.append(f"  set aside: {found.aside}")
    return shown or [f"  left out: {reason}"]


def _shown(inbound: Inbound) -> Iterator[str]:
    who = " ".join(filter(None, (inbound.sender_name, inbound.sender_username and f"@{inbound.sender_username}")))
    at = inbound.sent_at.strftime("%Y-%m-%d %H:%M:%S") if inbound.sent_at != NOW else "now"
    parts = (inbound.external_id, f"chat {inbound.chat}", f"from {inbound.sender_id} {who}".rstrip(),
             inbound.sender_language, f"message {inbound.message_id}" if inbound.message_id else "", at)  # fmt: skip
    yield f"  {type(inbound.event).__name__} · {' · '.join(filter(None, parts))}"
    for name in inbound.event.__struct_fields__:
        value = getattr(inbound.event, name)
        if value not in ("", (), None, 0, 0.0, {}):
            yield from (f"    {name} = {one}" for one in _values(value))


def _values(value: Any) -> Iterator[str]:
    for one in value if isinstance(value, tuple) else (value,):
        if hasattr(one, "__struct_fields__"):
            fields = {name: getattr(one, name) for name in one.__struct_fields__}
            yield " ".join(f"{name}:{given!r}" for name, given in fields.items() if given not in ("", 0, 0.0, False))
        else:
            yield repr(one)
