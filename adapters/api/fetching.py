"""Files by address: only from allowed hosts, not from private networks, no redirect elsewhere, up to a size."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable

from yarl import URL

from adapters.api.parse import host_of, is_allowed
from adapters.remote import Remote, Unanswered

FETCH_SECONDS = 60.0
UNKNOWN = "application/octet-stream"


async def fetch_file(address: str, limit: int, hosts: Iterable[str], allow_private: bool) -> tuple[bytes, str]:
    """The bytes and the mime type that the name tells.

    Raises ValueError with the reason when it will never work, ConnectionError when it may work later.
    """
    host = host_of(address)
    if not is_allowed(host, hosts):
        raise ValueError(f"files are not fetched from {host or 'such an address'}")
    remote = Remote(FETCH_SECONDS, limit, allow_private)
    try:
        reply = await remote.ask("GET", URL(address))
    except Unanswered as error:
        raise (ConnectionError if error.brief else ValueError)(str(error)) from None
    finally:
        await remote.close()
    if reply.status >= 500 or reply.status in {408, 425, 429}:
        raise ConnectionError(f"status {reply.status}")
    if not reply.ok:
        raise ValueError(f"status {reply.status}")
    return reply.body, mimetypes.guess_type(URL(address).path)[0] or UNKNOWN
