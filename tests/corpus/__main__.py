"""Writes the snapshots anew: `python -m tests.corpus`. Read the difference before you commit it."""

from __future__ import annotations

from tests.corpus.reading import CHANNELS
from tests.corpus.snapshots import path_of, snapshot

if __name__ == "__main__":
    for channel in CHANNELS:
        path_of(channel).write_text(snapshot(channel), "utf-8")
