"""The second factor: codes of an authenticator app (RFC 6238), each used once, and recovery codes for a lost phone."""

from __future__ import annotations

import secrets
from hmac import compare_digest

import pyotp

STEP = 30  # seconds that a code is shown
DRIFT = (0, -1, 1)  # steps that a phone's clock may be wrong by (RFC 6238, section 5.2)
RECOVERY_CODES = 10
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # without what looks alike
LENGTH = 10  # letters: 49 random bits


def new_totp() -> str:
    """A shared secret of 160 bits, in base32."""
    return pyotp.random_base32()


def totp_link(secret: str, name: str, issuer: str) -> str:
    """The address that an authenticator app reads from a picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def match_step(secret: str, code: str, now: float) -> int:
    """The step whose code it is, 0 for none. Every candidate is compared, so the time taken says nothing."""
    typed = "".join(code.split()).encode("utf-8", "replace")
    maker, current, found = pyotp.TOTP(secret), int(now // STEP), 0
    for drift in DRIFT:
        if compare_digest(maker.generate_otp(max(current + drift, 0)).encode(), typed):
            found = current + drift
    return found


def new_recovery_codes() -> list[str]:
    """Codes to be written down, each good for one sign-in: `ABCDE-FGHJK`."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def _recovery_code() -> str:
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


def plain_recovery(code: str) -> str:
    """As it is compared: whoever reads it from paper may write it in small letters and without the hyphen."""
    return "".join(letter for letter in code.upper() if letter in ALPHABET)
