"""What the bot does beside its messages: “typing…”, the menu of commands, and a polite goodbye to groups."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from adapters.groups import GOODBYE, Groups
from adapters.pacing import Pacer
from adapters.telegram.capabilities import COMMANDS
from adapters.telegram.library import Bot, TelegramAPIError, methods
from adapters.telegram.session import Refusal, bare
from core.locale import Texts

log = structlog.get_logger("frontline")

PRIVATE = {"type": "all_private_chats"}


class Manners:
    """Deeds that nothing depends on: none is repeated, none raises. `clock` gives seconds that only grow."""

    def __init__(
        self, bot: Bot, name: str, pacer: Pacer, t: Texts, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bot, self._name, self._pacer, self._t = bot, name, pacer, t
        self._username = ""
        self._menu: Sequence[tuple[str, str]] = ()
        self._groups = Groups(clock)

    async def typing(self, chat: str) -> None:
        """Shows “typing…” for five seconds; left away where a message may need the place."""
        if chat.isdecimal() and self._pacer.spare(chat):
            await self._call(methods.SendChatAction, {"chat_id": int(chat), "action": "typing"}, chat)

    async def menu(self, commands: Sequence[tuple[str, str]]) -> bool:
        """The commands behind the button «Меню» of private chats; none takes the button away. False when Telegram could not
        be asked now; what it refuses, or what newer commands have replaced, is not tried again."""
        self._menu = commands
        shown = [{"command": name, "description": about} for name, about in commands[:COMMANDS]]
        try:
            await self._bot(bare(methods.SetMyCommands, {"commands": shown, "scope": PRIVATE}))
        except TelegramAPIError as error:
            log.warning("telegram_menu_not_set", channel=self._name, error=error.message)
            return isinstance(error, Refusal) and error.code == 400
        log.info("telegram_menu_set", channel=self._name, count=len(shown))
        return True

    async def menu_again(self, commands: Sequence[tuple[str, str]]) -> bool:
        """Tries once more, unless newer commands were told meanwhile."""
        return self._menu is not commands or await self.menu(commands)

    async def link(self, payload: str) -> str:
        """The address of our chat, opened with the payload; empty until Telegram has told the bot's name."""
        if not self._username:
            with suppress(TelegramAPIError):
                me = await self._bot(bare(methods.GetMe, {}))
                self._username = str(me.get("username") or "") if isinstance(me, dict) else ""
        return f"https://t.me/{self._username}?start={payload}" if self._username else ""

    def may_leave(self, group: int) -> bool:
        """Whether the group shall hear of it now; it counts as told."""
        return self._groups.may_leave(group)

    async def leave(self, group: int) -> None:
        """Says once why, and goes: what people write to each other there is not for us."""
        log.info("telegram_group_left", channel=self._name)
        if not self._pacer.closed(str(group)):
            said = self._t(GOODBYE)
            await self._call(methods.SendMessage, {"chat_id": group, "text": said}, str(group))
        await self._call(methods.LeaveChat, {"chat_id": group}, str(group))

    async def _call(self, method: Any, params: dict[str, Any], chat: str = "") -> bool:
        """Whether Telegram did it. A 429 closes the chat for messages, too."""
        try:
            await self._bot(bare(method, params))
        except TelegramAPIError as error:
            if isinstance(error, Refusal) and error.code == 429 and chat:
                self._pacer.refused(chat, float(error.parameters.get("retry_after") or 1))
            log.debug("telegram_deed_failed", channel=self._name, error=error.message)
            return False
        return True
