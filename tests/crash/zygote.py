"""Starts the gateway again and again from a process that has its libraries loaded, so that a restart costs a fork."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parent / "config.yaml"


def preload() -> None:
    """Imports and caches everything that a start of the gateway needs, by starting one on a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"CRASH_PORT": "0", "CRASH_DIR": folder, "CRASH_API": "http://127.0.0.1:9", "CRASH_AT_ONCE": "1"}
        asyncio.run(rehearse({**os.environ, **environ}))


async def rehearse(environ: dict[str, str]) -> None:
    """Opens the store and compiles the flows; no channel starts."""
    from gateway.app import Gateway
    from gateway.cli.run import run_command
    from gateway.config import load_config
    from gateway.logs import configure

    configure("warning")
    assert run_command
    config, findings = load_config(CONFIG, environ)
    assert config is not None, [finding.line("en") for finding in findings]
    gateway = Gateway(config)
    await gateway.store.open()
    await gateway.publisher.start()
    await gateway.stop()


def child(order: dict[str, Any]) -> None:
    """The gateway itself, exactly as the command line starts it, in the environment of the order."""
    os.environ.update(order["environ"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (0, 1, 2):
        os.dup2(log, stream)
    from gateway.cli import main
    from gateway.failpoints import arm

    arm(os.environ["FRONTLINE_FAIL"])
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sys.argv = ["frontline", *order["arguments"]]
    main()


def obey(order: dict[str, Any]) -> int:
    """Forks children until one ends by itself; prints `killed` for each that was killed. Returns the exit code."""
    while True:
        pid = os.fork()
        if pid == 0:
            try:
                child(order)
            except SystemExit as end:
                os._exit(end.code if isinstance(end.code, int) else 1)
            os._exit(0)
        signal.signal(signal.SIGTERM, lambda *_, pid=pid: os.kill(pid, signal.SIGTERM))
        _, status = os.waitpid(pid, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            return os.waitstatus_to_exitcode(status)
        print("killed", flush=True)


def main() -> None:
    """Takes orders as JSON lines; SIGTERM is passed on to the child of the moment, whose end is printed as `ended`."""
    preload()
    print("ready", flush=True)
    for line in sys.stdin:
        print(f"ended {obey(json.loads(line))}", flush=True)


if __name__ == "__main__":
    main()
