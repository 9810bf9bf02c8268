"""vk_api in threads of ours: one object and one session for each, a timeout on every call, none of its own retries."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any, NamedTuple

import jconfig
import requests
import vk_api
from requests.adapters import HTTPAdapter
from vk_api.exceptions import ApiError, ApiHttpError, VkApiError

from adapters.vk.capabilities import API_VERSION
from adapters.vk.verdicts import Refused

BASE = "https://api.vk.ru"  # a literal of the library
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 15.0
THREADS = 4

logging.getLogger("vk_api").setLevel(logging.CRITICAL)  # its lines hold parameters, and with them what clients write

Params = Mapping[str, str | int]


class Refusal(Exception):
    """VK has answered with an error."""

    def __init__(self, code: int, words: str = "") -> None:
        super().__init__(f"{code} {words}")
        self.refused = Refused(code, words)


class Trouble(ConnectionError):
    """No usable answer: the call may have been carried out. The text is the kind of trouble, never an address or a parameter."""


class Job(NamedTuple):
    """A call on its way to a thread."""

    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[dict[str, Any]]
    method: str
    params: dict[str, Any]

    def settle(self, answer: dict[str, Any] | None, error: Exception | None) -> None:
        """Gives the outcome back; nobody may be there any more."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(_give, self.answer, answer, error)


class Redirect(HTTPAdapter):
    """Sends what the library addresses to VK to another base, if there is one, and never waits for ever."""

    def __init__(self, base: str, seconds: float) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1)
        self._base, self._seconds = base, seconds

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace(BASE, self._base, 1)
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, self._seconds)
        return super().send(request, *args, **kwargs)


class Methods:
    """Calls methods of the API, as many at once as there are threads. `seconds` bound an answer.

    The threads are daemons: a call that VK never answers does not hold the process when it stops.
    """

    def __init__(self, token: str, base: str = BASE, threads: int = THREADS, seconds: float = ANSWER_SECONDS) -> None:
        self._token, self._base, self.threads, self._seconds = token, base, threads, seconds
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._running = 0
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    async def call(self, method: str, params: Params) -> dict[str, Any]:
        """The whole answer: `response`, and of an `execute` its `execute_errors`. Raises Refusal, Trouble."""
        while self._running < self.threads:
            self._running += 1
            threading.Thread(target=self._work, name=f"vk-{self._running}", daemon=True).start()
        loop = asyncio.get_running_loop()
        job = Job(loop, loop.create_future(), method, dict(params))
        self._jobs.put(job)
        return await job.answer

    def close(self) -> None:
        """Lets threads end when their calls do; a call under way ends by its timeout at the latest."""
        for _ in range(self._running):
            self._jobs.put(None)
        for session in self._sessions:
            session.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job.settle(self._call(job.method, job.params), None)
            except (Refusal, Trouble) as error:
                job.settle(None, error)

    def _call(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = self._vk().method(method, params, raw=True)
        except ApiError as error:
            raise Refusal(int(error.code), str(error.error.get("error_msg", ""))) from None
        except ApiHttpError as error:
            raise Trouble(f"HTTP {error.response.status_code}") from None
        except (VkApiError, requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
            # No chaining: the text of these errors may hold the address or the body.
            raise Trouble(type(error).__name__) from None
        if not isinstance(answer, dict) or "response" not in answer:
            raise Trouble("an answer without a response")
        return answer

    def _vk(self) -> Any:
        """The thread's own object: the library holds a lock over each call."""
        if not hasattr(self._local, "vk"):
            session = requests.Session()
            session.trust_env = False
            session.max_redirects = 0
            session.mount(f"{BASE}/", Redirect(self._base, self._seconds))
            self._sessions.append(session)
            vk = vk_api.VkApi(token=self._token, api_version=API_VERSION, session=session, config=jconfig.MemoryConfig)
            vk.RPS_DELAY = 0  # paced by us, for all threads together
            vk.error_handlers.clear()  # no sleep in the thread, no captcha, no login anew: errors are ours to judge
            self._local.vk = vk
        return self._local.vk


def _give(future: asyncio.Future[dict[str, Any]], answer: dict[str, Any] | None, error: Exception | None) -> None:
    if future.done():
        return
    if answer is not None:
        future.set_result(answer)
    else:
        future.set_exception(error or Trouble("no answer"))
