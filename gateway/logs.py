"""Structured logs of allow-listed fields: what happened to which conversation, never what a client said."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog

# Everything else is dropped: a log line cannot carry a text, a name, a phone or a token by mistake.
ALLOWED = frozenset(
    {
        "event",
        "level",
        "timestamp",
        "logger",
        "conversation",
        "channel",
        "kind",
        "row",
        "verdict",
        "reason_code",
        "attempts",
        "seconds",
        "count",
        "flow",
        "version",
        "line",
        "desk",
        "service",
        "call",
        "status",
        "signal",
        "address",
        "error",
        "error_type",
        "event_id",
        "after",
        "findings",
        "file",
        "place",
        "exc_info",
        "exception",
        "roles",
        "lease",
        "epoch",
        "ticket",
    }
)


def only_allowed(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops the fields that are not on the list."""
    return {name: value for name, value in fields.items() if name in ALLOWED}


def only_places(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Exceptions by their types and places: their texts often quote the data they failed on."""
    given = fields.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        fields["exception"] = "\n".join(_places(error))
    return fields


def _places(error: BaseException | None) -> Iterator[str]:
    """Of the error and of what led to it. Each once: errors may name each other as their causes, or themselves."""
    told: set[int] = set()
    while error is not None and id(error) not in told:
        told.add(id(error))
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"{frame.filename}:{frame.lineno} {frame.name}"
        yield type(error).__name__
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class Libraries(logging.Handler):
    """Warnings of libraries, the same way as ours: the words of their message, never the values in it."""

    def emit(self, record: logging.LogRecord) -> None:
        words = str(record.msg).partition("\n")[0]  # asyncio puts the failed task below the first line
        level = min(record.levelno // 10 * 10, logging.CRITICAL)  # libraries may have levels of their own between ours
        logger().log(level, words, logger=record.name, exc_info=record.exc_info)


def configure(level: str = "info", *, lines: bool | None = None) -> None:
    """JSON lines when piped, coloured lines in a terminal. Standard-library loggers go the same way, warnings and up."""
    human = sys.stderr.isatty() if lines is None else lines
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            only_places,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Libraries()], force=True)


def logger() -> Any:
    """The product's logger: `log.info("outbox_retry", row=7, after=2.0)`; the first word is the event in snake_case."""
    return structlog.get_logger("frontline")
