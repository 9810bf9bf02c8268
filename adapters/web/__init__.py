"""The web chat: a page, an embeddable widget, and the server behind them."""

from __future__ import annotations

from adapters.web.channel import Web

__all__ = ["Web"]
