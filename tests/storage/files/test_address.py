"""Addresses of buckets: what is meant is read, what cannot work is said before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.files import open_files
from storage.files.address import Bucket, parse_bucket
from storage.files.bucket import BucketFiles
from storage.files.local import LocalFiles

GOOD = [
    ("s3://our-bucket", Bucket("our-bucket")),
    ("s3://our-bucket/", Bucket("our-bucket")),
    ("s3://our-bucket/a/b-c/", Bucket("our-bucket", "a/b-c")),
    ("s3://our-bucket/a?region=eu-west-1", Bucket("our-bucket", "a", region="eu-west-1")),
    ("s3://b.x?endpoint=http://minio:9000", Bucket("b.x", endpoint="http://minio:9000")),
    (
        "s3://our-bucket?endpoint=https://s3.example/&style=host",
        Bucket("our-bucket", "", "https://s3.example", style="host"),
    ),
]
BAD = [
    ("https://our-bucket", "begins with s3://"),
    ("s3://", "3 to 63"),
    ("s3://Our_Bucket", "3 to 63"),
    ("s3://our-bucket/a//b", "prefix"),
    ("s3://our-bucket/../b", "prefix"),
    ("s3://our-bucket/папка", "prefix"),
    ("s3://key:secret@our-bucket", "keys do not belong"),
    ("s3://our-bucket?endpoint=minio:9000", "endpoint"),
    ("s3://our-bucket?endpoint=http://minio/path", "endpoint"),
    ("s3://our-bucket?endpoint=http://user@minio", "endpoint"),
    ("s3://our-bucket?endpoint=http://minio:port", "endpoint"),
    ("s3://our-bucket?region=EU west", "region"),
    ("s3://our-bucket?style=virtual", "style"),
    ("s3://our-bucket?secret=canary", "unknown: secret"),
]


@pytest.mark.parametrize(("address", "bucket"), GOOD)
def test_what_is_meant_is_read(address: str, bucket: Bucket) -> None:
    assert parse_bucket(address) == bucket


@pytest.mark.parametrize(("address", "reason"), BAD)
def test_what_cannot_work_is_said(address: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_bucket(address)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("style", "endpoint"), [("path", "https://s3.example:9000"), ("host", "https://our-bucket.s3.example:9000")]
)
def test_where_the_name_of_the_bucket_stands(tmp_path: Path, style: str, endpoint: str) -> None:
    bucket = Bucket("our-bucket", endpoint="https://s3.example:9000", style=style)
    files = open_files(bucket, tmp_path, 1 << 20, key="k", secret="s")
    assert isinstance(files, BucketFiles)
    config = {str(name): value for name, value in files._store.config.items()}
    assert endpoint in config.values()


def test_a_folder_is_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_files(tmp_path, tmp_path / "cache", 1 << 20), LocalFiles)
