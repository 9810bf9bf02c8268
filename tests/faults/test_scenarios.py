"""Short forms of the fault scenarios; `make faults` runs all of them in full."""

from __future__ import annotations

import pytest

from tests.faults.catalogue import SCENARIOS, Scenario
from tests.faults.fleet import Zygote
from tests.faults.ground import Ground
from tests.faults.servers import Servers

SHORT = {
    "sqlite": ("F2", "F13", "F14"),
    "postgresql": ("F2", "F3", "F6", "F11", "F17"),
}


def chosen() -> list[tuple[str, Scenario]]:
    return [(store, it) for store, names in SHORT.items() for it in SCENARIOS if it.matches(names)]


@pytest.mark.faults
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("store", "scenario"), chosen(), ids=lambda it: it if isinstance(it, str) else it.name)
async def test_scenario(
    store: str, scenario: Scenario, zygote: Zygote, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ground = Ground(zygote, servers, tmp_path_factory.mktemp("faults"), store)
    outcome = await scenario.run(ground)
    assert outcome.violations == [], outcome.numbers


def test_every_scenario_of_the_notes_is_there() -> None:
    """F4, F15, F19 and F20 are tried elsewhere or not yet."""
    known = {it.name.split()[0] for it in SCENARIOS}
    assert known == {f"F{n}" for n in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18)}


@pytest.mark.parametrize(("asked", "count"), [("F1", 11), ("F1 W7 with", 1), ("F10", 1), ("F99", 0)])
def test_names_are_matched_whole(asked: str, count: int) -> None:
    assert sum(it.matches((asked,)) for it in SCENARIOS) == count
