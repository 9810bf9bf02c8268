"""What the parts of a configuration ask of each other: lines behind channels, desks behind rules, secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from difflib import get_close_matches

import msgspec

from adapters.api.signing import is_secret
from bot.engine.codes import SERVICE
from bot.loader import Mapping, Node, Scalar
from core.findings import Finding
from core.locale import n_
from gateway.config.channels import ApiSettings, ChannelSettings, MaxSettings, TelegramSettings, VkSettings
from gateway.config.lines import LineSettings, TableSettings
from gateway.config.model import Config
from handoff.hours import BadHours, Hours, opens_at, parse_hours
from handoff.lines import PRIORITIES, parse_priority

Check = Callable[[Config, Mapping], Iterator[Finding]]
BUILT_IN = ("tickets", SERVICE)
MAX_SECRET = re.compile(r"[A-Za-z0-9_-]{5,256}")
TELEGRAM_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
TELEGRAM_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")


def check_agreement(config: Config, root: Mapping) -> Iterator[Finding]:
    """All findings between valid parts. Channels that are off are not asked for what only a running one needs."""
    for check in CHECKS:
        yield from check(config, root)


def _place(root: Mapping, *path: str) -> Node:
    """The node at a path, or the nearest one above it that exists."""
    node: Node = root
    for part in path:
        below = node.get(part) if isinstance(node, Mapping) else None
        if below is None:
            return node
        node = below
    return node


def _finding(node: Node, code: str, what: str, mend: str = "", **values: str) -> Finding:
    length = node.length if isinstance(node, Scalar) else 0
    return Finding(at=node.at, code=code, what=what, mend=mend, values=values, length=length)


def _unknown(node: Node, code: str, what: str, name: str, known: list[str]) -> Finding:
    close = get_close_matches(name, known, 1, 0.6)
    mend = n_("perhaps «{close}»?") if close else n_("known here: {known}")
    instead = close[0] if close else ""
    found = _finding(node, code, what, mend, name=name, close=instead, known=", ".join(known) or "—")
    return msgspec.structs.replace(found, instead=instead)


def _channel_lines(config: Config, root: Mapping) -> Iterator[Finding]:
    for name, channel in config.channels.items():
        place = _place(root, "channels", name, "line")
        line = config.lines.get(channel.line)
        if line is None:
            yield _unknown(place, "C130", n_("there is no line «{name}»"), channel.line, sorted(config.lines))
        elif channel.on:
            yield from _served(channel, line, root)


def _served(channel: ChannelSettings, line: LineSettings, root: Mapping) -> Iterator[Finding]:
    """A channel for show loses clients: behind it stands a line with hours that answers when nobody is there."""
    if not line.hours:
        yield _finding(
            _place(root, "lines", channel.line, "hours"),
            "C131",
            n_("the line «{line}» has no hours, but a channel leads to it"),
            n_("write them: `hours: {example}`"),
            line=channel.line,
            example='{mon-fri: "09:00-18:00"}',
        )
    if line.closed is None:
        wanting = _finding(
            _place(root, "lines", channel.line),
            "C132",
            n_("nobody answers on the line «{line}» when it is closed"),
            n_("give it a rule: `closed: {example}`; without one it needs operators around the clock"),
            line=channel.line,
            example="{ticket: desk}",
        )
        yield msgspec.structs.replace(wanting, level="warning")  # who works there stands in the database


def _rules(config: Config, root: Mapping) -> Iterator[Finding]:
    for name, line in config.lines.items():
        for word, rule in (("closed", line.closed), ("busy", line.busy)):
            if rule and rule.ticket not in config.desks:
                place = _place(root, "lines", name, word, "ticket")
                yield _unknown(place, "C133", n_("there is no desk «{name}»"), rule.ticket, sorted(config.desks))


def _secrets(config: Config, root: Mapping) -> Iterator[Finding]:
    for name, channel in config.channels.items():
        if isinstance(channel, TelegramSettings | VkSettings | MaxSettings) and channel.on:
            yield from _door(config, name, channel, root)
        if isinstance(channel, TelegramSettings) and channel.on:
            yield from _telegram(name, channel, root)
        if isinstance(channel, MaxSettings) and channel.on:
            yield from _max(name, channel, root)
        if isinstance(channel, ApiSettings) and channel.on:
            yield from _api(config, name, channel, root)
        if isinstance(channel, VkSettings) and channel.on and not channel.group_id:
            yield _finding(
                _place(root, "channels", name, "group_id"),
                "C143",
                n_("the channel «{name}» must name its community"),
                n_("put the number of the community into `group_id`"),
                name=name,
            )


def _door(
    config: Config, name: str, channel: TelegramSettings | VkSettings | MaxSettings, root: Mapping
) -> Iterator[Finding]:
    """A channel that the messenger calls has a secret and an address."""
    if channel.mode not in channel.secret_modes:
        return
    if not channel.secret.get_secret_value():
        yield _finding(
            _place(root, "channels", name, "secret"),
            "C140",
            n_("the channel «{name}» must have a secret in the mode {mode}"),
            n_("put a long random word into `secret`"),
            name=name,
            mode=channel.mode,
        )
    yield from _address(config, name, root)


def _address(config: Config, name: str, root: Mapping) -> Iterator[Finding]:
    if not config.http.public_url:
        yield _finding(
            _place(root, "http", "public_url"),
            "C141",
            n_("the channel «{name}» needs the address under which the world reaches this server"),
            n_("set `http.public_url`"),
            name=name,
        )


def _api(config: Config, name: str, channel: ApiSettings, root: Mapping) -> Iterator[Finding]:
    """Both sides can sign and reach each other."""
    for word in ("secret", "previous_secret"):
        given = getattr(channel, word).get_secret_value()
        if given and not is_secret(given):
            yield _finding(
                _place(root, "channels", name, word),
                "C142",
                n_("this cannot be a secret of the channel «{name}»"),
                n_("it is `whsec_` and 24 to 64 random bytes in base64: `openssl rand -base64 32` makes them"),
                name=name,
            )
    if not channel.url:
        yield _finding(
            _place(root, "channels", name, "url"),
            "C144",
            n_("the channel «{name}» must say where its messenger takes our calls"),
            n_("put the address into `url`"),
            name=name,
        )
    yield from _address(config, name, root)


def _webhooks(config: Config, root: Mapping) -> Iterator[Finding]:
    """Outgoing webhooks can sign, and their lines are there."""
    for name, hook in config.webhooks.items():
        given = hook.secret.get_secret_value()
        if given and not is_secret(given):
            yield _finding(
                _place(root, "webhooks", name, "secret"),
                "C142",
                n_("this cannot be a secret of the webhook «{name}»"),
                n_("it is `whsec_` and 24 to 64 random bytes in base64: `openssl rand -base64 32` makes them"),
                name=name,
            )
        for line in hook.lines:
            if line not in config.lines:
                place = _place(root, "webhooks", name, "lines")
                yield _unknown(place, "C130", n_("there is no line «{name}»"), line, sorted(config.lines))


def _telegram(name: str, channel: TelegramSettings, root: Mapping) -> Iterator[Finding]:
    secret = channel.secret.get_secret_value()
    if not TELEGRAM_TOKEN.fullmatch(channel.token.get_secret_value()):
        yield _finding(
            _place(root, "channels", name, "token"),
            "C142",
            n_("this is not a token of Telegram"),
            n_("it looks like 123456:ABC-DEF and comes from @BotFather"),
        )
    if secret and not TELEGRAM_SECRET.fullmatch(secret):
        yield _finding(
            _place(root, "channels", name, "secret"),
            "C142",
            n_("Telegram takes only A-Z a-z 0-9 _ - in a secret, at most 256"),
        )


def _max(name: str, channel: MaxSettings, root: Mapping) -> Iterator[Finding]:
    secret = channel.secret.get_secret_value()
    if secret and not MAX_SECRET.fullmatch(secret):
        yield _finding(
            _place(root, "channels", name, "secret"), "C142", n_("MAX takes only A-Z a-z 0-9 _ - in a secret, 5 to 256")
        )
    if channel.ca is not None and not channel.ca.is_file():
        yield _finding(
            _place(root, "channels", name, "ca"), "C160", n_("there is no file {file}"), file=str(channel.ca)
        )


def _hours(config: Config, root: Mapping) -> Iterator[Finding]:
    for name, line in config.lines.items():
        try:
            hours = parse_hours(line.spans, config.timezone, line.holidays)
            if any(hours.week) and line.holidays and not _ever_opens(hours, min(line.holidays)):
                yield _never_opens(name, line, root)
        except BadHours as wrong:
            place = _place(root, "lines", name, "hours", wrong.key)
            yield Finding(
                at=place.at,
                code="C134",
                what=wrong.what,
                mend=wrong.mend,
                values=wrong.values,
                length=place.length if isinstance(place, Scalar) else 0,
            )


def _ever_opens(hours: Hours, first: date) -> bool:
    """Whether there is an hour within a year of the first day off that is no day off."""
    return opens_at(hours, datetime.combine(first, time(), UTC)) is not None


def _never_opens(name: str, line: LineSettings, root: Mapping) -> Finding:
    return _finding(
        _place(root, "lines", name, "holidays"),
        "C135",
        n_("the line «{line}» never opens: from {day} on, all its days are days off"),
        n_("take the days that are worked out of `holidays`"),
        line=name,
        day=min(line.holidays).isoformat(),
    )


def _promises(config: Config, root: Mapping) -> Iterator[Finding]:
    """What is answered after the end was promised to nobody; a priority that is none shortens nothing."""
    for name, line in config.lines.items():
        for word in ("first_reply", "next_reply"):
            seconds = getattr(line, word)
            if line.resolve and seconds > line.resolve:
                yield _finding(
                    _place(root, "lines", name, word),
                    "C136",
                    n_(
                        "the line «{line}» promises `{promise}` in {minutes} min, but the end of the matter in {resolve} min"
                    ),
                    n_("make `resolve` the longest promise, or 0"),
                    line=name,
                    promise=word,
                    minutes=_minutes(seconds),
                    resolve=_minutes(line.resolve),
                )
        for word in line.hurry:
            if parse_priority(word) <= 0:
                place = _place(root, "lines", name, "hurry", word)
                known = [known for known, level in PRIORITIES.items() if level > 0]
                yield _unknown(place, "C137", n_("«{name}» is no priority above the ordinary one"), word, known)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g}"


def _bucket(config: Config, root: Mapping) -> Iterator[Finding]:
    ca = config.storage.s3.ca
    if ca is not None and not ca.is_file():
        yield _finding(_place(root, "storage", "s3", "ca"), "C160", n_("there is no file {file}"), file=str(ca))


def _tables(config: Config, root: Mapping) -> Iterator[Finding]:
    for name, service in config.services.items():
        if isinstance(service, TableSettings) and not service.file.is_file():
            yield _finding(
                _place(root, "services", name, "file"), "C160", n_("there is no file {file}"), file=str(service.file)
            )
        if name in BUILT_IN:
            yield _finding(
                _place(root, "services", name),
                "C161",
                n_("the name «{name}» belongs to the built-in service"),
                n_("choose another name"),
                name=name,
            )


def _desks(config: Config, root: Mapping) -> Iterator[Finding]:
    """A desk that promises by the hours of a line names one that is there."""
    for name, desk in config.desks.items():
        if desk.line and desk.line not in config.lines:
            place = _place(root, "desks", name, "line")
            yield _unknown(place, "C130", n_("there is no line «{name}»"), desk.line, sorted(config.lines))


CHECKS: tuple[Check, ...] = (_channel_lines, _rules, _desks, _secrets, _webhooks, _hours, _promises, _bucket, _tables)
