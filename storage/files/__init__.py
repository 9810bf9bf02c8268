"""Where the bytes of files are kept: a folder, or a bucket of S3 and its like."""

from __future__ import annotations

from pathlib import Path

from storage.files.address import Bucket, parse_bucket
from storage.files.cache import Cache
from storage.files.kept import Kept
from storage.files.local import LocalFiles

__all__ = ["Bucket", "Kept", "open_files", "parse_bucket"]


def open_files(
    place: Path | Bucket,
    cache: Path,
    cache_size: int,
    public_url: str = "",
    *,
    key: str = "",
    secret: str = "",
    ca: Path | None = None,
) -> Kept:
    """The files at a place, not yet opened. `cache` is a folder of this machine for at most `cache_size` bytes of what can
    be had again, `public_url` where the world reaches this deployment, `key`, `secret` and `ca` the bucket's
    credentials and further certificates to trust."""
    bounded = Cache(cache, cache_size)
    if isinstance(place, Path):
        return LocalFiles(place, public_url, bounded)
    from storage.files.bucket import BucketFiles

    return BucketFiles(place, bounded, public_url, key=key, secret=secret, ca=ca)
