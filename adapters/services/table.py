"""`kind: table`: one row of a CSV file by its exact key, read again when the file changes."""

from __future__ import annotations

import asyncio
import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import structlog

from adapters.services.settings import TakeRule, Untaken, parse_settings, render_param, take_info, take_names
from core.deployment import CallInfo
from core.ports import Outcome, Service, Store

MAX_BYTES = 64 << 20

log = structlog.get_logger("frontline")

Key = tuple[str, ...]
Row = dict[str, str]


class BadTable(ValueError):
    """The file cannot be used; the text says what to mend and in which line."""


class TableRules(msgspec.Struct, frozen=True):
    """Settings of the kind. `key` is parameter → column; a list when the names are the same. `call` names the one call."""

    file: str
    key: dict[str, str] | list[str]
    take: dict[str, TakeRule]
    call: str = ""

    @property
    def columns(self) -> dict[str, str]:
        """Parameter → column."""
        return self.key if isinstance(self.key, dict) else {name: name for name in self.key}

    @property
    def name(self) -> str:
        """The call's name: as given, else from the file, `orders.csv` → `get_order`."""
        return self.call or "get_" + Path(self.file).stem.removesuffix("s")


class Table:
    """A broken edit of the file keeps the rows read before; a file that never was good fails every call."""

    kind: ClassVar[str] = "table"

    def __init__(self, rules: TableRules) -> None:
        self._rules = rules
        self._rows: dict[Key, Row] | None = None
        self._seen: tuple[int, ...] = ()
        self.problem = ""
        self._reading = asyncio.Lock()

    @classmethod
    def build(cls, settings: Mapping[str, Any], store: Store) -> Service:
        """The service of these settings. Raises ValueError."""
        return cls(parse_settings(TableRules, settings))

    @classmethod
    def info(cls, settings: Mapping[str, Any]) -> dict[str, CallInfo]:
        """The one call as flows see it. Raises ValueError."""
        rules = parse_settings(TableRules, settings)
        return {rules.name: CallInfo(tuple(rules.columns), take_info(rules.take))}

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        """The row whose key columns equal the parameters."""
        if call != self._rules.name:
            return Outcome("failed", error=f"there is no call {call}")
        async with self._reading:
            await asyncio.to_thread(self._reload)
        if self._rows is None:
            return Outcome("failed", error=self.problem)
        row = self._rows.get(tuple(render_param(params.get(name)).strip() for name in self._rules.columns))
        if row is None:
            return Outcome("missing")
        try:
            return Outcome("ok", take_names(self._rules.take, row.get))
        except Untaken as error:
            return Outcome("failed", error=f"line {row['']}: {error}")

    async def close(self) -> None:
        """Nothing is held open."""

    def _reload(self) -> None:
        """Read the file when it is not the one read last."""
        try:
            seen = _stamp(self._rules.file)
            if seen == self._seen:
                return
            self._seen = seen
            self._rows, self.problem = read_table(self._rules), ""
        except (OSError, ValueError) as error:
            self.problem = _said(error, self._rules.file)
            log.warning("table_unreadable", file=Path(self._rules.file).name, error=self.problem)


def _stamp(file: str) -> tuple[int, ...]:
    stat = os.stat(file)
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _said(error: OSError | ValueError, file: str) -> str:
    name = Path(file).name
    return str(error) if isinstance(error, BadTable) else f"{name}: the file cannot be read ({type(error).__name__})"


def read_table(rules: TableRules) -> dict[Key, Row]:
    """All rows by their key; the column without a name holds the line number. Raises BadTable, OSError."""
    file = Path(rules.file)
    if file.stat().st_size > MAX_BYTES:
        raise BadTable(f"{file.name}: more than {MAX_BYTES >> 20} MB")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadTable(f"{file.name}: not UTF-8; save it as “CSV UTF-8”") from None
    try:
        return _index(rules, text, file.name)
    except csv.Error as error:
        raise BadTable(f"{file.name}: {error}") from None


def _index(rules: TableRules, text: str, name: str) -> dict[Key, Row]:
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
    columns = [column.strip() for column in next(reader, [])]
    _check_columns(rules, columns, name)
    rows: dict[Key, Row] = {}
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            raise BadTable(f"{name}, line {reader.line_num}: {len(cells)} cells, but {len(columns)} columns")
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True)) | {"": str(reader.line_num)}
        key = tuple(row[column] for column in rules.columns.values())
        if key in rows:
            raise BadTable(f"{name}, line {reader.line_num}: the same key as in line {rows[key]['']}")
        rows[key] = row
    return rows


def _check_columns(rules: TableRules, columns: list[str], name: str) -> None:
    doubled = {column for column in columns if columns.count(column) > 1}
    if doubled:
        raise BadTable(f"{name}, line 1: the column “{min(doubled)}” stands there twice")
    wanted = [*rules.columns.values(), *(rule.path or take for take, rule in rules.take.items())]
    absent = [column for column in wanted if column not in columns]
    if absent:
        raise BadTable(f"{name}, line 1: there is no column “{absent[0]}”; there are: {', '.join(columns)}")
