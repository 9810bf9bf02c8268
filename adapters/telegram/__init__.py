"""Telegram: parse (theirs → ours), render (ours → theirs), capabilities (data), session and channel (transport)."""

from adapters.telegram import diet

__all__ = ["diet"]
