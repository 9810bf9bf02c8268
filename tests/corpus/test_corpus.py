"""Real payloads, and what we make of them: reviewed line by line in `<channel>.txt`; none is lost in silence."""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter

import pytest

from tests.corpus.checking import check
from tests.corpus.reading import CHANNELS, HERE, corpus
from tests.corpus.reasons import REASONS, reason
from tests.corpus.snapshots import path_of, snapshot

# How many there must be at least: all, and those that others captured.
LEAST = {"telegram": (150, 110), "vk": (95, 95), "max": (45, 45), "api": (45, 0), "web": (30, 0)}
SOURCE = re.compile(r"ours/.+|[\w.-]+/[\w.-]+@([0-9a-f]{40})?/\S+")
LICENCES = ("MIT", "Apache-2.0")


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_snapshot_is_as_reviewed(channel: str) -> None:
    before, now = path_of(channel).read_text("utf-8"), snapshot(channel)
    difference = difflib.unified_diff(before.splitlines(), now.splitlines(), "reviewed", "now", lineterm="")
    assert before == now, "\n".join(("`python -m tests.corpus` writes it, when this is meant:", *difference))


@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_captured_is_lost(channel: str) -> None:
    """Each is an event, or is left out for a reason of a closed list, or set aside."""
    for payload in corpus(channel):
        if check(channel, payload.raw)[0] == "left out":
            assert reason(channel, payload.raw) in REASONS, payload.source


def test_every_reason_is_needed() -> None:
    """A reason that no payload shows could hide a loss."""
    left_out = {
        reason(channel, payload.raw)
        for channel in CHANNELS
        for payload in corpus(channel)
        if check(channel, payload.raw)[0] == "left out"
    }
    assert left_out == REASONS


@pytest.mark.parametrize("channel", CHANNELS)
def test_there_are_enough_and_no_two_alike(channel: str) -> None:
    payloads = corpus(channel)
    least, captured = LEAST[channel]
    assert len(payloads) >= least
    assert sum(payload.repository != "ours" for payload in payloads) >= captured
    assert [raw for raw, count in Counter(payload.raw for payload in payloads).items() if count > 1] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_payload_has_a_source_under_a_free_licence(channel: str) -> None:
    readme = (HERE / "README.md").read_text("utf-8")
    for payload in corpus(channel):
        assert SOURCE.fullmatch(payload.source), payload.source
        if payload.repository != "ours":
            (row,) = [line for line in readme.splitlines() if line.startswith(f"| github.com/{payload.repository} ")]
            assert any(licence in row for licence in LICENCES), row


SECRETS = re.compile(r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b|vk1\.a\.[\w-]{20,}|\b[0-9a-f]{85}\b|BEGIN [A-Z ]*PRIVATE KEY")
NOBODYS = {"9161234567", "9991234567"}  # the phones of our own tests
PHONES = re.compile(r"(?<![\d.])(?:\+?7|8)[ (-]*9\d\d[ )-]*\d{3}[ -]*\d\d[ -]*\d\d(?!\d)")


@pytest.mark.parametrize("channel", CHANNELS)
def test_there_are_no_secrets_and_no_phones_of_people(channel: str) -> None:
    for payload in corpus(channel):
        text = payload.raw.decode()
        assert not SECRETS.search(text), payload.source
        numbers = {re.sub(r"\D", "", phone)[-10:] for phone in PHONES.findall(text)} - NOBODYS
        assert all(len(set(number)) <= 4 for number in numbers), payload.source


def test_a_lost_payload_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check that all the others lean on: a parser that forgets messages fails it."""
    monkeypatch.setattr("adapters.telegram.parse.KINDS", ())
    monkeypatch.setattr("adapters.telegram.parse.UNWANTED", frozenset(("message",)))
    update = {"update_id": 1, "message": {"chat": {"id": 7, "type": "private"}, "text": "x"}}
    with pytest.raises(AssertionError, match="lost in silence"):
        check("telegram", json.dumps(update).encode())
