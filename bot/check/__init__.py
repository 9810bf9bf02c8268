"""The checks of a library: every mistake that can be found without a client. Each check is a generator of findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.actions.ask import Ask
from bot.actions.call import Call
from bot.actions.choose import Choose
from bot.actions.confirm import Confirm
from bot.actions.handoff import Handoff
from bot.check.attached import check_attached
from bot.check.buttons import check_buttons, check_twins
from bot.check.calls import check_circles, check_inputs, operator_flows
from bot.check.graph import Graph
from bot.check.names import Names, bot_names, check_empty, check_names, check_policy
from bot.check.outcomes import check_outcomes
from bot.check.phrases import check_inside, check_phrases, check_system_words
from bot.check.remote import check_remote
from bot.check.scope import Scopes, client_names
from bot.check.walk import action_words, actions
from bot.check.ways import check_ways
from bot.model import Library
from core.deployment import Deployment
from core.findings import Finding

ASKING = (Ask, Choose, Confirm, Handoff)
WHOLE = (
    check_circles,
    check_inputs,
    check_remote,
    check_buttons,
    check_twins,
    check_phrases,
    check_inside,
    check_system_words,
    check_attached,
)


def check(library: Library, deployment: Deployment, tested: Collection[tuple[str, str]] | None = None) -> list[Finding]:
    """All findings of a library, each once, in the order of files and lines.

    `tested` are the (flow, outcome) pairs that tests expect; None does not look at them.
    """
    found = [finding for one in WHOLE for finding in one(library, deployment)]
    found += _check_flows(library, deployment)
    if tested is not None:
        found += check_outcomes(library, tested)
    return unique(found)


def unique(findings: Collection[Finding]) -> list[Finding]:
    """Each finding once, in order: a policy is checked in every flow that inherits it."""
    once = {(finding.at, finding.code, finding.what, str(finding.values)): finding for finding in findings}
    return sorted(once.values(), key=lambda finding: (finding.at, finding.code))


def _check_flows(library: Library, deployment: Deployment) -> Iterator[Finding]:
    scopes = Scopes(library, deployment, {})
    client = client_names(library)
    spared = operator_flows(library)
    asking = asking_flows(library)
    shared = bot_names(library, scopes, client)
    yield from _check_bot(library, shared)
    for flow in library.flows.values():
        names = Names(scopes.of(flow.id), client, deployment)
        graph = Graph(flow, library, deployment, flow.id in spared, asking)
        yield from check_names(flow, library, names)
        yield from check_ways(graph)
        yield from check_empty(graph, names, shared)


def _check_bot(library: Library, names: Names) -> Iterator[Finding]:
    policy = library.bot.policy
    for block in (policy.too_many, policy.failed):
        for action in actions(block or ()):
            for words in action_words(action):
                yield from names.check(words)
    yield from check_policy(policy, None, names)


def asking_flows(library: Library) -> frozenset[str]:
    """Flows that ask the client something, themselves or through a call."""
    asking: set[str] = set()
    while True:
        more = {
            flow.id
            for flow in library.flows.values()
            if flow.id not in asking
            for action in actions(flow.steps)
            if isinstance(action, ASKING) or (isinstance(action, Call) and action.flow in asking)
        }
        if not more:
            return frozenset(asking)
        asking |= more
