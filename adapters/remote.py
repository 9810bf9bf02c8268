"""Calls to other systems, walled in: no private addresses, no foreign redirects, answers up to a size, in time."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
import orjson
from aiohttp.abc import AbstractResolver
from yarl import URL

CHUNK = 64 * 1024
HOPS = 3  # redirects on the same host that a GET follows
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
REDIRECTS = (301, 302, 303, 307, 308)

AddrInfo = tuple[Any, ...]  # family, type, proto, canonical name, socket address


class Unanswered(Exception):
    """No usable answer. The text is ours alone: no address, no secret, no word of the other side. `brief` errors may pass."""

    def __init__(self, reason: str, brief: bool = True) -> None:
        super().__init__(reason)
        self.brief = brief


class Reply(msgspec.Struct, frozen=True):
    """What came back. `after` is their `Retry-After` in seconds, 0 when they said nothing."""

    status: int
    body: bytes
    after: float = 0.0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON, None when it is empty. Raises `Unanswered`."""
        if not self.body.strip():
            return None
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Unanswered("the answer is not JSON", brief=False) from None


class Remote:
    """A client of one host. `timeout` in seconds for a whole call, `max_bytes` for an answer.

    `resolver` stands in for the system's in tests of the wall.
    """

    def __init__(
        self,
        timeout: float = 5.0,
        max_bytes: int = 1 << 20,
        allow_private: bool = False,
        headers: Mapping[str, str] | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._timeout, self._max_bytes, self._allow_private = timeout, max_bytes, allow_private
        self._headers = dict(headers or {})
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, method: str, url: URL, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One call. Raises `Unanswered`."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(method, url, body, headers or {})
        except TimeoutError:
            raise Unanswered("no answer in time") from None
        except aiohttp.ClientConnectorError as error:
            if error.os_error.errno == errno.EACCES:
                raise Unanswered("the address is private", brief=False) from None
            raise Unanswered("no connection") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unanswered(f"the connection broke ({type(error).__name__})") from None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            factory = None if self._allow_private else guarded_socket
            connector = aiohttp.TCPConnector(resolver=self._resolver, socket_factory=factory, limit=32)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=self._headers
            )
        return self._session

    async def _follow(self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        for _ in range(HOPS + 1):
            answer = await self._once(method, url, body, headers)
            if isinstance(answer, Reply):
                return answer
            target = url.join(answer)
            if method != "GET" or target.origin() != url.origin():
                raise Unanswered("a redirect to somewhere else", brief=False)
            url = target
        raise Unanswered("too many redirects", brief=False)

    async def _once(self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str]) -> Reply | URL:
        async with self._open().request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            if response.status in REDIRECTS and "Location" in response.headers:
                return URL(response.headers["Location"])
            data = await self._read(response)
            return Reply(response.status, data, parse_retry_after(response.headers.get("Retry-After", "")))

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body, unpacked, chunk by chunk: a small packed answer may be a large one."""
        data = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            data += chunk
            if len(data) > self._max_bytes:
                raise Unanswered("the answer is too large", brief=False)
        return bytes(data)


def parse_retry_after(text: str) -> float:
    """Seconds, at most an hour: a number of them, or a date; 0 for what has passed, and for nonsense."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(min(int(text), 3600))
    try:
        left = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return 0.0
    return min(max(left, 0.0), 3600.0)


def guarded_socket(info: AddrInfo) -> socket.socket:
    """A socket for an address we may connect to; it sees the very address of the connection, whatever a name said before."""
    family, kind, proto, _, address = info
    if not is_public(str(address[0])):
        raise PermissionError(errno.EACCES, "private address")
    return socket.socket(family=family, type=kind, proto=proto)


def is_public(address: str) -> bool:
    """Whether an IP address lies in the open internet; addresses wrapped in IPv6 count as what they wrap."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or _nat64(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _nat64(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None


def find_path(value: Any, path: str) -> Any:
    """The value at `order.items.0.title` in a JSON value, None when there is none."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
