"""Settings of the channel `api`: what `frontline check` says, and what flows are checked against."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.findings import Finding
from gateway.channels import build_channels
from gateway.config import Config, load_config
from gateway.deployment import build_deployment
from tests.emulators.api_secrets import OTHER, SECRET

CONFIG = """\
http: {{port: 0, public_url: "{public_url}"}}
storage: {{url: "sqlite:///var/a.db", files: var/files}}
channels:
  shop: {{kind: api, line: support, {settings}}}
lines:
  support: {{title: П, hours: {{mon-sun: "00:00-24:00"}}, closed: {{ticket: general}}, busy: {{ticket: general}}}}
desks:
  general: {{title: Общие, needs: []}}
"""
RIGHT = f'secret: {SECRET}, url: "https://messenger.example/calls"'


def load(folder: Path, settings: str, public_url: str = "https://us.example") -> tuple[Config | None, list[Finding]]:
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(settings=settings, public_url=public_url), "utf-8")
    return load_config(path, {})


def loaded(folder: Path, settings: str) -> Config:
    config, findings = load(folder, settings)
    assert config is not None, findings
    return config


def test_a_right_one_is_built(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, f"{RIGHT}, previous_secret: {OTHER}, limits: off, capabilities: {{button_label: 20, edit: false}}"
    )
    channel = build_channels(config)["shop"]
    assert (channel.kind, channel.account) == ("api", "shop")
    assert (channel.capabilities.button_label, channel.capabilities.edit, channel.capabilities.idempotent) == (
        20,
        False,
        True,
    )
    assert build_deployment(config).channels["shop"].button_limit == 20


def test_without_a_secret_it_is_off(tmp_path: Path) -> None:
    config = loaded(tmp_path, 'url: ""')
    assert build_channels(config) == {}


@pytest.mark.parametrize(
    ("settings", "public_url", "code", "words"),
    [
        ('secret: hunter2, url: "https://a.example"', "https://us.example", "C142", "whsec_"),
        (f"{RIGHT}, previous_secret: hunter2", "https://us.example", "C142", "whsec_"),
        (f"secret: {SECRET}", "https://us.example", "C144", "`url`"),
        (RIGHT, "", "C141", "public_url"),
        (f"{RIGHT}, capabilities: {{text_limit: 5}}", "https://us.example", "", "text_limit"),
        (f"{RIGHT}, capabilities: {{colour: red}}", "https://us.example", "", "colour"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, settings: str, public_url: str, code: str, words: str) -> None:
    config, findings = load(tmp_path, settings, public_url)
    assert config is None
    said = "\n".join(finding.line("en") for finding in findings)
    assert code in said
    assert words in said or words in settings
    assert "hunter2" not in said
