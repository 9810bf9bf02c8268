"""Where a bucket is: `s3://bucket/prefix?endpoint=https://…&region=…&style=path`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*")
REGION = re.compile(r"[a-z0-9-]{1,64}")
STYLES = ("path", "host")
PARAMETERS = ("endpoint", "region", "style")


@dataclass(frozen=True)
class Bucket:
    """A bucket of Amazon S3, or of what speaks like it at `endpoint` (an address without a path; empty: Amazon).

    `style` says where the bucket's name stands: in the `path`, which every server understands, or before the `host`.
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    style: str = "path"

    def __str__(self) -> str:
        """How people are told of it; no secret is a part of it."""
        at = f" ({self.endpoint})" if self.endpoint else ""
        return f"s3://{self.name}{'/' if self.prefix else ''}{self.prefix}{at}"


def parse_bucket(address: str) -> Bucket:
    """The bucket of an address. Raises ValueError with the reason."""
    parts = urlsplit(address)
    if parts.scheme != "s3":
        raise ValueError("it begins with s3://")
    if "@" in parts.netloc:
        raise ValueError("keys do not belong into the address: give them as storage.s3.key and storage.s3.secret")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(given) - set(PARAMETERS):
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(PARAMETERS)}")
    prefix = parts.path.strip("/")
    found = Bucket(parts.netloc, prefix, given.pop("endpoint", "").rstrip("/"), **given)
    _check(found)
    return found


def _check(bucket: Bucket) -> None:
    if not BUCKET.fullmatch(bucket.name):
        raise ValueError("the bucket's name is 3 to 63 small letters, digits, dots and hyphens")
    if bucket.prefix and not PREFIX.fullmatch(bucket.prefix):
        raise ValueError("the prefix is names of Latin letters, digits, dots, hyphens and underscores between slashes")
    if bucket.endpoint and not _is_origin(bucket.endpoint):
        raise ValueError("the endpoint is https://host or http://host:port")
    if not REGION.fullmatch(bucket.region):
        raise ValueError("the region is small letters, digits and hyphens")
    if bucket.style not in STYLES:
        raise ValueError("the style is path or host")


def _is_origin(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        parts.port  # noqa: B018  (it is only read when it is asked for)
    except ValueError:
        return False
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and plain
