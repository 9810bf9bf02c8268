"""The page, the widget and their static files, each with the headers that keep scripts of others out."""

from __future__ import annotations

import hashlib
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

import msgspec
from aiohttp import web

from adapters.web.settings import Settings
from adapters.web.words import choose_language, widget_words, words

TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Cache-Control": "no-cache",  # asked each time, answered by 304: an upgrade shows at once
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=()",
}


class Static(msgspec.Struct, frozen=True):
    """A file of ours in memory."""

    body: bytes
    mime: str
    tag: str


@cache
def load_static(name: str) -> Static | None:
    """A shipped file by its name; None when there is none that may be served."""
    mime = TYPES.get(name[name.rfind(".") :])
    if mime is None or "/" in name or "\\" in name:
        return None
    source = files("adapters.web") / "static" / name
    if not source.is_file():
        return None
    body = source.read_bytes()
    if name == "widget.js":
        body = body.replace(b'"%TEXTS%"', msgspec.json.encode(widget_words()))
    return Static(body, mime, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


async def static_file(request: web.Request) -> web.StreamResponse:
    """A script or a style of the page."""
    return _answer(request, request.match_info["file"], {"Cross-Origin-Resource-Policy": "same-origin"})


async def widget(request: web.Request) -> web.StreamResponse:
    """The script of the one-line embed: the only file that foreign pages load."""
    return _answer(request, "widget.js", {"Cross-Origin-Resource-Policy": "cross-origin"})


def _answer(request: web.Request, name: str, more: dict[str, str]) -> web.Response:
    file = load_static(name)
    if file is None:
        return web.Response(status=404, headers=HEADERS)
    headers = HEADERS | {"ETag": file.tag} | more
    if request.headers.get("If-None-Match") == file.tag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.body, content_type=file.mime, charset="utf-8", headers=headers)


class Pages:
    """The page of one channel."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._name, self._settings = name, settings
        self._headers = HEADERS | {
            "Content-Security-Policy": POLICY.format(ancestors=render_ancestors(settings.origins))
        }

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The chat page in the visitor's language."""
        accepted = request.headers.get("Accept-Language", "")
        asked = request.query.get("language") or self._settings.page_language
        language = choose_language(asked, accepted, self._settings.language)
        theme = choose_theme(request.query.get("theme", ""), self._settings.theme)
        body = render_page(self._name, self._settings, language, theme)
        headers = self._headers | {"Vary": "Accept-Language"}
        return web.Response(text=body, content_type="text/html", charset="utf-8", headers=headers)


def render_ancestors(origins: tuple[str, ...]) -> str:
    """Who may show the chat in a frame: ourselves and the listed sites."""
    if "*" in origins:
        return "*"
    return " ".join(["'self'", *(origin for origin in origins if not set(origin) & set(" ;,'\""))])


def choose_theme(asked: str, default: str) -> str:
    """What the address asks for (an embedding site's `data-theme`), else what the channel says: auto, light or dark."""
    return asked if asked in ("auto", "light", "dark") else default


def render_page(name: str, settings: Settings, language: str, theme: str = "auto") -> str:
    """The HTML. Every value is escaped: titles and greetings are texts of people."""
    template = (files("adapters.web") / "static" / "page.html").read_text(encoding="utf-8")
    spoken = words(language)
    values = spoken | {
        "language": language,
        "name": name,
        "title": settings.title or name,
        "greeting": settings.greeting,
        "color": settings.color,
        "theme": theme,
        "file_size": str(settings.file_size),
        "words": msgspec.json.encode(spoken).decode(),
    }
    return Template(template).substitute({key: escape(value) for key, value in values.items()})
