"""Drafts in SQL: written only over the version that was seen, so that no device overwrites another in silence."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # ON CONFLICT reads the same in SQLite

from storage.asked import Asked
from storage.rows import Row
from storage.tools.schema import drafts

_key = (
    drafts.c.user_id == bindparam("user"),
    drafts.c.conversation == bindparam("home"),
    drafts.c.kind == bindparam("what"),
)
FIND = select(drafts).where(*_key)
ADD = (
    insert(drafts)
    .values({column.name: bindparam(column.name) for column in drafts.columns})
    .on_conflict_do_nothing()
    .returning(drafts.c.version)
)
CHANGE = (
    update(drafts)
    .where(*_key, drafts.c.version == bindparam("seen"))
    .values({name: bindparam(name) for name in ("text", "files", "version", "at")})
    .returning(drafts.c.version)
)
DROP = delete(drafts).where(*_key, drafts.c.version <= bindparam("seen")).returning(drafts.c.version)


def find_draft(reads: Asked, user: int, conversation: int, kind: str) -> Row | None:
    return reads.one(FIND, user=user, home=conversation, what=kind)


def write_draft(
    writes: Asked, user: int, conversation: int, kind: str, seen: int, text: str, files: bytes, now: float
) -> int:
    """Write over the version `seen` (0: there was none). The new version, 0 when another one is there by now."""
    version = max(seen + 1, int(now * 1000))  # it grows over the end of one draft and the beginning of the next
    values = {"text": text, "files": files, "version": version, "at": now}
    if seen:
        done = list(writes.run(CHANGE, user=user, home=conversation, what=kind, seen=seen, **values))
    else:
        done = list(writes.run(ADD, user_id=user, conversation=conversation, kind=kind, **values))
    return version if done else 0


def drop_draft(writes: Asked, user: int, conversation: int, kind: str, seen: int) -> bool:
    """Forget it up to a version: one that was written since stays. Whether there was any."""
    return bool(list(writes.run(DROP, user=user, home=conversation, what=kind, seen=seen)))
