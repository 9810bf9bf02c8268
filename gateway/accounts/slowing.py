"""How guesses are slowed: by account, by address, by both; never for ever, and never for a known address of the owner."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address, ip_network

from core.accounts import Slowing

# A network guesses at many accounts, many networks at one account, one network at one account.
NETWORK = Slowing(free=30, longest=900.0)
ACCOUNT = Slowing(free=10, longest=60.0)
PAIR = Slowing(free=5, longest=900.0)
BITS = {4: 24, 6: 64}  # of an address that are kept: a network of neighbours, of one home or office


@lru_cache(1024)
def network_of(address: str) -> str:
    """The network of an address; empty for none."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((known, BITS[known.version]), strict=False))


def scopes_of(name: str, network: str, known: bool) -> tuple[dict[str, Slowing], dict[str, Slowing]]:
    """What an attempt counts for: what a right one makes begin anew, and what it only does not count for.

    From a network where the account is signed in now, the guesses of others do not keep its owner out.
    """
    account = sha256(name.encode("utf-8", "replace")).hexdigest()[:32]  # names that nobody has are counted, too
    own = {f"pair:{account}:{network}": PAIR}
    if not known:
        own[f"account:{account}"] = ACCOUNT
    return own, {f"network:{network}": NETWORK}
