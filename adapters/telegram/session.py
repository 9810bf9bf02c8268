"""A lean session under aiogram's Bot: the method as JSON, and of the answer only what we need.

aiogram's own session writes forms and builds response models: about 0.3 ms of a core per call, most of what a message costs.
"""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import orjson
from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    DummyCookieJar,
    FormData,
    TCPConnector,
)
from yarl import URL

from adapters.payloads import Unreadable, parse_json
from adapters.telegram.library import (
    BaseSession,
    Bot,
    InputFile,
    TelegramAPIError,
    TelegramAPIServer,
    TelegramMethod,
    TelegramNetworkError,
)
from adapters.wire import CONNECT_SECONDS, KEEP_SECONDS, Unanswered, Unreached, Wire

UPLOAD_SECONDS = 300.0
UNREADABLE = {"ok": False, "description": "an answer that is not JSON"}


class Refusal(TelegramAPIError):
    """The platform said no: its code and words, `retry_after` in seconds, the chat's new id."""

    def __init__(self, method: Any, code: int, answer: Mapping[str, Any]) -> None:
        super().__init__(method=method, message=str(answer.get("description") or ""))
        parameters = answer.get("parameters")
        self.code = int(answer.get("error_code") or code)
        self.parameters: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {}


class Unsent(TelegramNetworkError):
    """The call never left this machine: safe to repeat."""


class Unconfirmed(TelegramNetworkError):
    """The call was written and no answer came: it may have been carried out."""


class Bare(TelegramMethod[Any]):
    """Stands in errors for a call that has no model."""

    __returning__ = Any
    __api_method__ = ""


BARE = Bare()


def bare(method: Any, params: dict[str, Any]) -> TelegramMethod[Any]:
    """A method of aiogram that holds exactly `params`, JSON types already.

    What `model_construct` does, without walking 25 defaults (60 µs) or validating (30 µs) on every send: the official
    schema checks in tests what `render.py` makes.
    """
    call = method.__new__(method)
    object.__setattr__(call, "__dict__", params)
    object.__setattr__(call, "__pydantic_fields_set__", set(params))
    object.__setattr__(call, "__pydantic_extra__", None)
    object.__setattr__(call, "__pydantic_private__", None)
    return cast("TelegramMethod[Any]", call)


class LeanSession(BaseSession):
    """Posts JSON over a wire of kept connections; files go through aiohttp. Results come back as plain JSON values."""

    def __init__(self, api_url: str, timeout: float = 30.0) -> None:
        super().__init__(api=TelegramAPIServer.from_base(api_url), timeout=timeout)
        self._client: ClientSession | None = None
        self._wire: Wire | None = None
        self._paths: dict[tuple[str, str], str] = {}

    async def make_request(self, bot: Bot, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ASYNC109 - aiogram's signature
        """The `result` of the call. Raises Refusal, Unsent, Unconfirmed."""
        values = method.__dict__
        params = {name: values[name] for name in method.model_fields_set}
        return await self.call(bot.token, method.__api_method__, params, timeout, method)

    async def call(
        self, token: str, name: str, params: Mapping[str, Any], seconds: float | None = None, method: Any = None
    ) -> Any:
        """One call by its name. Raises Refusal, Unsent, Unconfirmed."""
        files = {key: value for key, value in params.items() if isinstance(value, InputFile)}
        if files:
            status, content = await self._upload(token, name, params, files, method or BARE)
        else:
            status, content = await self._post(token, name, params, seconds or self.timeout, method or BARE)
        answer = _answer(content)
        if answer.get("ok") is True:
            return answer.get("result")
        raise _refusal(method or BARE, status, answer)

    async def _post(
        self, token: str, name: str, params: Mapping[str, Any], seconds: float, about: TelegramMethod[Any]
    ) -> tuple[int, bytes]:
        if self._wire is None:
            self._wire = Wire(self.api.base)
        try:
            return await self._wire.post(self._path(token, name), orjson.dumps(params), seconds)
        except Unreached as error:
            raise Unsent(about, str(error)) from None
        except Unanswered as error:
            raise Unconfirmed(about, str(error)) from None

    async def _upload(
        self,
        token: str,
        name: str,
        params: Mapping[str, Any],
        files: Mapping[str, InputFile],
        about: TelegramMethod[Any],
    ) -> tuple[int, bytes]:
        url = URL(self.api.api_url(token=token, method=name), encoded=True)
        form = await self._form(params, files, token)
        try:
            async with self._http().post(
                url, data=form, timeout=_timeout(UPLOAD_SECONDS), allow_redirects=False
            ) as response:
                return response.status, await response.read()
        except (ClientConnectorError, ConnectionTimeoutError) as error:
            raise Unsent(about, type(error).__name__) from None
        except (ClientError, TimeoutError, OSError) as error:
            # No chaining: aiohttp's errors may hold the address of the call, and the token is in it.
            raise Unconfirmed(about, type(error).__name__) from None

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,  # noqa: ASYNC109
        chunk_size: int = 65536,
        raise_for_status: bool = True,
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file, in pieces. Raises Refusal, Unconfirmed."""
        try:
            async with self._http().get(
                URL(url, encoded=True), headers=headers, timeout=_timeout(timeout), allow_redirects=False
            ) as response:
                _check_file(response, raise_for_status)
                async for piece in response.content.iter_chunked(chunk_size):
                    yield piece
        except (ClientError, TimeoutError, OSError) as error:
            raise Unconfirmed(BARE, type(error).__name__) from None

    async def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _http(self) -> ClientSession:
        if self._client is None:
            connector = TCPConnector(keepalive_timeout=KEEP_SECONDS, ttl_dns_cache=300)
            self._client = ClientSession(connector=connector, cookie_jar=DummyCookieJar())
        return self._client

    def _path(self, token: str, name: str) -> str:
        path = self._paths.get((token, name))
        if path is None:
            url = URL(self.api.api_url(token=token, method=name), encoded=True)
            path = self._paths[token, name] = url.raw_path_qs
        return path

    async def _form(self, params: Mapping[str, Any], files: Mapping[str, InputFile], token: str) -> FormData:
        form = FormData(quote_fields=False)
        for key, value in params.items():
            if key not in files:
                form.add_field(key, value if isinstance(value, str) else orjson.dumps(value).decode())
        for key, file in files.items():
            content = b"".join([piece async for piece in file.read(_nobody())])
            form.add_field(key, io.BytesIO(content), filename=file.filename or key)
        return form


def _timeout(seconds: float) -> ClientTimeout:
    return ClientTimeout(total=seconds, connect=CONNECT_SECONDS)


def _nobody() -> Any:
    """Files of ours are bytes in memory and ask no bot for anything."""
    return None


def _check_file(response: ClientResponse, strict: bool) -> None:
    if strict and response.status >= 400:
        raise Refusal(BARE, response.status, {"description": f"the file server answered {response.status}"})


def _answer(content: bytes) -> Mapping[str, Any]:
    try:
        answer = parse_json(content)
    except Unreadable:
        return UNREADABLE
    return answer if isinstance(answer, dict) else UNREADABLE


def _refusal(method: Any, status: int, answer: Mapping[str, Any]) -> TelegramAPIError:
    if 200 <= status < 300 and answer is UNREADABLE:
        return Unconfirmed(method, "an answer that is not JSON")
    return Refusal(method, status, answer)
