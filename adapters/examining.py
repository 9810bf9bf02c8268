"""Examination of a channel from its settings: what its messenger says of the token, of the way in, of a message to one chat.

It works beside a running channel, and where the channel does not run: it has a connection of its own, takes no messages and
changes no settings. Nothing in a verdict holds a token or a secret.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from adapters import part_of
from adapters.verdict import Failed, Skipped, Verdict
from core.locale import n_

HELLO = n_("This is a test of the channel, no answer is needed.")
WITHOUT = n_("without the step before, this would say nothing")
NO_CHAT = n_("no chat was named: nobody was written to")
LONGEST = 200  # characters of a platform's words


class Found(NamedTuple):
    """What a step found out; `words` is a message id, `values` fill its places."""

    words: str = ""
    values: Mapping[str, Any] = {}


class Step(NamedTuple):
    """One step. When it fails and `first` is set, those behind it are left out."""

    id: str
    title: str
    run: Callable[[], Awaitable[Found]]
    first: bool = False


class Examined(Protocol):
    """An examination of one channel. Building it raises ValueError when its settings cannot work."""

    steps: Sequence[Step]

    async def close(self) -> None: ...


async def examine(kind: str, name: str, settings: Mapping[str, Any], chat: str = "") -> list[Verdict]:
    """The verdicts of `Exam` in the module `examine` of the kind, one for each step. Raises ValueError when the settings
    cannot work."""
    exam: Examined = part_of(kind, "examine").Exam(name, settings, chat)
    verdicts: list[Verdict] = []
    closed = False
    try:
        for step in exam.steps:
            if closed:
                verdicts.append(Verdict(step.id, step.title, "skipped", WITHOUT))
                continue
            verdicts.append(await judged(step))
            closed = step.first and verdicts[-1].status == "failed"
    finally:
        await exam.close()
    return verdicts


async def judged(step: Step) -> Verdict:
    """The verdict of one step."""
    began = time.monotonic()
    try:
        found = await step.run()
    except Skipped as skipped:
        return Verdict(step.id, step.title, "skipped", str(skipped))
    except Failed as failed:
        took = time.monotonic() - began
        return Verdict(step.id, step.title, "failed", failed.what, failed.mend, failed.values, took)
    return Verdict(step.id, step.title, "ok", found.words, values=dict(found.values), seconds=time.monotonic() - began)


def unreachable(words: str) -> Failed:
    """The platform did not answer."""
    return Failed(
        n_("the messenger cannot be reached: {words}"),
        n_(
            "look whether this machine may reach the internet, whether a proxy or firewall stands between, and `api_url`"
        ),
        words=words[:LONGEST],
    )


def refused(words: str) -> Failed:
    """The platform said no, for a reason that no step knows better."""
    return Failed(n_("the messenger refuses: {words}"), n_("its words say what it wants"), words=words[:LONGEST])


def wrong_token(words: str) -> Failed:
    """The token is none, or none any more."""
    return Failed(
        n_("the messenger does not know the token: {words}"),
        n_("take the token anew where the bot was made, put it into the environment, start the gateway again"),
        words=words[:LONGEST],
    )


def own_address(public_url: str, name: str, own_server: bool = False) -> str:
    """Where the messenger shall call us; `own_server`: it is one of ours, and calls any address. Raises Failed when no
    messenger could."""
    if not public_url:
        raise Failed(
            n_("`http.public_url` is empty"), n_("set it to the address under which the world reaches this server")
        )
    if urlsplit(public_url).scheme != "https" and not own_server:
        raise Failed(
            n_("`http.public_url` is not https"),
            n_("messengers call https alone: put a certificate before the gateway"),
        )
    return f"{public_url.rstrip('/')}/hooks/{name}"


def host_of(url: str) -> str:
    """Of somebody's address nothing is shown but the host: the rest may hold a secret."""
    return urlsplit(url).hostname or "?"
