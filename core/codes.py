"""One-time codes: how they look, how they are read from what a client typed, how they travel in a deep link. Pure."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

# Without look-alikes: no 0 O, 1 I L. 31 signs, a prime: the check sign finds every wrong sign and every swap of two.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 10  # nine signs by chance, 44 bits, and the check sign
GROUP = 5
LINK = "go-"  # a deep link with a code: `go-` and the code, in the alphabet that every messenger takes
SECONDS = 600.0  # a code lives so long
_PLACES = {sign: place for place, sign in enumerate(ALPHABET)}
_LONGEST = 2 * LENGTH  # characters of a message that may be a code
# What a Russian keyboard types for the same look.
_LOOKS = str.maketrans("АВСЕНКМРТХУ", "ABCEHKMPTXY")
_BETWEEN = str.maketrans("", "", " -–—\u00a0")  # what people put between the groups


def make_code(choose: Callable[[str], str]) -> str:
    """A new code; `choose` picks one of the signs by chance. Never digits or letters alone: those look like answers."""
    while True:
        body = "".join(choose(ALPHABET) for _ in range(LENGTH - 1))
        code = body + _check_sign(body)
        if _is_mixed(code):
            return code


def read_code(text: str) -> str:
    """The code that a whole message is, in any case and grouping; empty when it is none."""
    if not LENGTH <= len(text) <= _LONGEST:
        return ""
    code = text.upper().translate(_LOOKS).translate(_BETWEEN)
    fits = len(code) == LENGTH and _PLACES.keys() >= set(code) and _is_mixed(code)
    return code if fits and code[-1] == _check_sign(code[:-1]) else ""


def read_link(link: str) -> str:
    """The code of a deep link; empty when it carries none."""
    return read_code(link[len(LINK) :]) if link.lower().startswith(LINK) else ""


def code_link(code: str) -> str:
    """The payload of a deep link that brings the code."""
    return LINK + code


def show_code(code: str) -> str:
    """The code as people read it: `7KMPX-Q2WTF`."""
    return "-".join(code[n : n + GROUP] for n in range(0, len(code), GROUP))


def digest_code(code: str) -> str:
    """What is kept of a code."""
    return sha256(code.encode()).hexdigest()


def _is_mixed(code: str) -> bool:
    return not code.isdigit() and not code.isalpha()


def _check_sign(body: str) -> str:
    return ALPHABET[sum((n + 1) * _PLACES[sign] for n, sign in enumerate(body)) % len(ALPHABET)]
