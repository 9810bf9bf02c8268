"""Channels of a config: the ones that can start, each with what all are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.channels import at_once, build_channels, channel_settings
from gateway.config import Config, read_config

CONFIG = """\
http: {public_url: "https://bot.example/"}
storage: {url: "memory:", files: kept}
language: en
flood: ${FLOOD:-20/10s}
channels:
  tg: {kind: telegram, token: "${TOKEN:-}", line: support, at_once: 3}
  vk: {kind: vk, token: "${VK:-}", group_id: 5, limits: "10/s", line: support}
  site: {kind: web, title: Чат, line: support}
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}}
desks: {general: {title: Обращения}}
"""


def config(folder: Path, **environ: str) -> Config:
    found, findings = read_config(CONFIG, folder / "config.yaml", environ)
    assert found is not None, findings
    return found


def test_a_channel_without_its_token_is_skipped_with_one_line(tmp_path: Path) -> None:
    with capture_logs() as logs:
        channels = build_channels(config(tmp_path))
    assert list(channels) == ["site"]
    assert [(line["event"], line["channel"]) for line in logs] == [("channel_skipped", "tg"), ("channel_skipped", "vk")]


async def test_every_channel_carries_its_name_and_kind(tmp_path: Path) -> None:
    channels = build_channels(config(tmp_path, TOKEN="42:token", VK="key"))
    assert {name: (one.name, one.kind) for name, one in channels.items()} == {
        "tg": ("tg", "telegram"),
        "vk": ("vk", "vk"),
        "site": ("site", "web"),
    }
    for channel in channels.values():
        await channel.stop()


@pytest.mark.parametrize(("flood", "told"), [("20/10s", (20, 10.0)), ("off", None)])
def test_what_all_channels_are_told(tmp_path: Path, flood: str, told: tuple[int, float] | None) -> None:
    settings = channel_settings(config(tmp_path, FLOOD=flood, TOKEN="42:token"), "tg")
    assert settings["flood"] == told
    assert settings["language"] == "en"
    assert settings["public_url"].startswith("https://bot.example")
    assert settings["token"] == "42:token"


def test_only_telegram_bounds_what_is_under_way(tmp_path: Path) -> None:
    assert at_once(config(tmp_path)) == {"tg": 3}
