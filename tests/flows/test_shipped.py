"""The shipped flows and configuration: no findings, all their tests green, every step visited, and a demo that works."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import cast

import pytest

from adapters.services import build_service
from bot.book import Book, load
from bot.check import check
from bot.testing import TestReport, run_tests
from core.deployment import Deployment
from core.ports import Store
from gateway.config import Config, load_config
from gateway.deployment import build_deployment, build_house
from handoff.lines import line_facts

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "flows" / "data"


@cache
def config() -> Config:
    found, findings = load_config(ROOT / "config.yaml", {})
    assert findings == []
    assert found is not None
    return found


@cache
def sources() -> dict[str, str]:
    folder = ROOT / "flows"
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.yaml")}


@cache
def book() -> Book:
    made, findings = load({path: text for path, text in sources().items() if "tests/" not in path}, deployment())
    assert [finding.line("en") for finding in findings] == []
    assert made is not None
    return made


@cache
def deployment() -> Deployment:
    return build_deployment(config())


@cache
def report() -> TestReport:
    house = build_house(config(), book().bot.words)
    return run_tests(book(), sources(), None, lambda line, now: line_facts(house, now)[line])


def test_every_test_is_green() -> None:
    assert [f"{one.at.file}:{one.at.line} {one.test}: {one.what}" for one in report().failures] == []
    assert [finding.line("en") for finding in report().findings] == []
    assert report().tests > 60


def test_every_step_and_outcome_is_tested() -> None:
    missed = [f"{one.at.file}:{one.at.line} {one.step} {one.event}" for one in report().coverage.missed]
    assert missed == []
    assert [finding.line("en") for finding in check(book().library, deployment(), report().tested)] == []


def test_nothing_has_to_be_set_in_the_environment() -> None:
    on = [name for name, channel in config().channels.items() if channel.on]
    assert on == ["site"]


def test_no_address_and_no_secret_stands_in_a_flow() -> None:
    allowed = re.compile(r"https://example\.com/\S*")
    for path, text in sources().items():
        assert not re.search(r"https?://", allowed.sub("", text)), path


def rows() -> list[tuple[str, str]]:
    return re.findall(r"^\| (\d+) \| (\+\d+) \|", (DEMO / "README.md").read_text("utf-8"), re.MULTILINE)


def test_the_demo_pairs_are_all_told() -> None:
    with (DEMO / "orders.csv").open(encoding="utf-8", newline="") as file:
        assert rows() == [(row["номер"], row["телефон"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("number", "phone"), rows())
async def test_every_demo_order_is_found(number: str, phone: str) -> None:
    shop = build_service("table", config().services["shop"], cast(Store, None))
    outcome = await shop.call("get_order", {"number": number, "phone": phone}, "k", 1)
    assert (outcome.status, outcome.error) == ("ok", "")
    assert outcome.take["номер"] == number
    assert (await shop.call("get_order", {"number": number, "phone": "+70000000000"}, "k", 1)).status == "missing"
