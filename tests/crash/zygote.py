"""Starts the gateway again and again from a process that has its libraries loaded, so that a restart costs a fork."""

from __future__ import annotations

import importlib
import os
import signal
import sys

HEAVY = (
    "gateway.app",
    "gateway.cli.run",
    "adapters.telegram.channel",
    "aiogram",
    "pymorphy3",
    "storage",
    "bot.testing",
)


def preload() -> None:
    """Everything that the gateway imports, once."""
    for name in HEAVY:
        importlib.import_module(name)


def child(arguments: list[str]) -> None:
    """The gateway itself, exactly as the command line starts it."""
    from gateway.cli import main

    main(arguments)


def main() -> None:
    """Forks children until one ends by itself; prints `killed` for each that was killed. SIGTERM is passed on."""
    preload()
    while True:
        pid = os.fork()
        if pid == 0:
            child(sys.argv[1:])
            os._exit(0)
        signal.signal(signal.SIGTERM, lambda *_, pid=pid: os.kill(pid, signal.SIGTERM))
        _, status = os.waitpid(pid, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            os._exit(os.waitstatus_to_exitcode(status) % 256)
        print("killed", flush=True)


if __name__ == "__main__":
    main()
