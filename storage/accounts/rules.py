"""Rules of accounts, each within one unit of writing: what changes, and the row of the audit that says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from core.access import Sight
from core.accounts import Answered, Deed, LastAdmin, Login, NameTaken, Slowing, Token, User
from storage.accounts import chain
from storage.accounts.shape import login_of, login_row, token_of, token_row, user_of, user_row
from storage.accounts.tables import AccountRows
from storage.rows import Row

NO_END = 0.0  # of a token
DAY = 86_400.0  # seconds for which an answer is kept under its key …
HANGING = 60.0  # … and for which one that is under way may be waited for
REMEMBERED = DAY  # seconds without a further guess, after which a scope begins anew
MANY = 1_000  # tokens of one owner


# --- users -----------------------------------------------------------------------------------------------------------


def find_user(rows: AccountRows, id: int) -> User | None:
    row = rows.get("users", id)
    return None if row is None else user_of(row, rows.lines_of(id))


def find_named(rows: AccountRows, name: str) -> User | None:
    row = rows.user_named(name)
    return None if row is None else user_of(row, rows.lines_of(row["id"]))


def see_users(rows: AccountRows, sight: Sight, after: int, limit: int) -> list[User]:
    return [user_of(row, rows.lines_of(row["id"])) for row in rows.users_seen(sight, after, limit)]


def _require_user(rows: AccountRows, id: int) -> User:
    user = find_user(rows, id)
    if user is None:
        raise LookupError(f"there is no user {id}")
    return user


def add_user(rows: AccountRows, user: User, deed: Deed, now: float) -> User:
    if rows.user_named(user.name) is not None:
        raise NameTaken(user.name)
    made = msgspec.structs.replace(user, id=rows.last_id("users") + 1, created_at=now, changed_at=now)
    _save(rows, made)
    chain.append(rows, msgspec.structs.replace(deed, object=f"user:{made.id}"), now)
    return made


def _save(rows: AccountRows, user: User) -> None:
    rows.put("users", user_row(user))
    for row in rows.lines_of(user.id):
        if row["line"] not in user.lines:
            rows.drop("user_lines", user.id, row["line"])
    for line, role in user.lines.items():
        rows.put("user_lines", {"user_id": user.id, "line": line, "role": role})


def change_user(rows: AccountRows, id: int, changes: Mapping[str, Any], deed: Deed, now: float, keep: str) -> User:
    before = _require_user(rows, id)
    user = msgspec.structs.replace(before, **{**changes, "changed_at": now})
    if _administers(before) and not _administers(user) and not _others_administer(rows, id):
        raise LastAdmin
    _save(rows, user)
    if not user.active:
        _drop_tokens(rows, id)
        keep = ""
    if keep != "*":
        _drop_logins(rows, (it for it in rows.logins_of(id) if it["digest"] != keep))
    chain.append(rows, deed, now)
    return user


def _administers(user: User) -> bool:
    return user.active and user.role == "admin"


def _others_administer(rows: AccountRows, id: int) -> bool:
    return any(row["active"] and row["id"] != id for row in rows.users_of_role("admin"))


def use_totp(rows: AccountRows, id: int, step: int) -> bool:
    user = _require_user(rows, id)
    if step <= user.totp_at:
        return False
    rows.put("users", user_row(msgspec.structs.replace(user, totp_at=step)))
    return True


def use_recovery(rows: AccountRows, id: int, digest: str, deed: Deed, now: float) -> bool:
    user = _require_user(rows, id)
    if digest not in user.recovery:
        return False
    left = tuple(it for it in user.recovery if it != digest)
    rows.put("users", user_row(msgspec.structs.replace(user, recovery=left)))
    chain.append(rows, deed, now)
    return True


# --- sign-ins --------------------------------------------------------------------------------------------------------


def add_login(rows: AccountRows, login: Login, deed: Deed, replaces: str) -> None:
    rows.drop_older("logins", login.created_at)
    if replaces:
        rows.drop("logins", replaces)
    rows.put("logins", login_row(login))
    chain.append(rows, deed, login.created_at)


def find_login(rows: AccountRows, digest: str, now: float) -> tuple[Login, User] | None:
    row = rows.get("logins", digest)
    if row is None or not _lasts(row, now):
        return None
    user = find_user(rows, row["user_id"])
    return (login_of(row), user) if user is not None and user.active else None


def _lasts(row: Row, now: float) -> bool:
    return bool(now < row["idle_at"] and now < row["ends_at"])


def touch_login(rows: AccountRows, digest: str, seen_at: float, idle_at: float, address: str) -> None:
    row = rows.get("logins", digest)
    if row is not None and row["seen_at"] < seen_at:
        rows.put("logins", row | {"seen_at": seen_at, "idle_at": idle_at, "address": address})


def see_logins(rows: AccountRows, user: int, now: float) -> list[Login]:
    return [login_of(row) for row in rows.logins_of(user) if _lasts(row, now)]


def end_logins(rows: AccountRows, user: int, deed: Deed, now: float, id: str, keep: str) -> int:
    found = [it for it in rows.logins_of(user) if it["digest"] != keep and (not id or it["id"] == id)]
    _drop_logins(rows, found)
    if found:
        chain.append(rows, deed, now)
    return len(found)


def _drop_logins(rows: AccountRows, logins: Iterable[Row]) -> None:
    for row in list(logins):
        rows.drop("logins", row["digest"])


# --- tokens ----------------------------------------------------------------------------------------------------------


def add_token(rows: AccountRows, token: Token, deed: Deed, now: float) -> Token:
    made = msgspec.structs.replace(token, id=_next_token(rows))
    rows.put("tokens", token_row(made))
    chain.append(rows, msgspec.structs.replace(deed, object=f"token:{made.id}"), now)
    return made


def _next_token(rows: AccountRows) -> int:
    """A number that no token had before, dropped ones included: the audit speaks of them by it."""
    number = max(rows.last_id("tokens"), int(rows.noted("tokens") or 0)) + 1
    rows.set_noted("tokens", str(number))
    return number


def find_token(rows: AccountRows, digest: str, now: float) -> tuple[Token, User] | None:
    row = rows.token_hashed(digest)
    if row is None or (row["ends_at"] != NO_END and row["ends_at"] <= now):
        return None
    user = find_user(rows, row["user_id"])
    return (token_of(row), user) if user is not None and user.active else None


def touch_token(rows: AccountRows, id: int, used_at: float) -> None:
    row = rows.get("tokens", id)
    if row is not None and row["used_at"] < used_at:
        rows.put("tokens", row | {"used_at": used_at})


def see_tokens(rows: AccountRows, sight: Sight, after: int, limit: int) -> list[Token]:
    return [token_of(row) for row in rows.tokens_seen(sight, after, limit)]


def drop_token(rows: AccountRows, sight: Sight, id: int, deed: Deed, now: float) -> bool:
    found = rows.tokens_seen(sight, id - 1, 1)
    if not found or found[0]["id"] != id:
        return False
    rows.drop("tokens", id)
    chain.append(rows, deed, now)
    return True


def _drop_tokens(rows: AccountRows, user: int) -> None:
    while found := rows.tokens_seen(Sight(user=user), 0, MANY):
        for row in found:
            rows.drop("tokens", row["id"])


# --- guesses ---------------------------------------------------------------------------------------------------------


def waiting(rows: AccountRows, scopes: Iterable[str], now: float) -> float:
    """How many seconds until a guess is looked at; 0 for now."""
    return max([0.0, *(float(_guesses(rows, scope, now)["until"]) - now for scope in scopes)])


def try_guess(rows: AccountRows, scopes: Mapping[str, Slowing], now: float) -> float:
    """Counted before the guess is looked at, so that a thousand at once are no more than one after another."""
    wait = waiting(rows, scopes, now)
    if wait:
        return wait
    known = {scope: _guesses(rows, scope, now) for scope in scopes}
    rows.drop_older("guesses", now - REMEMBERED)
    for scope, slowing in scopes.items():
        times = known[scope]["times"] + 1
        until = now + _wait(times - slowing.free, slowing.longest)
        rows.put("guesses", {"scope": scope, "times": times, "until": until, "last_at": now})
    return 0.0


def _guesses(rows: AccountRows, scope: str, now: float) -> Row:
    row = rows.get("guesses", scope)
    if row is None or row["last_at"] < now - REMEMBERED:
        return {"times": 0, "until": 0.0}
    return row


def _wait(beyond: int, longest: float) -> float:
    """1, 2, 4 … seconds from the first attempt beyond the free ones; never longer than so."""
    return 0.0 if beyond <= 0 else min(2.0 ** min(beyond - 1, 30), longest)


def forgive(rows: AccountRows, scopes: Sequence[str], uncount: Mapping[str, Slowing]) -> None:
    """A wait that other attempts have earned stays: who signs in rightly wins no guesses by it."""
    for scope in scopes:
        rows.drop("guesses", scope)
    for scope, slowing in uncount.items():
        row = rows.get("guesses", scope)
        if row is not None:
            times = row["times"] - 1
            rows.put("guesses", row | {"times": times, "until": row["until"] if times > slowing.free else 0.0})


# --- writes under a key ----------------------------------------------------------------------------------------------


def begin_request(rows: AccountRows, owner: str, key: str, digest: str, now: float) -> Answered | None:
    rows.drop_older("requests", now - DAY)
    row = rows.get("requests", owner, key)
    if row is not None and (row["status"] or row["at"] > now - HANGING):
        return Answered(row["digest"], row["status"], row["body"], row["at"])
    rows.put("requests", {"owner": owner, "key": key, "digest": digest, "status": 0, "body": b"", "at": now})
    return None


def mark_request(rows: AccountRows, owner: str, key: str, status: int) -> None:
    """It is done; its answer follows."""
    row = rows.get("requests", owner, key)
    if row is not None and not row["status"]:
        rows.put("requests", row | {"status": status})


def end_request(rows: AccountRows, owner: str, key: str, status: int, body: bytes) -> None:
    row = rows.get("requests", owner, key)
    if row is not None and status:
        rows.put("requests", row | {"status": status, "body": body})
    elif row is not None:
        rows.drop("requests", owner, key)
