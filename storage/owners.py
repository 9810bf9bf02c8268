"""Names of processes that hold something in a shared database, and which of them are surely gone."""

from __future__ import annotations

import os
import secrets
import socket


def process_name() -> str:
    """Who we are among all processes: host, pid, and a word that no earlier process had.

    The word begins with the number space of the pid: containers may share a host name and count for themselves.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{_pid_space()}-{secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether a process of that name has surely ended: it counted its pid where we count ours, and nobody has it now."""
    host, pid, word = [*name.split(":"), "", ""][:3]
    if host != socket.gethostname() or not pid.isdigit() or word.partition("-")[0] != _pid_space():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _pid_space() -> str:
    """Linux numbers the spaces in which pids are unique; elsewhere the host is one."""
    try:
        return f"{os.stat('/proc/self/ns/pid').st_ino:x}"
    except OSError:
        return "0"
