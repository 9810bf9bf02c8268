"""Values as admins write them in `config.yaml`: durations, rates, sizes, paths, names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from core.locale import n_
from storage.files.address import Bucket, parse_bucket

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)")
RATE = re.compile(r"(\d+)\s*/\s*(\d*)\s*(s|min|m|h|d)")
SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB)", re.IGNORECASE)
NAME = re.compile(r"[^\W\d][\w-]{0,31}")


class Rate(msgspec.Struct, frozen=True):
    """At most `count` in any `seconds`; bursts up to `count` are allowed."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g}s"


def _wrong(code: str, message: str, **values: Any) -> PydanticCustomError:
    # pydantic fills the places itself and would trip over ours: the reader's text is made later, from these values.
    return PydanticCustomError("said", "{said}", {"said": message, "code": code, **values})


def parse_duration(value: Any) -> float:
    """`500ms`, `5s`, `5m`, `8h`, `3d` as seconds; the bare number 0 is allowed. Raises a validation error."""
    if isinstance(value, float) or value == 0:
        return float(value)
    found = DURATION.fullmatch(str(value).strip())
    if found is None:
        raise _wrong("C113", n_("«{value}» is not a duration: write 30s, 5m, 8h or 3d"), value=str(value))
    return float(found[1]) * SECONDS[found[2]]


def parse_rate(value: Any) -> Rate | None:
    """`30/s`, `20/min`, `20/10s`; `off` is None: no limit. Raises a validation error."""
    if value is None or isinstance(value, Rate):
        return value
    if str(value).strip() == "off":
        return None
    found = RATE.fullmatch(str(value).strip())
    if found is None or not int(found[1]):
        raise _wrong("C113", n_("«{value}» is not a rate: write 30/s, 20/min, 20/10s or off"), value=str(value))
    return Rate(int(found[1]), float(found[2] or 1) * SECONDS[found[3]])


def parse_size(value: Any) -> int:
    """`512KB`, `20MB` as bytes. Raises a validation error."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = SIZE.fullmatch(str(value).strip())
    if found is None:
        raise _wrong("C113", n_("«{value}» is not a size: write 512KB or 20MB"), value=str(value))
    return int(found[1]) * BYTES[found[2].upper()]


def parse_path(value: Any, info: ValidationInfo) -> Path:
    """A path; a relative one counts from the folder of the config file."""
    root = Path((info.context or {}).get("root", "."))
    return root / Path(str(value))


def parse_storage_url(value: Any, info: ValidationInfo) -> str:
    """`sqlite:///relative.db` with its path counted from the folder of the config file; `postgresql://…`; `memory:`, or
    `memory://`."""
    url = str(value)
    if url in {"memory:", "memory://"}:
        return "memory:"
    if url.startswith(("postgresql://", "postgres://")):
        return _checked_postgres(url)
    scheme, separator, path = url.partition(":///")
    if not separator or scheme != "sqlite" or not path:
        raise _wrong(
            "C114",
            n_(
                "«{value}» is not a storage: write sqlite:///var/frontline.db or postgresql://user:password@host/database"
            ),
            value=without_password(url),
        )
    return f"sqlite:///{parse_path(path, info).absolute()}"


def parse_files_place(value: Any, info: ValidationInfo) -> Path | Bucket:
    """A folder, counted from that of the config file, or `s3://bucket/prefix?endpoint=…`. Raises a validation error."""
    if isinstance(value, Bucket):
        return value
    if "://" not in str(value):
        return parse_path(value, info)
    try:
        return parse_bucket(str(value))
    except ValueError as error:
        raise _wrong(
            "C119",
            n_("«{value}» is no place of files: {problem}"),
            value=without_password(str(value)),
            problem=str(error),
        ) from None


def _checked_postgres(url: str) -> str:
    from storage.postgres.address import parse_address

    try:
        parse_address(url)
    except ValueError as error:
        raise _wrong("C114", n_("the address of PostgreSQL: {problem}"), problem=str(error)) from None
    return url


def without_password(url: str) -> str:
    """What may be shown of an address: not the part before the `@`."""
    return url.rpartition("@")[2]


def check_timezone(value: str) -> str:
    """The name of a time zone of the tz database. Raises a validation error."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _wrong("C115", n_("there is no time zone «{value}»: write it like Europe/Moscow"), value=value) from None
    return value


def check_url(value: str) -> str:
    """An http(s) address without the last slash; empty stays empty. Raises a validation error."""
    if value and not re.match(r"https?://[^\s/]+", value):
        raise _wrong(
            "C116",
            n_("«{value}» is not an address: it must begin with https:// or http://"),
            value=without_password(value),
        )
    return value.rstrip("/")


def check_redis_url(value: str) -> str:
    """An address of Redis; empty stays empty. Raises a validation error, which shows no password."""
    if value and not _is_redis_url(value):
        raise _wrong(
            "C118",
            n_(
                "«{value}» is not an address of Redis: write redis://host:6379/0, or rediss:// for an encrypted connection"
            ),
            value=without_password(value),
        )
    return value


def _is_redis_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (it is only read when it is asked for)
    except ValueError:
        return False
    return (parts.scheme in {"redis", "rediss"} and bool(parts.hostname)) or (
        parts.scheme == "unix" and bool(parts.path)
    )


def check_name(value: str) -> str:
    """A name that may stand in addresses and flows: a letter, then letters, digits, `_`, `-`, at most 32."""
    if not NAME.fullmatch(value):
        raise _wrong(
            "C117", n_("«{value}» cannot be a name: a letter, then letters, digits, _ or -, at most 32"), value=value
        )
    return value


def check_web_name(value: str) -> str:
    """The name of a channel stands in web addresses: Latin letters only. Raises a validation error."""
    if not value.isascii():
        raise _wrong("C117", n_("«{value}» stands in a web address: use Latin letters"), value=value)
    return check_name(value)


Duration = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "format": "duration: 30s, 5m, 8h, 3d"})
]
Limit = Annotated[
    Rate | None,
    BeforeValidator(parse_rate),
    PlainSerializer(lambda rate: "off" if rate is None else str(rate)),
    WithJsonSchema({"type": "string", "format": "rate: 30/s, 20/min, 20/10s, off"}),
]
Size = Annotated[int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "format": "size: 512KB, 20MB"})]
FilePath = Annotated[Path, BeforeValidator(parse_path), WithJsonSchema({"type": "string", "format": "path"})]
OptionalPath = Annotated[
    Path | None,
    BeforeValidator(lambda value, info: parse_path(value, info) if value else None),
    WithJsonSchema({"type": "string", "format": "path"}),
]
FilesPlace = Annotated[
    Path | Bucket,
    BeforeValidator(parse_files_place),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "format": "path, or s3://bucket/prefix?endpoint=https://host&region=…&style=path"}
    ),
]
StorageUrl = Annotated[
    str,
    BeforeValidator(parse_storage_url),
    WithJsonSchema({"type": "string", "format": "sqlite:///file, postgresql://user:password@host:5432/database"}),
]
Zone = Annotated[str, AfterValidator(check_timezone)]
Url = Annotated[str, AfterValidator(check_url)]
RedisUrl = Annotated[str, AfterValidator(check_redis_url)]
Name = Annotated[str, AfterValidator(check_name)]
WebName = Annotated[str, AfterValidator(check_web_name)]
