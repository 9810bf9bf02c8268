"""Whether a request with a cookie was made by a page of ours: another site's page must not act in a person's name."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from core.locale import n_
from gateway.api.problems import Problem

HEADER = "X-Frontline"  # a page of another origin may not send it without asking first, and nobody says yes to it


def require_own_site(request: web.Request, public_url: str) -> None:
    """Raises `Problem` unless browsers say that the request comes from our own origin.

    Three guards, as browsers differ in what they send (OWASP CSRF Prevention Cheat Sheet): `Sec-Fetch-Site`, `Origin`, and a
    header that only scripts of our origin can set.
    """
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Problem("foreign-site")
    origin = headers.get("Origin")
    if origin is not None and not is_own_origin(origin, request.host, public_url):
        raise Problem("foreign-site")
    if not headers.get(HEADER):
        raise Problem("foreign-site", n_("The header {name} is missing."), values={"name": HEADER})


def is_own_origin(origin: str, host: str, public_url: str) -> bool:
    """Whether a page of this origin is ours: the public address where one is set, else where the request went to.

    For open sockets, too: a browser sends its cookies with a socket of any page.
    """
    try:
        said = urlsplit(origin)
        if public_url:
            ours = urlsplit(public_url)
            return (said.scheme, said.netloc) == (ours.scheme, ours.netloc)
    except ValueError:
        return False
    return said.scheme in {"http", "https"} and said.netloc == host
