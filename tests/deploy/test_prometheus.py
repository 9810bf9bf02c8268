"""The alerts: what they ask for is measured, and each is explained with what to do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from prometheus_client import Counter, Gauge, Histogram

from core.ports import Store
from gateway.metrics import Metrics
from storage.memory import MemoryStore
from tests.deploy.reading import DEPLOY, documents

(RULES,) = documents(DEPLOY / "prometheus" / "alerts.yaml")
ALERTS: list[dict[str, Any]] = [rule for group in RULES["groups"] for rule in group["rules"]]
DOCS = (DEPLOY.parent / "docs" / "operations.md").read_text("utf-8")
NAMED = re.compile(r"\bfrontline_\w+")
FUNCTIONS = {
    "sum",
    "max",
    "min",
    "rate",
    "increase",
    "delta",
    "deriv",
    "absent",
    "histogram_quantile",
    "max_over_time",
    "by",
}


def measured() -> dict[str, tuple[str, ...]]:
    """Names on Prometheus' page and their labels."""
    metrics, found = Metrics(), dict[str, tuple[str, ...]]()
    for it in vars(metrics).values():
        if isinstance(it, Counter):
            found[f"{it._name}_total"] = it._labelnames
        elif isinstance(it, Histogram):
            found |= {f"{it._name}_{part}": (*it._labelnames, "le") for part in ("bucket", "sum", "count")}
        elif isinstance(it, Gauge):
            found[it._name] = it._labelnames
    return found


MEASURED = measured()


def test_the_shape_is_that_of_rules() -> None:
    assert set(RULES) == {"groups"}
    for group in RULES["groups"]:
        assert set(group) == {"name", "rules"}
    for rule in ALERTS:
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "1m"))
        assert rule["labels"]["severity"] in {"page", "ticket"}
    names = [rule["alert"] for rule in ALERTS]
    assert len(set(names)) == len(names) >= 15


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_what_it_asks_for_is_measured(rule: dict[str, Any]) -> None:
    expression = re.sub(r'"[^"]*"', '""', rule["expr"])
    assert all(expression.count(one) == expression.count(other) for one, other in ("()", "[]", "{}"))
    assert set(re.findall(r"\b([a-z_]+)\s*\(", expression)) <= FUNCTIONS | {"or", "and"}
    named = NAMED.findall(expression)
    assert named or rule["alert"] == "FrontlineDown"
    for name in named:
        assert name in MEASURED
    for name, labels in re.findall(r"(frontline_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*=~?", labels)) <= set(MEASURED[name])
    grouped = {label for labels in re.findall(r"by \(([\w, ]+)\)", expression) for label in labels.split(", ")}
    assert grouped <= {label for name in named for label in MEASURED[name]}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_it_says_what_to_do(rule: dict[str, Any]) -> None:
    runbook = rule["annotations"]["runbook"]
    assert runbook == f"docs/operations.md#{rule['alert'].lower()}"
    assert f"### {rule['alert']}\n" in DOCS
    named = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert named <= {label for name in NAMED.findall(rule["expr"]) for label in MEASURED[name]} | {"instance"}


def test_the_docs_explain_no_alert_that_is_gone() -> None:
    assert set(re.findall(r"^### (Frontline\w+)$", DOCS, re.MULTILINE)) == {rule["alert"] for rule in ALERTS}


async def test_the_depths_they_ask_for_are_told() -> None:
    """`frontline_store{what="…"}` and the verdicts are values, not names: a misspelt one would never fire."""
    store: Store = MemoryStore(lambda: 0.0)
    await store.open()
    told = await store.stats()
    asked = re.findall(r'frontline_store\{what="(\w+)"\}', " ".join(rule["expr"] for rule in ALERTS))
    assert asked
    assert set(asked) <= told.keys()
    verdicts = set(re.findall(r'verdict="(\w+)"', " ".join(rule["expr"] for rule in ALERTS)))
    assert verdicts <= {"sent", "retry", "unreachable", "rejected", "unknown", "refused"}
    await store.close()


# Counted for reports and for who looks for a reason, nothing to wake anybody up for.
REPORTS = {
    *("frontline_messages", "frontline_duplicates", "frontline_tickets", "frontline_handoffs", "frontline_door"),
    *(
        "frontline_phones",
        "frontline_live_messages",
        "frontline_live_ends",
        "frontline_live_sockets",
        "frontline_hooks",
    ),
}


def test_every_metric_that_matters_has_an_alert() -> None:
    asked = set(NAMED.findall(" ".join(rule["expr"] for rule in ALERTS)))
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in MEASURED}
    assert {it for it in families if not any(name.startswith(it) for name in asked)} <= REPORTS
