"""What the parsers make of the corpus, one file for each channel, to be read by people: `<channel>.txt`."""

from __future__ import annotations

from pathlib import Path

from tests.corpus.checking import check
from tests.corpus.outcomes import lines
from tests.corpus.reading import HERE, Payload, corpus
from tests.corpus.reasons import reason


def path_of(channel: str) -> Path:
    """Where a channel's snapshot is kept."""
    return HERE / f"{channel}.txt"


def snapshot(channel: str) -> str:
    """The snapshot as it is today. Raises AssertionError when a payload breaks a rule of `checking`."""
    return "\n".join(shown(channel, payload) for payload in corpus(channel))


def shown(channel: str, payload: Payload) -> str:
    """One payload: where it is from, and what became of it."""
    what, found = check(channel, payload.raw)
    why = reason(channel, payload.raw) if what == "left out" else ""
    return "\n".join((payload.name, *lines(found, why), ""))
