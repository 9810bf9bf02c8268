"""The list of channel kinds: light to import, each kind can be built."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adapters import CHANNELS, build_channel


def test_importing_adapters_is_light() -> None:
    script = "import sys, adapters, adapters.telegram.capabilities; print('aiogram' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_channel_is_built_by_its_kind() -> None:
    channel = build_channel("telegram", "support", {"token": "42:word"})
    assert (channel.kind, channel.name, channel.account) == ("telegram", "support", "42")
    assert "telegram" in dict(CHANNELS)


def test_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="telegram"):
        build_channel("pigeon", "post", {})
