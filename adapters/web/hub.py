"""The hub: which sockets are open on which chat. It carries hints; the store's history is the truth."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

WAITING = 256  # frames a slow socket may fall behind before it has to come again
SOCKETS = 16  # tabs of one chat; the oldest gives way


class Listener:
    """One open socket: frames wait in `frames`; `lagging` when it fell behind, and must resume from the history."""

    def __init__(self) -> None:
        self.frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.after = 0  # the place up to which it has been given the history

    def put(self, frame: dict[str, Any]) -> None:
        """Queues a frame; a listener too far behind is told to come again."""
        if self.frames.qsize() >= WAITING:
            self.close()
        else:
            self.frames.put_nowait(frame)

    def close(self) -> None:
        """Ends the listener: the socket closes and the page resumes."""
        self.frames.put_nowait(None)


class Hub:
    """Listeners by chat."""

    def __init__(self) -> None:
        self._chats: defaultdict[str, list[Listener]] = defaultdict(list)

    def join(self, chat: str) -> Listener:
        """Opens a listener on a chat."""
        listeners = self._chats[chat]
        if len(listeners) >= SOCKETS:
            listeners.pop(0).close()
        listener = Listener()
        listeners.append(listener)
        return listener

    def leave(self, chat: str, listener: Listener) -> None:
        """Closes a listener; no harm when it is gone already."""
        listeners = self._chats.get(chat, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._chats.pop(chat, None)

    def listeners(self, chat: str) -> list[Listener]:
        """Those who listen to the chat now."""
        return list(self._chats.get(chat, ()))

    def publish(self, chat: str, frame: dict[str, Any]) -> None:
        """Gives a frame to all tabs of the chat."""
        for listener in self.listeners(chat):
            listener.put(frame)

    def close(self) -> None:
        """Ends all listeners."""
        for chat in list(self._chats):
            for listener in self.listeners(chat):
                listener.close()
