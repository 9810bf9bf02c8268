"""Files by content hash: the same bytes may come from many clients at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.files import save_bytes


def test_the_same_bytes_at_once(tmp_path: Path) -> None:
    for n in range(20):
        data = bytes([n]) * 300_000
        with ThreadPoolExecutor(8) as pool:
            names = set(pool.map(lambda _, data=data: save_bytes(tmp_path, data), range(8)))
        (name,) = names
        assert (tmp_path / name[:2] / name).read_bytes() == data
    assert list(tmp_path.rglob("*.part")) == []
