"""The cookie of a session: it opens nothing elsewhere, and no script can read it."""

from __future__ import annotations

from aiohttp import web


class Cookies:
    """With https the name begins with `__Host-`: no other host, not even a subdomain, can set it (RFC 6265bis, 4.1.3.2)."""

    def __init__(self, public_url: str) -> None:
        self._secure = public_url.startswith("https://")
        self.name = "__Host-frontline" if self._secure else "frontline"

    def read(self, request: web.Request) -> str:
        """The secret of the session, empty without one."""
        return request.cookies.get(self.name, "")

    def set(self, answer: web.Response, secret: str, seconds: float) -> None:
        answer.set_cookie(
            self.name, secret, max_age=int(seconds), path="/", secure=self._secure, httponly=True, samesite="Strict"
        )

    def drop(self, answer: web.Response) -> None:
        answer.del_cookie(self.name, path="/", secure=self._secure, httponly=True, samesite="Strict")
