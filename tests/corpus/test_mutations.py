"""200,000 damaged payloads: each is read, left out for a known reason or set aside, twice alike, and can be stored.

Blocks of seeds are tests of their own, so that workers share them; all of them take half a minute of one core.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.corpus.checking import some_seeds, sweep
from tests.corpus.mutating import FRAGMENTS, Mutator
from tests.corpus.reading import corpus

PER_CHANNEL = {"telegram": 60_000, "vk": 60_000, "max": 40_000, "api": 20_000, "web": 20_000}
BLOCK = 10_000
BLOCKS = [(channel, n) for channel, count in PER_CHANNEL.items() for n in range(count // BLOCK)]
# At least so many of a hundred are read, or the damage would prove little.
TAKEN = {"telegram": 30, "vk": 20, "max": 20, "api": 15, "web": 10}


def test_there_are_two_hundred_thousand() -> None:
    assert sum(PER_CHANNEL.values()) == len(BLOCKS) * BLOCK == 200_000


@pytest.mark.parametrize(("channel", "block"), BLOCKS)
def test_whatever_comes_is_read_or_set_aside(channel: str, block: int) -> None:
    seen = sweep(channel, some_seeds(block, BLOCK))
    assert sum(seen.values()) == BLOCK
    assert seen["taken"] > BLOCK * TAKEN[channel] // 100
    assert seen["aside"] > BLOCK // 100


def test_the_same_seed_gives_the_same_damage() -> None:
    payloads = [payload.raw for payload in corpus("vk")]
    seeds = some_seeds(3, 200)
    first, second = ([Mutator(payloads).mutant(seed) for seed in order] for order in (seeds, seeds[::-1]))
    assert first == second[::-1]
    assert len(set(first)) > 195


def test_every_kind_of_damage_occurs() -> None:
    """Broken numbers, half symbols, depth, length, cut and recoded bytes, names twice, wrong types."""
    mutator = Mutator([payload.raw for payload in corpus("telegram")])
    mutants = [mutator.mutant(seed) for seed in some_seeds(1, 4_000)]
    found = Counter(name for name, fragment in FRAGMENTS.items() for raw in mutants if fragment in raw)
    assert set(found) == set(FRAGMENTS)
    assert any(raw[:2] == b"\xff\xfe" for raw in mutants), "UTF-16"
    assert any(not raw.endswith((b"}", b"\n")) for raw in mutants), "cut"
    assert any(b"\\u0000" in raw for raw in mutants), "NUL"
    assert len(set(mutants)) > 3_800
