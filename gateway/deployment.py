"""A configuration as the rooms see it: what flows may name, and the house of lines."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.max.capabilities import CAPABILITIES as MAX
from adapters.services import call_info
from adapters.telegram.capabilities import CAPABILITIES as TELEGRAM
from adapters.terminal.capabilities import CAPABILITIES as TERMINAL
from adapters.vk.capabilities import CAPABILITIES as VK
from adapters.web.capabilities import capabilities as web_capabilities
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineRule
from core.locale import n_, texts
from gateway.config.channels import ApiSettings, Channel
from gateway.config.lines import LineSettings, Rule, WebhookDeskSettings
from gateway.config.model import Config
from handoff.hours import parse_hours
from handoff.lines import House, Line, parse_priority

# How long the label of a button may be, by kind of channel.
BUTTON_LABELS = {
    "telegram": TELEGRAM.button_label,
    "vk": VK.button_label,
    "max": MAX.button_label,
    "web": web_capabilities(0).button_label,
    "terminal": TERMINAL.button_label,
}
# What clients call a messenger, after «in».
TITLES = {
    "telegram": "Telegram",
    "vk": "VK",
    "max": "MAX",
    "web": n_("the web chat"),
    "terminal": n_("the terminal"),
}


def build_deployment(config: Config) -> Deployment:
    """What flows are checked and compiled against. Only channels that are on count."""
    t = texts(config.language)
    return Deployment(
        language=config.language,
        timezone=config.timezone,
        lines={id: line.info() for id, line in build_lines(config).items()},
        desks={
            id: DeskInfo(desk.title, desk.needs, isinstance(desk, WebhookDeskSettings))
            for id, desk in config.desks.items()
        },
        services={id: call_info(service) for id, service in config.services.items()}
        | {"tickets": call_info({"kind": "tickets"})},
        channels={
            id: ChannelInfo(channel.kind, channel.line, _button_label(channel), t(TITLES.get(channel.kind, id)))
            for id, channel in config.channels.items()
            if channel.on
        },
    )


def _button_label(channel: Channel) -> int:
    """As the messenger has it, or as its integrator declares."""
    return channel.button_label if isinstance(channel, ApiSettings) else BUTTON_LABELS[channel.kind]


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
        next_reply=line.next_reply,
        resolve=line.resolve,
        warn_at=line.warn_at,
        hurry=tuple(sorted((parse_priority(word), part) for word, part in line.hurry.items())),
        packet=line.packet,
        categories=line.categories,
        rating=line.rating,
        idle_warn=line.idle_close.warn if line.idle_close else 0.0,
        idle_close=line.idle_close.close if line.idle_close else 0.0,
        continue_within=line.continue_within,
        returning=line.returning,
        route=line.route,
        max_sessions=line.max_sessions,
        limit=line.limit,
        sticky=line.sticky,
        offer=line.offer,
    )


def _rule(rule: Rule | None) -> LineRule | None:
    return LineRule(rule.ticket) if rule else None
