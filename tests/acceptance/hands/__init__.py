"""Hands: a person in each messenger, so that one test can talk over all. A new channel is a file here and a line in `ALL`."""

from __future__ import annotations

from tests.acceptance.hands import api, max, telegram, vk, web
from tests.acceptance.hands.hand import Hand, Stage, Way

ALL: tuple[Way, ...] = (*telegram.WAYS, *vk.WAYS, *max.WAYS, *web.WAYS, *api.WAYS)

__all__ = ["ALL", "Hand", "Stage", "Way"]
