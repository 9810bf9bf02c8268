"""Passwords by argon2id, in a few threads of their own: neither the loop nor the messages of clients wait for them."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from core.ports import Busy

T = TypeVar("T")

# OWASP Password Storage Cheat Sheet, argon2id: at least 19 MiB of memory, 2 iterations, 1 lane.
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
MEMORY_KIB, ITERATIONS, LANES = 19_456, 2, 1
THREADS = 2
WAITING = 64  # hashes that may wait, about two seconds of work; more are asked to come again
LONGEST = 1_000  # characters: a longer password is no safer, and costs time
GENERATED_BYTES = 15  # 120 random bits: 20 characters


class Passwords:
    """Hashes and checks. Raises `Busy` when too many wait."""

    def __init__(self, memory: int = MEMORY_KIB, iterations: int = ITERATIONS) -> None:
        self._hasher = PasswordHasher(time_cost=iterations, memory_cost=memory, parallelism=LANES)
        self._pool = ThreadPoolExecutor(THREADS, "frontline-password")
        self._under_way = 0
        self._nobody = ""  # a hash that no password fits, for names that do not exist

    async def hash(self, password: str) -> str:
        """The hash with its parameters and salt, as it is stored."""
        return await self._run(partial(self._hasher.hash, _normal(password)))

    async def check(self, stored: str, password: str) -> bool:
        """Whether the password fits. With an empty `stored` it takes as long, and the answer is no."""
        return await self._run(partial(self._check, stored, _normal(password)))

    def is_old(self, stored: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """What is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, stored: str, password: str) -> bool:
        if not stored and not self._nobody:
            self._nobody = self._hasher.hash(secrets.token_hex(16))
        try:
            return self._hasher.verify(stored or self._nobody, password) and bool(stored)
        except (Argon2Error, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= THREADS + WAITING:
            raise Busy("too many passwords are being checked")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._under_way -= 1


def _normal(password: str) -> str:
    """The same letters typed on another system are the same password (RFC 8265, section 4.2.2)."""
    return unicodedata.normalize("NFC", password)


def generate() -> str:
    """A new password that nobody chose."""
    return secrets.token_urlsafe(GENERATED_BYTES)
