"""Calls of the API in order, paced for the whole community; packed into `execute` when many wait."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

import orjson

from adapters.pacing import Rate
from adapters.vk.capabilities import EXECUTE_CALLS
from adapters.vk.methods import Methods, Params, Refusal, Trouble
from adapters.vk.pacing import Windows
from adapters.vk.verdicts import RULES

BACKLOG = 8  # so many waiting calls go together
CODE_BYTES = 60_000  # of one `execute`
COMPILE = frozenset((12, 13))  # VK could not run the code: its calls go one by one
# A window that is closed for longer is not waited for: the call comes back to its caller.
PATIENCE_SECONDS = 10.0


class Closed(Exception):
    """VK must not be asked for so many seconds: nothing was sent."""

    def __init__(self, after: float) -> None:
        super().__init__(f"closed for {after:.1f} s")
        self.after = after


class Waiting(NamedTuple):
    """A call that waits for its turn; `alone` may not be packed."""

    method: str
    params: Params
    answer: asyncio.Future[Any]
    alone: bool = False

    @property
    def code(self) -> str:
        return f"API.{self.method}({orjson.dumps(self.params).decode()})"


class Api:
    """One community's way to VK. `clock` gives seconds that only grow."""

    def __init__(
        self, methods: Methods, rate: Rate | None, clock: Callable[[], float] = time.monotonic, backlog: int = BACKLOG
    ) -> None:
        self.windows = Windows(rate, clock)
        self._methods, self._backlog = methods, backlog
        self._waiting: deque[Waiting] = deque()
        self._free = asyncio.Semaphore(methods.threads)
        self._pump: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._storms = 0  # times in a row that the community was closed

    async def call(self, method: str, params: Params) -> Any:
        """The `response` of a call. Raises Refusal, Trouble, Closed."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(method, params, answer))
        self._wake()
        return await answer

    def idle(self, peer: str) -> bool:
        """Whether a call that nobody waits for may be made now: nothing else waits, and no error has closed the way."""
        return not self._waiting and not self.windows.closed(peer)

    def _wake(self) -> None:
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run())

    async def close(self, seconds: float) -> None:
        """Waits so long for what is under way, then drops it."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=seconds)
        tasks = [*self._tasks, *([self._pump] if self._pump else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._waiting:
            self._waiting.popleft().answer.cancel()
        self._methods.close()

    async def _run(self) -> None:
        """Sends what waits, oldest first, each request in its time."""
        while self._waiting:
            await self._free.acquire()
            await asyncio.sleep(self.windows.take())
            await self._open()
            batch = self._take()
            if batch:
                self._spawn(self._send(batch))
            else:
                self._free.release()

    async def _open(self) -> None:
        """Waits while VK must not be asked; what would wait too long goes back."""
        while (after := self.windows.closed()) > 0:
            if after > PATIENCE_SECONDS:
                while self._waiting:
                    _fail(self._waiting.popleft(), Closed(after))
                return
            await asyncio.sleep(after)

    def _take(self) -> list[Waiting]:
        """The next call, or as many as one `execute` carries. Callers that have gone are left out."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        batch: list[Waiting] = []
        room = CODE_BYTES
        most = EXECUTE_CALLS if len(self._waiting) >= self._backlog else 1
        while self._waiting and len(batch) < most:
            one = self._waiting[0]
            room -= len(one.code) * 2 if most > 1 else 0  # most letters of ours take two bytes
            if batch and (one.alone or room < 0):
                break
            batch.append(self._waiting.popleft())
            if one.alone:
                break
        return batch

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, batch: Sequence[Waiting]) -> None:
        try:
            if len(batch) == 1:
                answer = await self._methods.call(batch[0].method, batch[0].params)
                _give(batch[0], answer["response"])
                self._storms = 0
            else:
                await self._send_packed(batch)
        except Refusal as refusal:
            self._refused(batch, refusal)
        except Trouble as trouble:
            for one in batch:
                _fail(one, trouble)
        except asyncio.CancelledError:
            for one in batch:
                one.answer.cancel()
            raise
        finally:
            self._free.release()

    async def _send_packed(self, batch: Sequence[Waiting]) -> None:
        code = f"return [{','.join(one.code for one in batch)}];"
        answer = await self._methods.call("execute", {"code": code})
        outcomes = unpack(answer, len(batch))
        for one, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                self._note(outcome)
            if isinstance(outcome, Exception):
                _fail(one, outcome)
            else:
                _give(one, outcome)
                self._storms = 0

    def _refused(self, batch: Sequence[Waiting], refusal: Refusal) -> None:
        if len(batch) > 1 and refusal.refused.code in COMPILE:
            self._waiting.extendleft(one._replace(alone=True) for one in reversed(batch))
            self._wake()
            return
        self._note(refusal)
        for one in batch:
            _fail(one, refusal)

    def _note(self, refusal: Refusal) -> None:
        """An error about the whole community closes it; one that comes again when it has opened closes it for longer."""
        rule = RULES.get(refusal.refused.code)
        if rule is None or rule.verdict != "retry" or rule.scope != "account" or self.windows.closed():
            return
        self.windows.close_all(min(rule.most, rule.seconds * 2.0 ** min(self._storms, 12)))
        self._storms += 1


def unpack(answer: dict[str, Any], count: int) -> list[Any]:
    """The outcome of each call of an `execute`, errors as exceptions: VK puts `false` in the place of a refused call and
    the errors apart, in order. Where the two do not fit together, what became of them is not known."""
    results, errors = answer.get("response"), answer.get("execute_errors") or []
    if not isinstance(results, list) or len(results) != count or not isinstance(errors, list):
        return [Trouble("an execute that does not fit")] * count
    refused = [number for number, result in enumerate(results) if result is False]
    known = [error for error in errors if isinstance(error, dict) and isinstance(error.get("error_code"), int)]
    fits = len(refused) == len(known)
    for place, number in enumerate(refused):
        error = known[place] if fits else {}
        results[number] = (
            Refusal(error["error_code"], str(error.get("error_msg", ""))) if fits else Trouble("an error too few")
        )
    return results


def _give(one: Waiting, response: Any) -> None:
    if not one.answer.done():
        one.answer.set_result(response)


def _fail(one: Waiting, error: Exception) -> None:
    if not one.answer.done():
        one.answer.set_exception(error)
