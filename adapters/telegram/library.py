"""What we take of aiogram, imported without the schemas of its models: 25 MB instead of 135, and a quarter of the time.

aiogram makes a pydantic schema for each of its 600 types and methods while it is imported. Nothing here uses one: updates
are read as raw JSON (`parse.py`), calls are plain JSON that tests check against the official schema (`session.bare`).
A model that is to validate must be completed first: `Model.model_rebuild(_types_namespace=vars(aiogram.types))`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel


@contextmanager
def without_schemas() -> Iterator[None]:
    """While it lasts, models are left as incomplete as their forward references make them."""
    whole = BaseModel.__dict__["model_rebuild"]
    BaseModel.model_rebuild = classmethod(_leave)  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        BaseModel.model_rebuild = whole  # type: ignore[method-assign]


def _leave(cls: type[BaseModel], /, **_: Any) -> None:
    """In place of `model_rebuild`: the model stays as it is."""


with without_schemas():
    from aiogram import Bot, methods
    from aiogram.client.session.base import BaseSession
    from aiogram.client.telegram import TelegramAPIServer
    from aiogram.exceptions import TelegramAPIError, TelegramNetworkError
    from aiogram.methods import TelegramMethod
    from aiogram.types import BufferedInputFile, InputFile
    from aiogram.utils.token import TokenValidationError

__all__ = [
    "BaseSession",
    "Bot",
    "BufferedInputFile",
    "InputFile",
    "TelegramAPIError",
    "TelegramAPIServer",
    "TelegramMethod",
    "TelegramNetworkError",
    "TokenValidationError",
    "methods",
    "without_schemas",
]
