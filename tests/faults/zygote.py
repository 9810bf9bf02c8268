"""Starts gateways from a process that has its libraries loaded: a restart costs a fork, and nobody else's process is hit.

Orders come as JSON lines: `{"start": name, "environ": …, "log": …, "arguments": …}` and `{"signal": name, "number": 9}`; the
answers are `{"began": name, "pid": …}` and `{"ended": name, "code": …}`, a negative code being a signal.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import selectors
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

CONFIG = Path(__file__).parent / "config.yaml"
LOG_LEVEL = "warning"


def preload() -> None:
    """Imports and caches everything that a start of the gateway needs, by starting one on a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            "FAULTS_PORT": "0", "FAULTS_STORE": f"sqlite:///{folder}/frontline.db", "FAULTS_FILES": folder,
            "FAULTS_API": "http://127.0.0.1:9", "FAULTS_AT_ONCE": "1", "FAULTS_MODE": "webhook", "FAULTS_REDIS": "",
            "FAULTS_TOKEN2": "", "FAULTS_API2": "http://127.0.0.1:9",
        }  # fmt: skip
        asyncio.run(rehearse({**os.environ, **environ}))


async def rehearse(environ: dict[str, str]) -> None:
    """Opens the store and compiles the flows; no channel starts."""
    from gateway.app import Gateway
    from gateway.cli.run import run_command
    from gateway.config import load_config
    from gateway.logs import configure

    configure(LOG_LEVEL)
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
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if order.get("afresh"):
        os.chdir(CONFIG.parent.parent.parent)
        os.execve(sys.executable, [sys.executable, "-m", "gateway", *order["arguments"]], dict(os.environ))
    from gateway.cli import main
    from gateway.failpoints import arm

    arm(os.environ.get("FRONTLINE_FAIL", ""))
    plant_witness()
    plant_poison(os.environ.get("FAULTS_POISON", ""))
    sys.argv = ["frontline", *order["arguments"]]
    main()


def plant_witness() -> None:
    """On SIGUSR1 every task of the loop says where it waits: for a process that does not end."""

    def testify(*_: object) -> None:
        for task in [it for it in gc.get_objects() if isinstance(it, asyncio.Task) and not it.done()]:
            task.print_stack(file=sys.stderr)
        sys.stderr.flush()

    signal.signal(signal.SIGUSR1, testify)


def plant_poison(word: str) -> None:
    """A turn on a text that begins with `<word> raise` fails, on `<word> kill` it takes the whole process along."""
    if not word:
        return
    from core.events import Message
    from gateway import worker

    healthy: Any = getattr(worker, "run_turn")  # noqa: B009 - not among the names that the module gives out

    def poisoned(book: Any, house: Any, conversation: Any, event: Any, *more: Any) -> Any:
        text = event.text if isinstance(event, Message) else ""
        if text.startswith(f"{word} kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if text.startswith(f"{word} raise"):
            raise RuntimeError("poison")
        return healthy(book, house, conversation, event, *more)

    setattr(worker, "run_turn", poisoned)  # noqa: B010


def fork(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        child(order)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


class Zygote:
    """The loop of orders and ends."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.pids: dict[str, int] = {}
        self.open = True

    def run(self) -> None:
        """Until the orders end; children that are left then are killed."""
        os.set_blocking(0, True)
        self.selector.register(0, selectors.EVENT_READ, "")
        rest = b""
        while self.open:
            for key, _ in self.selector.select():
                if key.data:
                    self.reap(key.data, key.fd)
                    continue
                read = os.read(0, 1 << 16)
                self.open = bool(read)
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))
        for name in list(self.pids):
            os.kill(self.pids[name], signal.SIGKILL)

    def obey(self, order: dict[str, Any]) -> None:
        if "start" in order:
            name = order["start"]
            self.pids[name] = fork(order)
            self.selector.register(os.pidfd_open(self.pids[name]), selectors.EVENT_READ, name)
            tell({"began": name, "pid": self.pids[name]})
        elif order["signal"] in self.pids:
            with suppress(ProcessLookupError):
                os.kill(self.pids[order["signal"]], order["number"])

    def reap(self, name: str, handle: int) -> None:
        _, status = os.waitpid(self.pids.pop(name), 0)
        self.selector.unregister(handle)
        os.close(handle)
        tell({"ended": name, "code": os.waitstatus_to_exitcode(status)})


def tell(answer: dict[str, Any]) -> None:
    os.write(1, json.dumps(answer).encode() + b"\n")


def main() -> None:
    preload()
    tell({"ready": True})
    Zygote().run()


if __name__ == "__main__":
    main()
