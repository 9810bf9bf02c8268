"""vk_api in threads of ours: one object and one session for each, a timeout on every call, none of its own retries."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
    """Calls methods of the API, as many at once as there are threads. `seconds` bound an answer."""

    def __init__(self, token: str, base: str = BASE, threads: int = THREADS, seconds: float = ANSWER_SECONDS) -> None:
        self._token, self._base, self.threads, self._seconds = token, base, threads, seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="vk")
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    async def call(self, method: str, params: Params) -> dict[str, Any]:
        """The whole answer: `response`, and of an `execute` its `execute_errors`. Raises Refusal, Trouble."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._call, method, dict(params))

    def close(self) -> None:
        """Lets threads end when their calls do; a call under way ends by its timeout at the latest."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for session in self._sessions:
            session.close()

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
