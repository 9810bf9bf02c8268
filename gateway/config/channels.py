"""Settings of the channels, one class per kind. A new kind is a class here and a line in the union."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from gateway.config.settings import Settings
from gateway.config.values import Limit, Rate, Size, Url

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
    file_size: Size = 20 * 1024**2
    """The largest file a client may send."""


Channel = Annotated[TelegramSettings | VkSettings | WebSettings, Field(discriminator="kind")]
