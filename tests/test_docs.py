"""Nothing of the product is without docs: every kind, setting, command, finding and metric; the references are fresh."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters import CHANNELS
from adapters.desks import KINDS as DESKS
from adapters.services import KINDS as SERVICES
from bot.actions import ACTIONS
from bot.fields import FIELDS
from bot.triggers import TRIGGERS
from docs.generate import pages
from docs.generating.findings import findings
from gateway.cli import COMMANDS
from gateway.metrics import Metrics
from tests.smallest import FLOWS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["flows.md", "findings.md", "settings.md", "commands.md", "metrics.md"])
def test_references_are_up_to_date(name: str) -> None:
    """`make docs` writes them."""
    assert page(name) == pages()[name]


@pytest.mark.parametrize("kind", [*(kind.word for kind in ACTIONS), *(kind.word for kind in TRIGGERS)])
def test_actions_and_triggers_have_a_heading(kind: str) -> None:
    assert re.search(rf"^#+ `{re.escape(kind)}`$", page("flows.md"), re.MULTILINE)


@pytest.mark.parametrize("kind", [kind.type for kind in FIELDS])
def test_field_types_have_a_line(kind: str) -> None:
    lines = [line for line in page("flows.md").splitlines() if line.startswith(f"| `{kind}` |")]
    assert lines
    assert all(line.split("|")[2].strip() for line in lines)


def test_keys_are_explained() -> None:
    """A key without a meaning is a key nobody can use."""
    empty = [line for line in page("flows.md").splitlines() if re.fullmatch(r"\| `.*` \|.*\| *\|", line)]
    assert empty == []


@pytest.mark.parametrize("kind", [kind for kind, _ in CHANNELS])
def test_channels_have_settings_and_manners(kind: str) -> None:
    assert f"kind: {kind}`" in page("settings.md")
    assert f"**{kind}.**" in page("add-a-channel.md")


@pytest.mark.parametrize("kind", [kind.kind for kind in (*DESKS, *SERVICES) if kind.kind != "tickets"])
def test_desks_and_services_have_settings(kind: str) -> None:
    assert f"kind: {kind}`" in page("settings.md")


def test_settings_are_explained() -> None:
    empty = [line for line in page("settings.md").splitlines() if re.fullmatch(r"\| `.*` \|.*\| *\|", line)]
    assert empty == []


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_commands_have_a_heading(name: str) -> None:
    assert re.search(rf"^## `frontline {name}\b", page("commands.md"), re.MULTILINE)


def test_findings_are_explained() -> None:
    found = findings()
    assert len(found) > 40
    assert [code for code, said in found.items() if not said] == []
    text = page("findings.md")
    assert [code for code in found if f"| `{code}` |" not in text] == []


def test_metrics_are_explained() -> None:
    text = page("operations.md")
    names = [family.name for family in Metrics().registry.collect()]
    assert len(names) > 10
    assert [name for name in names if name not in text] == []


def test_glossary_has_every_word_of_the_state() -> None:
    words = page("glossary.md").lower()
    for word in (
        "channel",
        "client",
        "conversation",
        "session",
        "run",
        "flow",
        "trigger",
        "step",
        "field",
        "line",
        "queue",
        "ticket",
        "desk",
        "inbox",
        "event",
        "effect",
        "epoch",
        "turn",
        "trace",
        "facts",
    ):
        assert word in words


def test_decisions_are_listed() -> None:
    index = page("decisions/README.md")
    files = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert files
    assert [name for name in files if f"({name})" not in index] == []


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text("utf-8")):
        if not target.startswith(("http:", "https:")) and "…" not in target:
            assert (path.parent / target).exists(), target


def shipped(**changed: str) -> list[str]:
    """What the check says in Russian of the shipped flows, with changes."""
    from gateway.config import load_config
    from gateway.deployment import build_deployment
    from gateway.edition import read_edition, read_folder

    config, _ = load_config(ROOT / "config.yaml", {})
    assert config is not None
    sources, _ = read_folder(config.flows)
    edition = read_edition({**sources, **changed}, build_deployment(config), "flows/")
    return [finding.line("ru") for finding in edition.findings]


def test_the_flow_of_the_readme_can_be_added_to_the_shipped_ones() -> None:
    (flow,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert shipped(**{"readme.yaml": flow}) == []


def test_the_mistake_of_the_readme_is_told_so() -> None:
    (told,) = re.findall(r"^flows/order_return\.yaml:.*$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    flow = (ROOT / "flows" / "order_return.yaml").read_text("utf-8")
    assert shipped(**{"order_return.yaml": flow.replace("if: причина != ", "if: причена != ", 1)}) == [told]


def test_the_order_of_the_readme_is_a_demo_order() -> None:
    number, phone = re.findall(r"order `(\d+)`, phone `([^`]+)`", (ROOT / "README.md").read_text("utf-8"))[0]
    assert f"\n{number},{re.sub(r'[ -]', '', phone)}," in (ROOT / "flows/data/orders.csv").read_text("utf-8")


def test_the_tutorial_works() -> None:
    """The flow of the tutorial has no mistake and passes the test of the tutorial."""
    from bot.testing import run_tests
    from core.deployment import Deployment, LineInfo, LineRule
    from gateway.edition import compile_edition, read_edition

    flow, test = re.findall(r"```yaml\n(.*?)```", page("flows.md"), re.DOTALL)
    sources = {**FLOWS, "delivery.yaml": flow}
    deployment = Deployment(lines={"support": LineInfo("П", LineRule("d"), LineRule("d"))})
    edition = read_edition(sources, deployment)
    assert [finding.line("en") for finding in edition.findings] == []
    report = run_tests(compile_edition(edition, deployment), {"tests/delivery.test.yaml": test})
    assert report.tests == 1
    assert report.failures == ()
