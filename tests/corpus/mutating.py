"""Damage: what chance, a broken proxy or a wicked sender makes of a payload. The same seed gives the same bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import orjson

# Fragments that JSON libraries do not write of themselves; they are put in as texts and replaced in the bytes.
FRAGMENTS = {
    "@NAN@": b"NaN",
    "@INFINITY@": b"-Infinity",
    "@HUGE@": b"1e999",
    "@DIGITS@": b"9" * 400,
    "@SURROGATE@": b'"a\\ud83d b"',
    "@PAIR@": b'"\\udc00\\ud83d"',
    "@DEEP@": b'{"a":[' * 400 + b"]}" * 400,
    "@LONG@": b'"' + b"w " * 20_000 + b'"',
}
# As bytes: a value that is put in may be damaged further, and must be new each time.
ODD = tuple(map(orjson.dumps, (
    None, True, False, 0, 1, -1, 7, 2**31, 2**53, 2**63 - 1, -(2**63), 1.5, -0.0, 1e308, "", " ", "0", "7", "-1", "x", "да",
    "\u0000", "a\u0000b", "\u202e", "\ufeff", "e\u0301" * 3, "😀", "../../etc/passwd", "https://a.example/x", "null", "{}",
    [], {}, [None], [[]], [{}], {"id": 7}, {"id": "7"}, {"a": {"b": []}}, [1, 2, 3], {"type": "private", "id": 7}, *FRAGMENTS,
)))  # fmt: skip
CODINGS = ("utf-16", "utf-16-le", "utf-32", "cp1251", "koi8-r", "utf-8-sig", "shift_jis")

MOST_LETTERS = 20_000

Place = tuple[Any, Any]  # an object or a list, and a name or a number in it


class Mutator:
    """Damages payloads of a corpus, seed by seed."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self._payloads = payloads

    def mutant(self, seed: int) -> bytes:
        """One damaged payload."""
        chance = random.Random(seed)
        value = orjson.loads(chance.choice(self._payloads))
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            places = _places(value)
            if places:
                chance.choice(DEEDS)(chance, *chance.choice(places), self._payloads)
        raw = _written(value)
        return chance.choice(BREAKS)(chance, raw) if chance.random() < 0.12 else raw


def _places(value: Any) -> list[Place]:
    """Every place inside a value, outer ones first."""
    found: list[Place] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        inner = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for key, child in inner:
            found.append((one, key))
            waiting.append(child)
    return found


def _written(value: Any) -> bytes:
    raw = orjson.dumps(value)
    if b"@" in raw:
        for name, fragment in FRAGMENTS.items():
            raw = raw.replace(b'"' + name.encode() + b'"', fragment)
    return raw


# --- deeds on the value --------------------------------------------------------------------------------------------------


def _replace(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    where[key] = orjson.loads(chance.choice(ODD))


def _drop(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    del where[key]


def _wrap(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    """The right value in a wrong type."""
    one = where[key]
    where[key] = chance.choice(([one], {"value": one}, str(one)[:MOST_LETTERS], _number(one)))


def _rename(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    if isinstance(where, dict):
        name = chance.choice((f"{key}_", str(key).upper(), "", "constructor", "__proto__", *where))
        where[name] = where.pop(key)


def _repeat(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    """A list with the same several times, or a text many times longer."""
    one = where[key]
    if isinstance(one, list):
        where[key] = orjson.loads(orjson.dumps(one * chance.choice((2, 3))))
    elif isinstance(one, str):
        where[key] = (one * chance.choice((2, 3, 60)))[:MOST_LETTERS]


def _swap(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    other = chance.choice(list(where)) if isinstance(where, dict) else chance.randrange(len(where))
    where[key], where[other] = where[other], where[key]


def _graft(chance: random.Random, where: Any, key: Any, payloads: Sequence[bytes]) -> None:
    """A part of another payload, under its own name where there are names."""
    places = _places(orjson.loads(chance.choice(payloads)))
    if not places:
        return
    source, name = chance.choice(places)
    where[name if isinstance(where, dict) and isinstance(name, str) else key] = source[name]


def _number(one: Any) -> Any:
    return int(one) if isinstance(one, str) and one.isdecimal() and len(one) < 19 else 3


DEEDS: tuple[Callable[[random.Random, Any, Any, Sequence[bytes]], None], ...] = (
    _replace, _replace, _replace, _drop, _drop, _wrap, _rename, _repeat, _swap, _graft, _graft,
)  # fmt: skip


# --- breaks of the bytes -------------------------------------------------------------------------------------------------


def _cut(chance: random.Random, raw: bytes) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _flip(chance: random.Random, raw: bytes) -> bytes:
    """A few bytes become others."""
    data = bytearray(raw or b"{}")
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _recode(chance: random.Random, raw: bytes) -> bytes:
    return raw.decode("utf-8", "replace").encode(chance.choice(CODINGS), "replace")


def _twice(chance: random.Random, raw: bytes) -> bytes:
    """Two payloads on one another's heels, or one in a list."""
    return chance.choice((raw + raw, b"[" + raw + b"]", raw + b"\n", b"\x00" + raw, b"  " + raw + b"\r\n"))


def _again(chance: random.Random, raw: bytes) -> bytes:
    """A name that stands twice in an object."""
    at = raw.find(b'":', chance.randrange(len(raw) + 1))
    if at < 0:
        return raw
    begin = raw.rfind(b'"', 0, at)
    return raw[:begin] + raw[begin:at] + b'":' + chance.choice((b"null", b"7", b'"x"', b"{}")) + b"," + raw[begin:]


BREAKS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_cut, _cut, _flip, _flip, _recode, _twice, _again)
