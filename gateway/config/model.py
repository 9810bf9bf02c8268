"""The whole of `config.yaml` as values: one deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from core.locale import LANGUAGES
from gateway.config.accounts import Accounts, Presence
from gateway.config.channels import EMPTY, Channel
from gateway.config.hooks import Webhook
from gateway.config.lines import Desk, LineSettings, Service
from gateway.config.live import Live
from gateway.config.settings import Settings
from gateway.config.values import (
    Duration,
    FilePath,
    FilesPlace,
    Limit,
    Name,
    OptionalPath,
    Rate,
    RedisUrl,
    Size,
    StorageUrl,
    Url,
    WebName,
    Zone,
)

assert LANGUAGES == ("ru", "en")  # the Literal below cannot be computed


class Http(Settings):
    """The one HTTP server: webhooks, web chat, health and metrics."""

    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` is every interface."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The port to listen on; `0` takes a free one."""
    public_url: Url = ""
    """The address under which the world reaches this server: webhooks are registered with it."""
    trusted_proxies: int = Field(default=0, ge=0, le=10)
    """How many reverse proxies of ours stand in front, each adding to `X-Forwarded-For`: the client's address is that
    many places from its right end. `0`: nobody's word is taken, the address is the connection's."""


class S3(Settings):
    """Keys of the bucket of files. Both empty: those of the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`), or
    of the machine's role."""

    key: SecretStr = EMPTY
    """The access key."""
    secret: SecretStr = EMPTY
    """The secret key."""
    ca: OptionalPath = None
    """A file of certificates (PEM) that are trusted besides the system's: a server of one's own often has such."""


class Storage(Settings):
    """Where everything is kept."""

    url: StorageUrl = "sqlite:///var/frontline.db"
    """The database. `sqlite:///` and a file: one process owns it, commands reach it by its control socket.
    `postgresql://user:password@host:5432/database`: any number of processes; `?connections=6` are those of one of them,
    `?pgbouncer=yes` (or `no`) says whether a pool stands between, where it is not recognised.
    `memory:` keeps everything in a temporary folder of the process, for trials: nothing outlives it."""
    files: FilesPlace = Path("var/files")
    """The folder of clients' files, by their checksum; or a bucket of S3 and its like: `s3://bucket/prefix` for Amazon,
    `s3://bucket/prefix?endpoint=https://storage.yandexcloud.net&region=ru-central1` for others. `style=host` puts the
    bucket's name before the endpoint's."""
    s3: S3 = S3()
    """The keys of the bucket."""
    file_size: Size = 50 * 1024**2
    """The largest file that is fetched from a messenger."""
    upload_size: Size = 20 * 1024**2
    """The largest file that operators may send."""
    cache: FilePath = Path("var/cache")
    """The folder of this machine for thumbnails and, with a bucket, for copies of its files. It may be lost."""
    cache_size: Size = 1024**3
    """How large that folder may grow; what was not used longest goes first."""


class Redis(Settings):
    """Hints between processes: wake-ups, live pages, shared counts. Never the truth: it may be lost at any moment."""

    url: RedisUrl = ""
    """`redis://host:6379/0`; `rediss://` is encrypted (`?ssl_ca_certs=file` names the authority), `unix://` a local socket.
    Empty: hints stay in the process, and several processes look into the database once a second."""
    prefix: Name = "frontline"
    """The beginning of all names on a server that others use, too."""


class Intake(Settings):
    """When messages are refused for a while: webhooks and the web chat answer 503, pollers pause. What is refused stays
    with its platform, or on the client's page, and comes again."""

    longest: int = Field(default=10_000, ge=0)
    """Events that may wait in the inbox; `0`: any number."""
    oldest: Duration = 300.0
    """How long the oldest of them may have waited; `0`: any time."""
    slow: Duration = Field(default=3.0, gt=0)
    """How long a write to the database, or one look at it, may take."""
    retry_after: Duration = Field(default=5.0, gt=0)
    """When the platform should come again: the header `Retry-After` of a 503."""


class Events(Settings):
    """Events of other systems: `POST /events/<name>` with the body `{id: …, client: …, data: {…}}`. The `id`, or without
    one the whole body, tells repeats."""

    secret: SecretStr = EMPTY
    """Every body must be signed with it: `X-Frontline-Signature: sha256=<HMAC-SHA256 of the body>`. Empty: the door is
    shut."""


class Metrics(Settings):
    """`GET /metrics` for Prometheus."""

    secret: SecretStr = EMPTY
    """When set, a reader must send it as `Authorization: Bearer …`. Empty: whoever reaches the port may read."""


class Config(Settings):
    """One deployment of frontline."""

    http: Http = Http()
    """The HTTP server."""
    storage: Storage = Field(default_factory=Storage)
    """Database and files."""
    redis: Redis = Redis()
    """Hints between processes."""
    flows: FilePath = Path("flows")
    """The folder of the flows."""
    publish: Literal["auto", "manual"] = "auto"
    """`auto`: every valid save of a flow goes live within a second; `manual`: `frontline publish` does it."""
    language: Literal["ru", "en"] = "ru"
    """The language of system answers, findings and commands. `--lang` replaces it for one command."""
    timezone: Zone = "Europe/Moscow"
    """The time zone of hours, dates and times."""
    flood: Limit = Rate(20, 10)
    """Messages of one client; more are recorded but not answered until the wave is over."""
    intake: Intake = Intake()
    """When messages are refused for a while."""
    events: Events = Events()
    """Events of other systems."""
    accounts: Accounts = Accounts()
    """People who sign in."""
    presence: Presence = Presence()
    """When people count as being there."""
    live: Live = Live()
    """What people at work hear of at once."""
    metrics: Metrics = Metrics()
    """Numbers for Prometheus."""
    channels: dict[WebName, Channel] = Field(default_factory=dict)
    """Accounts of messengers, by name."""
    lines: dict[Name, LineSettings] = Field(default_factory=dict)
    """Groups of people, by name."""
    desks: dict[Name, Desk] = Field(default_factory=dict)
    """Where tickets go, by name."""
    services: dict[Name, Service] = Field(default_factory=dict)
    """Remote calls that flows may name."""
    webhooks: dict[Name, Webhook] = Field(default_factory=dict)
    """Other systems that are told of sessions and tickets, by name."""
    root: FilePath = Field(default=Path(), exclude=True)
    """The folder of the config file; set by the loader, relative paths count from it."""
