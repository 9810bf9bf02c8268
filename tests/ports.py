"""Ports for servers of tests: free ones, and such as nobody is given while a server that was stopped comes back."""

from __future__ import annotations

import random
import socket
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 10_000
_draw = random.SystemRandom()  # processes that run side by side draw different ones


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on.

    It lies below those that the kernel gives to outgoing connections: one of these would take the place of a server that is
    restarted under its port (https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html, `ip_local_port_range`).
    """
    highest = int(RANGE.read_text().split()[0]) if RANGE.exists() else 32_768
    while True:
        port = _draw.randrange(LOWEST, highest)
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
