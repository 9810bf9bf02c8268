"""The engine: one event in, the next state and effects out. Pure and total."""

from __future__ import annotations

from bot.engine.turn import step

__all__ = ["step"]
