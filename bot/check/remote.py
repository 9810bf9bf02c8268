"""What can fail outside must be answered: L140 failures, L141 closed lines, L142 what a desk needs, calls' parameters."""

from __future__ import annotations

from collections.abc import Iterator

from bot.actions.handoff import Handoff
from bot.actions.request import Request
from bot.actions.ticket import Ticket
from bot.check.places import key_at
from bot.check.walk import own_actions
from bot.model import Action, Flow, Library
from bot.shapes import PERHAPS, suggest
from core.deployment import CallInfo, Deployment, DeskInfo
from core.findings import Finding
from core.locale import n_


def check_remote(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """L110, L111, L140, L141, L142 of every remote action."""
    for flow in library.flows.values():
        for action in own_actions(flow, library.bot.policy):
            if isinstance(action, Request):
                yield from _check_request(action, flow, deployment)
            elif isinstance(action, Ticket):
                yield from _check_ticket(action, flow, deployment)
            elif isinstance(action, Handoff):
                yield from _check_handoff(action, deployment)


def call_info(call: str, deployment: Deployment) -> CallInfo | None:
    """The call of the config, None when there is none."""
    service, _, name = call.partition(".")
    return deployment.services.get(service, {}).get(name)


def _unanswered(action: Action, flow: Flow) -> Iterator[Finding]:
    yield Finding(
        at=action.at,
        code="L140",
        what=n_("step {word}: nothing answers a failure"),
        mend=n_("add `failed`, here or in `policy`"),
        values={"word": action.word},
        length=len(action.word),
    )


def _check_request(action: Request, flow: Flow, deployment: Deployment) -> Iterator[Finding]:
    if action.failed is None and flow.policy.failed is None:
        yield from _unanswered(action, flow)
    info = call_info(action.call, deployment)
    if info is None:
        return
    for name in action.params:
        if name not in info.params:
            close = suggest(name, info.params)
            yield Finding(
                at=key_at(action, "with", name),
                code="L110",
                what=n_("the call «{call}» does not take «{name}»"),
                mend=PERHAPS if close else "",
                values={"call": action.call, "name": name, "close": close},
                length=len(name),
                instead=close,
            )
    for name in info.params:
        if name not in action.params and suggest(name, action.params) == "":
            yield Finding(
                at=key_at(action, "with"),
                code="L111",
                what=n_("the call «{call}» needs «{name}»"),
                mend=n_("add it to `with`"),
                values={"call": action.call, "name": name},
                length=4,
            )


def _check_ticket(action: Ticket, flow: Flow, deployment: Deployment) -> Iterator[Finding]:
    desk = deployment.desks[action.desk]
    if desk.outer and action.failed is None and flow.policy.failed is None:
        yield from _unanswered(action, flow)
    yield from _check_needs(action, desk)


def _check_needs(action: Ticket, desk: DeskInfo) -> Iterator[Finding]:
    spare = [label for label in action.fields if label not in desk.needs]
    for label in desk.needs:
        if label in action.fields:
            continue
        close = suggest(label, spare)
        at = key_at(action, "with", close) if close else key_at(action, "with")
        yield Finding(
            at=at,
            code="L142",
            what=n_("desk «{desk}» needs the field «{label}»"),
            mend=n_("perhaps «{close}» is meant to be it?") if close else "",
            values={"desk": action.desk, "label": label, "close": close},
            length=len(close) or 4,
            instead=label if close else "",
        )


def _check_handoff(action: Handoff, deployment: Deployment) -> Iterator[Finding]:
    line = deployment.lines[action.line]
    if action.closed is None and line.closed is None and not line.always_open:
        yield _silent_line(
            action,
            "closed",
            n_("line «{line}» has hours, and nothing answers while it is closed"),
            n_("add `closed` here, or a rule to the line"),
        )
    if action.busy is None and line.busy is None:
        yield _silent_line(
            action,
            "busy",
            n_("nothing answers when nobody on line «{line}» takes the session"),
            n_("add `busy` here, or a rule to the line"),
        )


def _silent_line(action: Handoff, key: str, what: str, mend: str) -> Finding:
    values = {"line": action.line, "key": key}
    return Finding(at=action.at, code="L141", what=what, mend=mend, values=values, length=len(action.word))
