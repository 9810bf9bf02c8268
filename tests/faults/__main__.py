"""`python -m tests.faults --only F6 --store postgresql --seconds 600`: runs scenarios and says what broke."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.catalogue import SCENARIOS, Scenario
from tests.faults.fleet import Zygote
from tests.faults.ground import Ground
from tests.faults.house import Outcome
from tests.faults.report import write_report
from tests.faults.servers import Servers

STORES = ("sqlite", "postgresql", "pgbouncer")


def parse() -> argparse.Namespace:
    known = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    known.add_argument("--only", default="", help="names of scenarios begin so, with commas between: F1,F6")
    known.add_argument("--store", choices=(*STORES, "all"), default="all")
    known.add_argument("--seconds", type=float, default=0.0, help="of load, instead of the scenario's own length")
    known.add_argument("--rate", type=float, default=40.0, help="messages a second, where a scenario does not say")
    known.add_argument("--kills", type=int, default=0, help="in each window of F1; 50, and 20 in the short form")
    known.add_argument("--short", action="store_true", help="the short form, as in `make test`")
    known.add_argument("--report", type=Path, help="write the results into this file's table")
    return known.parse_args()


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


async def run_one(ground: Ground, scenario: Scenario) -> Outcome:
    began = time.monotonic()
    try:
        outcome = await scenario.run(ground)
    except Exception as error:
        outcome = ground.outcome(scenario.name)
        outcome.bar(False, f"the run itself failed: {type(error).__name__} {error}")
    outcome.seconds = time.monotonic() - began
    verdict = "holds" if not outcome.violations else f"{len(outcome.violations)} VIOLATIONS"
    say(f"  {verdict} after {outcome.seconds:.0f} s: {outcome.numbers}")
    for violation in outcome.violations[:20]:
        say(f"  {violation.rule}: {violation.what}")
    return outcome


async def run(asked: argparse.Namespace, folder: Path) -> list[Outcome]:
    zygote, servers = await Zygote.start(), Servers()
    names = tuple(filter(None, asked.only.split(",")))
    outcomes = []
    try:
        for store in STORES if asked.store == "all" else (asked.store,):
            ground = Ground(
                zygote, servers, folder, store, asked.short, asked.seconds, asked.rate, asked.kills, say=say
            )
            for scenario in SCENARIOS:
                if store in scenario.stores and (not names or scenario.matches(names)):
                    outcomes.append(await run_one(ground, scenario))
                    if asked.report:
                        write_report(asked.report, outcomes[-1:])
    finally:
        await zygote.stop()
        servers.close()
    return outcomes


def main() -> int:
    asked = parse()
    folder = Path(tempfile.mkdtemp(prefix="frontline-faults-"))
    outcomes = asyncio.run(run(asked, folder))
    broken = [outcome for outcome in outcomes if outcome.violations]
    say(f"{len(outcomes)} runs, {len(broken)} with violations; the logs are in {folder}")
    return 1 if broken or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
