"""Settings of the channels, one class per kind. A new kind is a class here and a line in the union."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from gateway.config.settings import Settings
from gateway.config.values import Duration, Limit, OptionalPath, Rate, Size, Url

EMPTY = SecretStr("")


class Limits(Settings):
    """What the messenger allows to send. An answer 429 is obeyed whatever stands here."""

    total: Limit = Rate(30, 1)
    """All messages of the account."""
    chat: Limit = Rate(1, 1)
    """Messages into one private chat; bursts are allowed."""
    group: Limit = Rate(20, 60)
    """Messages into one group."""


class ChannelSettings(Settings):
    """What all channels have."""

    secret_modes: ClassVar[tuple[str, ...]] = ()
    line: str
    """The line of people behind this channel: a name from `lines`. It needs hours, and people or a `closed` rule."""
    weight: float = Field(default=1.0, gt=0, le=100)
    """What a session of this channel counts in the limits of people and lines: slow letters less than quick chats."""

    @property
    def on(self) -> bool:
        """Whether the channel can start: it has all that its messenger gives out."""
        return True


class TelegramSettings(ChannelSettings):
    """A Telegram bot."""

    secret_modes: ClassVar[tuple[str, ...]] = ("webhook",)
    kind: Literal["telegram"]
    """The kind of the channel."""
    token: SecretStr = EMPTY
    """The token of @BotFather. Empty: the channel is skipped, with one line in the log."""
    mode: Literal["polling", "webhook"] = "polling"
    """`polling` asks Telegram for messages and works behind any firewall; `webhook` lets Telegram call
    `public_url` + `/hooks/<channel>`."""
    secret: SecretStr = EMPTY
    """Webhook: the word that Telegram repeats with every call (A-Z a-z 0-9 _ -, at most 256). A call without it is
    refused with 403 and stores nothing."""
    api_url: Url = "https://api.telegram.org"
    """Where the Bot API answers, files too: a local Bot API server or an emulator may stand in."""
    limits: Literal["off"] | Limits = Limits()
    """The platform's limits on sending, each by itself, or `off` for none at all."""
    max_connections: int = Field(default=40, ge=1, le=100)
    """Webhook: how many calls Telegram makes at once."""
    at_once: int = Field(default=30, ge=1, le=1000)
    """Messages under way at the same time. Telegram has no key against repeats: so many may come twice when the process is
    killed, at most one in each chat. With `1` it is one in all, at the price of one message per round trip."""

    @property
    def on(self) -> bool:
        return bool(self.token.get_secret_value())


class VkSettings(ChannelSettings):
    """A VK community."""

    secret_modes: ClassVar[tuple[str, ...]] = ("callback", "both")
    kind: Literal["vk"]
    """The kind of the channel."""
    token: SecretStr = EMPTY
    """A key of the community with the rights for messages, photos, files and management. Empty: the channel is skipped,
    with one line in the log."""
    group_id: int = Field(default=0, ge=0)
    """The number of the community. Deliveries for any other are refused."""
    mode: Literal["longpoll", "callback", "both"] = "longpoll"
    """`longpoll` asks VK for events and works behind any firewall; `callback` lets VK call `public_url` + `/hooks/<channel>`;
    `both` at once: what comes twice is taken once."""
    secret: SecretStr = EMPTY
    """Callback: the word that VK repeats in every delivery. One without it is refused with 403 and stores nothing."""
    confirmation: str = ""
    """Callback: the string that VK wants to read from our address once. Empty: VK is asked for it, when the key has the
    right of management."""
    api_url: Url = "https://api.vk.ru"
    """Where the API answers: an emulator may stand in."""
    limits: Limit = Rate(20, 1)
    """Requests of the whole community, or `off`; with many messages waiting, one request carries up to 25. What an error of
    VK forbids is obeyed whatever stands here."""
    threads: int = Field(default=4, ge=1, le=32)
    """Requests under way at the same time."""

    @property
    def on(self) -> bool:
        return bool(self.token.get_secret_value())


class MaxLimits(Settings):
    """What MAX allows. An answer 429 is obeyed whatever stands here."""

    total: Limit = Rate(30, 1)
    """All calls of the bot."""
    chat: Limit = Rate(2, 1)
    """Messages into one dialog."""


class MaxSettings(ChannelSettings):
    """A MAX bot."""

    secret_modes: ClassVar[tuple[str, ...]] = ("webhook",)
    kind: Literal["max"]
    """The kind of the channel."""
    token: SecretStr = EMPTY
    """The token of the bot (business.max.ru → Чат-боты → Расширенные настройки). Empty: the channel is skipped, with one line
    in the log. Another bot is another channel: give it a name of its own."""
    mode: Literal["webhook", "polling"] = "webhook"
    """`webhook` lets MAX call `public_url` + `/hooks/<channel>`, which must be HTTPS with a trusted certificate; `polling` asks
    MAX for updates and works behind any firewall: MAX means it for development, and limits it."""
    secret: SecretStr = EMPTY
    """Webhook: the word that MAX repeats with every call (A-Z a-z 0-9 _ -, 5 to 256). A call without it is refused with 403
    and stores nothing."""
    api_url: Url = "https://platform-api2.max.ru"
    """Where the Bot API answers: MAX has moved twice, and an emulator may stand in."""
    ca: OptionalPath = None
    """A file of certificates (PEM) that are trusted besides the system's. MAX has its own from the Russian Ministry of Digital
    Development (`russian_trusted_root_ca.pem` of gosuslugi.ru/crt). Empty: the system's alone."""
    timeout: Duration = 30.0
    """How long an answer of the API is waited for."""
    limits: Literal["off"] | MaxLimits = MaxLimits()
    """The platform's limits on calls, each by itself, or `off` for none at all."""
    at_once: int = Field(default=30, ge=1, le=1000)
    """Messages under way at the same time. MAX has no key against repeats: so many may come twice when the process is killed,
    at most one in each dialog. With `1` it is one in all, at the price of one message per round trip."""

    @property
    def on(self) -> bool:
        return bool(self.token.get_secret_value())


class WebSettings(ChannelSettings):
    """A chat on a web page: `/chat/<channel>`, and a widget of one line for any site of `origins`:
    `<script src="https://…/widget.js" data-channel="<channel>" async></script>`."""

    kind: Literal["web"]
    """The kind of the channel."""
    title: str = ""
    """What stands above the chat. Empty: the bot's name."""
    greeting: str = ""
    """A first line that the chat shows by itself, before any message. Empty: none."""
    origins: tuple[str, ...] = ()
    """Sites that may embed the chat, besides our own: `https://shop.example`; `"*"` is any site."""
    color: str = Field(default="", pattern=r"^(#[0-9a-fA-F]{6})?$")
    """The colour of the chat, `#rrggbb`. Empty: the shipped one."""
    theme: Literal["auto", "light", "dark"] = "auto"
    """How the chat looks until a visitor chooses: `auto` is as the visitor's system is."""
    page_language: Literal["", "ru", "en"] = ""
    """The language of the page. Empty: the visitor's browser says, and else `language`. The page around a widget goes first."""
    file_size: Size = 20 * 1024**2
    """The largest file a client may send."""


class ApiCapabilities(Settings):
    """What the messenger behind the webhooks can show: its integrator says it. What it cannot is sent as text, or not at all."""

    text_limit: int = Field(default=4096, ge=64, le=100_000)
    """Characters (Unicode code points) of one message; a longer text is parted between words."""
    formatting: tuple[Literal["bold", "italic", "code", "link"], ...] = ("bold", "italic", "code", "link")
    """Marks that are shown; others stay plain text, a link stands in brackets."""
    buttons: Literal["inline", "none"] = "inline"
    """Whether there are buttons; without them they are numbered lines."""
    buttons_per_row: int = Field(default=8, ge=1, le=50)
    """Buttons in a row; more begin the next one."""
    button_rows: int = Field(default=20, ge=1, le=200)
    """Rows under one message; more stand under a message of their own."""
    button_label: int = Field(default=64, ge=8, le=500)
    """Characters of a label; a longer one ends in “…”."""
    contact_button: bool = False
    """A button may ask for the client's own, verified phone."""
    location_button: bool = False
    """A button may ask for the client's place."""
    files: bool = True
    """Files go along with a message; else their links stand in the text."""
    file_bytes: Size = 50 * 1024**2
    """The largest file; a larger one is a link in the text."""
    edit: bool = True
    """Messages can be changed; else a changed one is sent anew."""
    delete: bool = True
    """Messages can be taken away."""
    typing: bool = True
    """“typing…” is shown."""
    quotes: bool = True
    """A message can point at the one it answers; else that one is quoted in the text."""
    menu: bool = False
    """There is a menu of the bot's commands."""


class ApiSettings(ChannelSettings):
    """Any messenger, by signed webhooks both ways: its integrator calls `public_url` + `/hooks/<channel>`, we call `url`.
    The protocol: [api-channel](api-channel.md)."""

    kind: Literal["api"]
    """The kind of the channel."""
    secret: SecretStr = EMPTY
    """What both sides sign with: `whsec_` and 24 to 64 random bytes in base64. Empty: the channel is skipped, with one line
    in the log."""
    previous_secret: SecretStr = EMPTY
    """The secret before this one, while it is being changed: theirs may still fit it, ours are signed with both."""
    url: Url = ""
    """Where the messenger takes our calls."""
    limits: Limit = Rate(30, 1)
    """Calls to it, or `off`. An answer 429 is obeyed whatever stands here."""
    capabilities: ApiCapabilities = ApiCapabilities()
    """What the messenger can show."""
    file_hosts: tuple[str, ...] = ()
    """Hosts from which files are fetched, besides that of `url`: `files.example`, `files.example:8443`, `*.example`; `"*"`
    is any host."""
    file_private: bool = False
    """Files may be fetched from private networks, too."""
    file_size: Size = 20 * 1024**2
    """The largest file that may be uploaded to us."""

    @property
    def on(self) -> bool:
        return bool(self.secret.get_secret_value())

    @property
    def button_label(self) -> int:
        """Characters of a label: flows are checked against it."""
        return self.capabilities.button_label


Channel = Annotated[
    TelegramSettings | VkSettings | MaxSettings | WebSettings | ApiSettings, Field(discriminator="kind")
]
