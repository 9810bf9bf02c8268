"""Whatever an author writes, reading and checking give findings, never an exception."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.check import check
from bot.explain import explain
from bot.graph import mermaid
from bot.prose import read_aloud
from bot.reading import read, versions
from core.findings import Finding
from tests.bot.language.house import DEPLOYMENT, examples

PIECES = [
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|",
    ">",
    "#",
    "&a",
    "*a",
    "!!str",
    "\t",
    "\n",
    "  ",
    "{{",
    "}}",
    "{% if %}",
    "if",
    "then",
    "say",
    "ask",
    "goto",
    "call",
    "true",
    "null",
    "~",
    "-1",
    "1.5",
    "💥",
    "\u202e",
    "\x00",
    "ё",
    "step: а",
    "client",
    "заказ",
    "_",
    "order_return",
    "\udcff",
]


def mutate(text: str, seed: int) -> str:
    """A few random cuts, doublings and insertions."""
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        lines = text.split("\n")
        at, row = chance.randrange(len(text) + 1), chance.randrange(len(lines))
        text = chance.choice(
            [
                text[:at] + chance.choice(PIECES) + text[at:],
                text[:at] + text[at + chance.randint(1, 12) :],
                "\n".join([*lines[:row], *lines[row + 1 :]]),
                "\n".join([*lines[: row + 1], lines[row], *lines[row + 1 :]]),
                "\n".join([*lines[:row], " " * chance.randint(1, 4) + lines[row], *lines[row + 1 :]]),
                "\n".join([*lines[:row], lines[row].strip(), *lines[row + 1 :]]),
            ]
        )
    return text


def everything(sources: dict[str, str]) -> list[Finding]:
    library, found = read(sources, DEPLOYMENT)
    if library is not None:
        found = [*found, *check(library, DEPLOYMENT, set())]
        versions(library, sources)
        if not found:
            for flow in library.flows.values():
                assert read_aloud(flow, library, "en")
                assert mermaid(flow, library, "en")
    for finding in found:
        text = sources.get(finding.at.file.removeprefix("flows/"), "")
        assert explain(finding, text, "en")
        assert 1 <= finding.at.line <= text.count("\n") + 2
        assert finding.at.column >= 1
    return found


@pytest.mark.parametrize("name", ["_bot.yaml", "billing.yaml", "find_order.yaml", "order_return.yaml"])
def test_mutated_examples_give_findings_only(name: str) -> None:
    told = 0
    for seed in range(60):
        sources = examples()
        sources[name] = mutate(sources[name], seed)
        told += bool(everything(sources))
    assert told > 20


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(PIECES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "flow",
                    "steps",
                    "say",
                    "ask",
                    "if",
                    "then",
                    "fields",
                    "label",
                    "type",
                    "options",
                    "with",
                    "call",
                    "policy",
                    "silence",
                    "triggers",
                    "words",
                    "takes",
                    "gives",
                    "step",
                    "set",
                    "check",
                    "per_channel",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(tree=TREES, file=st.sampled_from(["probe.yaml", "_bot.yaml", "_texts/en.yaml"]))
def test_any_tree_gives_findings_only(tree: object, file: str) -> None:
    import json

    everything(examples() | {file: json.dumps(tree, ensure_ascii=False)})
