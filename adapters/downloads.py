"""Files at addresses that a platform names: fetched and posted up to a size, never on a private address."""

from __future__ import annotations

import errno
import io
import ssl

import aiohttp
from yarl import URL

from adapters.remote import guarded_socket
from adapters.wire import CONNECT_SECONDS

ANSWER_BYTES = 1 << 20
PIECE = 64 * 1024
HOPS = 3  # redirects that a download follows


class Outside:
    """Connections to servers of files. With `local` (an emulator stands in) they may be on this machine. `seconds` bound a
    whole transfer."""

    def __init__(self, local: bool, seconds: float, trust: ssl.SSLContext | None = None) -> None:
        self._local, self._seconds, self._trust = local, seconds, trust
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, limit: int) -> tuple[bytes, str]:
        """The bytes at an address and their mime type. Raises ValueError with the reason when it will never work,
        ConnectionError when it may work later."""
        if not (url.startswith("https://") or self._local):
            raise ValueError("not an address of the platform")
        try:
            async with self._http().get(URL(url, encoded=True), max_redirects=HOPS) as response:
                if response.status in {403, 404, 410}:
                    raise ValueError(f"the platform does not give the file out: {response.status}")
                if response.status != 200:
                    raise ConnectionError(f"HTTP {response.status}")
                return await read_up_to(response, limit), response.content_type
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.EACCES:
                raise ValueError("the address is private") from None
            raise ConnectionError("no connection") from None
        except aiohttp.InvalidURL:
            raise ValueError("not an address") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ConnectionError(type(error).__name__) from None

    async def post(self, url: str, field: str, name: str, data: bytes) -> tuple[int, bytes]:
        """Posts a file as a form: status and body. Raises ConnectionError; a platform shows nothing of a file by itself, so
        it is safe to repeat."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field(field, io.BytesIO(data), filename=name)
        try:
            async with self._http().post(URL(url, encoded=True), data=form, allow_redirects=False) as response:
                return response.status, await read_up_to(response, ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ConnectionError(f"upload: {type(error).__name__}") from None

    async def close(self) -> None:
        """Closes the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            factory = None if self._local else guarded_socket
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=factory, ssl=self._trust or True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._seconds, connect=CONNECT_SECONDS),
            )
        return self._session


async def read_up_to(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body. Raises ValueError when it is larger."""
    data = bytearray()
    async for piece in response.content.iter_chunked(PIECE):
        data += piece
        if len(data) > limit:
            raise ValueError(f"the file is larger than {limit} bytes")
    return bytes(data)
