"""A configuration as the rooms see it: what flows may name, and the house of lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from adapters.telegram.capabilities import CAPABILITIES as TELEGRAM
from adapters.web.capabilities import capabilities as web_capabilities
from core.deployment import CallInfo, ChannelInfo, Deployment, DeskInfo, LineRule, Take
from gateway.config.lines import (
    HttpServiceSettings,
    LineSettings,
    Rule,
    TableSettings,
    TakeSettings,
    WebhookDeskSettings,
)
from gateway.config.model import Config
from handoff.hours import parse_hours
from handoff.lines import House, Line

# The built-in service behind «Мои заявки».
TICKETS = {"mine": CallInfo((), {"список": Take("text"), "есть": Take("yes_no")})}
# How long the label of a button may be, by kind of channel.
BUTTON_LABELS = {"telegram": TELEGRAM.button_label, "web": web_capabilities(0).button_label}
PLACE = re.compile(r"\{([^{}]+)\}")


def build_deployment(config: Config) -> Deployment:
    """What flows are checked and compiled against. Only channels that are on count."""
    return Deployment(
        language=config.language,
        timezone=config.timezone,
        lines={id: line.info() for id, line in build_lines(config).items()},
        desks={
            id: DeskInfo(desk.title, desk.needs, isinstance(desk, WebhookDeskSettings))
            for id, desk in config.desks.items()
        },
        services={id: _calls(service) for id, service in config.services.items()} | {"tickets": TICKETS},
        channels={
            id: ChannelInfo(channel.kind, channel.line, BUTTON_LABELS[channel.kind])
            for id, channel in config.channels.items()
            if channel.on
        },
    )


def build_lines(config: Config) -> dict[str, Line]:
    """The lines with their hours read."""
    return {id: _line(config, id, line) for id, line in config.lines.items()}


def build_house(config: Config, words: Mapping[str, tuple[str, ...]]) -> House:
    """The lines, and the system words of the published `_bot.yaml`."""
    return House(lines=build_lines(config), words=words, language=config.language)


def _line(config: Config, id: str, line: LineSettings) -> Line:
    return Line(
        id=id,
        title=line.title,
        hours=parse_hours(line.spans, config.timezone, line.holidays),
        closed=_rule(line.closed),
        busy=_rule(line.busy),
        max_wait=line.max_wait,
        first_reply=line.first_reply,
    )


def _rule(rule: Rule | None) -> LineRule | None:
    return LineRule(rule.ticket) if rule else None


def _calls(service: HttpServiceSettings | TableSettings) -> dict[str, CallInfo]:
    if isinstance(service, TableSettings):
        return {service.call: CallInfo(tuple(service.key), _take(service.take))}
    return {
        name: CallInfo(call_params(call.path, call.params, call.body), _take(call.take), call.method == "GET")
        for name, call in service.calls.items()
    }


def _take(take: Mapping[str, TakeSettings]) -> dict[str, Take]:
    return {name: Take(one.type, one.optional) for name, one in take.items()}


def call_params(*templates: Any) -> tuple[str, ...]:
    """The `{name}` places of a call, in the order met."""
    found: dict[str, None] = {}
    for template in templates:
        if isinstance(template, str):
            found |= dict.fromkeys(PLACE.findall(template))
        elif isinstance(template, Mapping):
            found |= dict.fromkeys(call_params(*template.values()))
        elif isinstance(template, list | tuple):
            found |= dict.fromkeys(call_params(*template))
    return tuple(found)
