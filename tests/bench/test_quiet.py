"""Which of several tries of a load counts."""

from __future__ import annotations

import pytest

from bench.quiet import TRIES, Quiet
from bench.stats import Run


class Tries:
    """Measures what it is told: (rate, share of the bot's core, share of the load's core) for each try."""

    def __init__(self, *found: tuple[float, float, float]) -> None:
        self.found = list(found)

    async def __call__(self) -> Run:
        rate, strangers, stolen = self.found.pop(0)
        return Run(rate, 1.0, 2.0, 0.5, 0.0, strangers=strangers, stolen=stolen)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.quiet.PAUSE", (0.0, 0.0))


async def test_a_quiet_try_counts_whatever_it_found() -> None:
    tries, quiet = Tries((100.0, 0.01, 0.05), (999.0, 0.0, 0.0)), Quiet(60.0)
    assert (await quiet.measured(tries)).rate == 100.0
    assert (quiet.again, quiet.noisy, len(tries.found)) == (0, 0, 1)


@pytest.mark.parametrize("noisy", [(900.0, 0.3, 0.0), (900.0, 0.0, 0.3)])
async def test_a_disturbed_load_is_measured_again(noisy: tuple[float, float, float]) -> None:
    quiet = Quiet(60.0)
    assert (await quiet.measured(Tries(noisy, (500.0, 0.02, 0.02)))).rate == 500.0
    assert (quiet.again, quiet.noisy) == (1, 0)


async def test_of_noisy_tries_the_quietest_counts_not_the_best() -> None:
    found = [(900.0 - number, 0.5 if number != 3 else 0.2, 0.1) for number in range(TRIES + 1)]
    tries, quiet = Tries(*found), Quiet(60.0)
    assert (await quiet.measured(tries)).rate == 897.0
    assert (quiet.again, quiet.noisy, len(tries.found)) == (TRIES - 1, 1, 1)


async def test_without_patience_there_is_one_try() -> None:
    tries, quiet = Tries((900.0, 0.5, 0.0), (500.0, 0.0, 0.0)), Quiet(0.0)
    assert (await quiet.measured(tries)).rate == 900.0
    assert (quiet.again, quiet.noisy) == (0, 1)
