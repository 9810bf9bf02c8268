"""The hub: open sockets by what they may see, so that a change costs as much as it has listeners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from gateway.api.live.rights import Key, Pass, keys_of
from gateway.api.live.socket import MANY, Socket


class Hub:
    """`most` is how many sockets a person may have; the oldest gives way."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_key: defaultdict[Key, dict[Socket, None]] = defaultdict(dict)
        self._by_user: defaultdict[int, dict[Socket, None]] = defaultdict(dict)
        self._all: dict[Socket, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    @property
    def sockets(self) -> list[Socket]:
        return list(self._all)

    def join(self, socket: Socket) -> bool:
        """A socket is there. Whether it is the first of its person."""
        own = self._by_user[socket.held.user.id]
        while len(own) >= self._most:
            oldest = next(iter(own))
            del own[oldest]
            oldest.close(MANY, "another one was opened")
        own[socket] = None
        self._all[socket] = None
        self._list(socket)
        return len(own) == 1

    def leave(self, socket: Socket) -> bool:
        """A socket is gone. Whether it was the last of its person."""
        if socket not in self._all:
            return False
        user = socket.held.user.id
        del self._all[socket]
        self._unlist(socket)
        self._by_user[user].pop(socket, None)
        if self._by_user[user]:
            return False
        del self._by_user[user]
        return True

    def renew(self, socket: Socket, held: Pass) -> None:
        """Somebody sees other things than before."""
        self._unlist(socket)
        socket.held = held
        if socket in self._all:
            self._list(socket)

    def _list(self, socket: Socket) -> None:
        for key in keys_of(socket.held.sight):
            self._by_key[key][socket] = None

    def _unlist(self, socket: Socket) -> None:
        for key in keys_of(socket.held.sight):
            self._by_key[key].pop(socket, None)
            if not self._by_key[key]:
                del self._by_key[key]

    def of_operator(self, person: str) -> list[Socket]:
        """The sockets of `user:7`."""
        id = person.removeprefix("user:")
        return list(self._by_user.get(int(id), ())) if id.isdecimal() else []

    def sees(self, socket: Socket, keys: Iterable[Key]) -> bool:
        """Whether one of the keys is the socket's."""
        return any(socket in self._by_key.get(key, ()) for key in keys)

    @property
    def users(self) -> list[int]:
        return list(self._by_user)

    @property
    def people(self) -> set[int]:
        """Who is here in person, not by a machine."""
        return {socket.held.user.id for socket in self._all if socket.held.login is not None}

    def seeing(self, keys: Iterable[Key]) -> dict[Socket, None]:
        """The sockets that are told by one of the keys, each once."""
        found: dict[Socket, None] = {}
        for key in keys:
            found |= self._by_key.get(key, {})
        return found
