"""`make bench`: frontline beside bots of other libraries and the bare floor, in one run on one machine.

Without arguments: the quick three over the webhook, and the step alone. `--all` takes every contender, `--part` other
measurements, `--write` keeps the results in `docs/performance/` and writes `docs/performance.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

import uvloop
from rich.console import Console
from rich.markdown import Markdown

from bench import report
from bench.contenders import choose
from bench.machine import LOAD
from bench.path import Plan, run_path
from bench.quiet import Quiet

console = Console()


def path(options: argparse.Namespace, how: str) -> None:
    """The whole path."""
    quiet = Quiet(options.patience)
    plan = Plan([int(number) for number in options.clients.split(",")], options.seconds, options.rounds, quiet)
    outcomes = uvloop.run(run_path(choose(options.only, options.all), plan, console))
    show(report.path_lines(outcomes))
    console.print(
        f"Measured again because strangers had much of a core: {quiet.again} times; noisy all the same: {quiet.noisy}."
    )
    if options.write:
        report.keep_path(outcomes, how)


def micro(options: argparse.Namespace, how: str) -> None:
    """The step and the matcher alone."""
    from bench.matcher import matcher_lines
    from bench.step import step_speed

    finish("micro", [f"- {step_speed()}", *([] if options.only else matcher_lines())], options, how)


def volume(options: argparse.Namespace, how: str) -> None:
    """A store full of history beside an empty one."""
    from bench.volume import Size, run_volume

    keys = [key for key in choose(options.only or "sqlite,postgres", True) if key in ("sqlite", "postgres")]
    size = Size(options.conversations)
    finish("volume", uvloop.run(run_volume(keys, size, options.seconds, options.rounds, console)), options, how)


def steady(options: argparse.Namespace, how: str) -> None:
    """Steady load and bursts."""
    from bench.steady import run_steady, trials

    keys = choose(options.only or "sqlite,postgres", True)
    asked = [trial for trial in trials(options.steady) if trial.contender in keys]
    finish("steady", uvloop.run(run_steady(asked, console)), options, how)


def scale(options: argparse.Namespace, how: str) -> None:
    """One worker and two."""
    from bench.scale import run_scale

    finish("scale", uvloop.run(run_scale(options.seconds, options.rounds, console)), options, how)


def live(options: argparse.Namespace, how: str) -> None:
    """People at work on live sockets."""
    from bench.live import run_live

    found = uvloop.run(run_live(options.sockets, options.changes, options.seconds, console))
    finish("live", found, options, how)


def console_pages(options: argparse.Namespace, how: str) -> None:
    """The console's pages on a slow network, and messages on their way to the screen."""
    from bench.console import run_console

    finish("console", asyncio.run(run_console(options.rounds, console)), options, how)


def finish(part: str, lines: Sequence[str], options: argparse.Namespace, how: str) -> None:
    """Shows the lines of a part, and keeps them when asked to."""
    show(lines)
    if options.write:
        report.keep(part, how, list(lines))


def show(lines: Sequence[str]) -> None:
    console.print(Markdown("\n".join(lines)))


PARTS = {
    "path": path,
    "micro": micro,
    "volume": volume,
    "steady": steady,
    "scale": scale,
    "live": live,
    "console": console_pages,
}
# What `make bench` runs: the whole path, then each other part, one command line for each.
SHORT = (
    "--part path --all --clients 1,16,128,512 --seconds 3 --rounds 3",
    "--part micro",
    "--part volume --only sqlite --conversations 2000 --seconds 2 --rounds 2",
    "--part steady --only sqlite --steady 10",
    "--part live --sockets 1000 --changes 200 --seconds 10",
    "--part console --rounds 3",
)
FULL = (
    "--part path --all --clients 1,16,128,512 --seconds 5 --rounds 5",
    "--part micro",
    "--part volume --seconds 5 --rounds 5",
    "--part steady --steady 600",
    "--part scale --seconds 5 --rounds 5",
    "--part live --sockets 1000 --changes 200 --seconds 60",
    "--part console --rounds 5",
)
PRESETS = {"short": SHORT, "full": FULL}


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--part", default="path,micro", help=f"parts with commas between, of: {', '.join(PARTS)}")
    parser.add_argument("--preset", choices=PRESETS, help="what `make bench` runs, in place of all but --write")
    parser.add_argument("--only", default="", help="words of contenders' names, with commas between")
    parser.add_argument("--all", action="store_true", help="every contender, not only the quick three")
    parser.add_argument("--clients", default="1,16,128", help="clients at once, with commas between")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one round of one load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--patience", type=float, default=300.0, help="seconds for repeating loads that strangers disturbed"
    )
    parser.add_argument("--conversations", type=int, default=10_000, help="open ones of the part volume")
    parser.add_argument("--steady", type=float, default=30.0, help="seconds of steady load of the part steady")
    parser.add_argument("--sockets", type=int, default=1000, help="open ones of the part live")
    parser.add_argument("--changes", type=float, default=200.0, help="a second, of the part live")
    parser.add_argument("--write", action="store_true", help="keep the results and write docs/performance.md")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, how: str) -> None:
    """The parts one after another; one that cannot be measured here does not keep the next from it."""
    for part in options.part.split(","):
        try:
            PARTS[part](options, how)
        except (OSError, ChildProcessError, TimeoutError) as error:
            console.print(f"{part}: not measured: {error or type(error).__name__}", markup=False)


def main() -> None:
    """Runs what the command line, or each line of the preset, asks for."""
    options, said = parse(), [it for it in sys.argv[1:] if it != "--write"]
    os.sched_setaffinity(0, {LOAD})
    if not options.preset:
        run(options, " ".join(["python -m bench", *said]))
    for line in PRESETS.get(options.preset, ()):
        chosen = parse(line.split())
        chosen.preset, chosen.write = options.preset, options.write
        run(chosen, f"python -m bench {line}")


if __name__ == "__main__":
    main()
