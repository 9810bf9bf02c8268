"""Limits: bursts pass, floods wait, an hour's files are counted, memory stays bounded."""

from __future__ import annotations

import pytest

from adapters.web import limits
from adapters.web.limits import Buckets, Quota, address_key


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_a_flood_waits() -> None:
    clock = Clock()
    buckets = Buckets((20, 10), clock)
    assert [buckets.take("a") for _ in range(20)] == [0.0] * 20
    assert buckets.take("a") == pytest.approx(0.5)
    assert buckets.take("b") == 0.0
    clock.now += 0.5
    assert buckets.take("a") == 0.0
    assert buckets.take("a") > 0


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("", ""),
    ],
)
def test_a_household_is_one(address: str, key: str) -> None:
    assert address_key(address) == key


def test_off_is_off() -> None:
    buckets = Buckets(None)
    assert not any(buckets.take("a") for _ in range(1000))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KEYS", 10)
    buckets, quota = Buckets((1, 1)), Quota(1, 10)
    for number in range(100):
        buckets.take(str(number))
        quota.add(str(number), 1)
    assert len(buckets._state) == 10
    assert len(quota._past) == 10


def test_a_quota_of_files_and_bytes() -> None:
    clock = Clock()
    quota = Quota(3, 100, clock)
    assert quota.left("a") == 100
    quota.add("a", 60)
    assert quota.left("a") == 40
    quota.add("a", 1)
    quota.add("a", 1)
    assert quota.left("a") == 0
    assert quota.left("b") == 100
    clock.now += 3601
    assert quota.left("a") == 100
