"""People as the API and the commands know them: signing in and out, proving who one is, changing accounts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from core.access import OF_LINES, Role
from core.accounts import Accounts, Deed, Login, Token, User
from core.locale import n_
from gateway.accounts import totp
from gateway.accounts.endings import Endings
from gateway.accounts.opaque import SESSION, TOKEN, digest, new_id, new_secret
from gateway.accounts.passwords import LONGEST, Passwords, generate
from gateway.accounts.refused import BadAccount, SignInRefused
from gateway.accounts.slowing import network_of, scopes_of
from gateway.config.accounts import Accounts as Settings

TOUCH_SECONDS = 60.0  # a session's last use is written this often, not at every request
ISSUER = "frontline"
DEVICE = 200  # characters of what a browser says of itself


class Session(msgspec.Struct, frozen=True):
    """Somebody who is signed in. `secret` is what their browser sends; empty where it is not known any more."""

    user: User
    login: Login
    secret: str = ""


class Place(msgspec.Struct, frozen=True):
    """Where a request comes from."""

    address: str = ""
    device: str = ""

    @property
    def network(self) -> str:
        return network_of(self.address)


class People:
    """`now` gives seconds since the epoch (UTC); `lines` are the lines of the deployment; `count` hears what came of each
    attempt to sign in."""

    def __init__(
        self,
        accounts: Accounts,
        settings: Settings,
        lines: Collection[str],
        now: Callable[[], float],
        endings: Endings,
        passwords: Passwords | None = None,
        count: Callable[[str], None] = lambda answer: None,
    ) -> None:
        self.accounts, self.settings, self.endings, self.now = accounts, settings, endings, now
        self._lines = frozenset(lines)
        self._passwords = passwords or Passwords()
        self._count = count

    def close(self) -> None:
        self._passwords.close()

    # --- signing in and out ---

    async def sign_in(self, name: str, password: str, code: str, place: Place, replaces: str = "") -> Session:
        """A new session in place of the one with the secret `replaces`. Raises `SignInRefused`, `Busy`."""
        user = await self.accounts.user_named(name.strip().lower())
        await self._prove(user, name, password, code, place)
        assert user is not None
        if self._passwords.is_old(user.password):
            fresh = await self._passwords.hash(password)
            await self.accounts.change_user(
                user.id, {"password": fresh}, _deed(user, "rehash", user, place), self.now()
            )
        return await self._open(user, place, "login", replaces)

    async def prove(self, user: User, password: str, place: Place) -> None:
        """The one who is signed in knows the password, too. Raises `SignInRefused`, `Busy`."""
        await self._prove(msgspec.structs.replace(user, totp=""), user.name, password, "", place)

    async def _prove(self, user: User | None, name: str, password: str, code: str, place: Place) -> None:
        try:
            await self._judge(user, name, password, code, place)
        except SignInRefused as refused:
            self._count(refused.why)
            raise
        self._count("ok")

    async def _judge(self, user: User | None, name: str, password: str, code: str, place: Place) -> None:
        """The same work for a name that nobody has. An attempt counts before it is looked at."""
        logins = await self.accounts.logins(user.id if user else 0, self.now())
        known = any(it.address == place.network for it in logins)
        own, others = scopes_of(name.strip().lower(), place.network, known)
        wait = await self.accounts.try_guess({**own, **others}, self.now())
        if wait:
            raise SignInRefused("wait", wait)
        stored = user.password if user is not None and user.active else ""
        if not await self._passwords.check(stored, password) or user is None:
            raise SignInRefused("wrong")
        if user.totp:
            await self._prove_second(user, code, place)
        await self.accounts.forgive(list(own), others)

    async def _prove_second(self, user: User, code: str, place: Place) -> None:
        if not code.strip():
            raise SignInRefused("code_needed")
        step = totp.match_step(user.totp, code, self.now())
        if step and await self.accounts.use_totp(user.id, step):
            return
        spare = digest(totp.plain_recovery(code))
        deed = _deed(user, "recovery_code", user, place)
        if not await self.accounts.use_recovery(user.id, spare, deed, self.now()):
            raise SignInRefused("wrong_code")

    async def _open(self, user: User, place: Place, action: str, replaces: str) -> Session:
        now, secret = self.now(), new_secret(SESSION)
        ends = now + self.settings.longest
        login = Login(
            digest=digest(secret),
            id=new_id(),
            user=user.id,
            created_at=now,
            seen_at=now,
            idle_at=min(now + self.settings.idle, ends),
            ends_at=ends,
            device=place.device[:DEVICE],
            address=place.network,
        )
        await self.accounts.add_login(login, _deed(user, action, user, place), digest(replaces) if replaces else "")
        return Session(user, login, secret)

    async def session(self, secret: str, place: Place) -> Session | None:
        """Whose session it is, None when it is over. Its use puts off its idle end."""
        now = self.now()
        found = await self.accounts.login(digest(secret), now)
        if found is None:
            return None
        login, user = found
        if now - login.seen_at >= min(TOUCH_SECONDS, self.settings.idle / 4):
            idle = min(now + self.settings.idle, login.ends_at)
            await self.accounts.touch_login(login.digest, now, idle, place.network)
        return Session(user, login, secret)

    async def sign_out(self, session: Session, place: Place) -> None:
        """End this session."""
        await self.end_devices(session.user, place, session.login.id)

    async def end_devices(self, user: User, place: Place, id: str = "", keep: str = "") -> int:
        """End one session, or all but the one with the digest `keep`; how many."""
        ended = await self.accounts.end_logins(user.id, _deed(user, "logout", user, place), self.now(), id, keep)
        if ended:
            self.endings.tell(user.id)
        return ended

    # --- one's own account ---

    async def change_me(self, session: Session, changes: Mapping[str, Any], place: Place, action: str) -> User:
        """What needs no proof: language, theme."""
        deed = _deed(session.user, action, session.user, place, sorted(changes))
        return await self.accounts.change_user(session.user.id, changes, deed, self.now())

    async def change_password(self, session: Session, old: str, new: str, place: Place) -> Session:
        """Other devices are signed out, and this one gets a new secret. Raises `SignInRefused`, `BadAccount`."""
        self.check_password(new)
        await self.prove(session.user, old, place)
        return await self._secure(session, {"password": await self._passwords.hash(new)}, "password", place)

    async def begin_totp(self, session: Session, password: str, place: Place) -> tuple[str, str]:
        """A shared secret that waits for its first code, and its address for an app. Raises `SignInRefused`."""
        await self.prove(session.user, password, place)
        secret = totp.new_totp()
        await self.change_me(session, {"totp_new": secret}, place, "totp_begun")
        return secret, totp.totp_link(secret, session.user.name, ISSUER)

    async def confirm_totp(self, session: Session, code: str, place: Place) -> tuple[Session, list[str]]:
        """The first code: from now on each sign-in needs one. Recovery codes, shown once. Raises `SignInRefused`."""
        user = session.user
        step = totp.match_step(user.totp_new, code, self.now()) if user.totp_new else 0
        if not step:
            raise SignInRefused("wrong_code")
        codes = totp.new_recovery_codes()
        hashed = tuple(digest(totp.plain_recovery(it)) for it in codes)
        changes = {"totp": user.totp_new, "totp_new": "", "totp_at": step, "recovery": hashed}
        return await self._secure(session, changes, "totp_on", place), codes

    async def stop_totp(self, session: Session, password: str, code: str, place: Place) -> Session:
        """Raises `SignInRefused`."""
        await self._prove(session.user, session.user.name, password, code, place)
        return await self._secure(session, NO_TOTP, "totp_off", place)

    async def _secure(self, session: Session, changes: Mapping[str, Any], action: str, place: Place) -> Session:
        """A change after which all sessions end but this one, which goes on under a new secret."""
        deed = _deed(session.user, action, session.user, place)
        user = await self.accounts.change_user(session.user.id, changes, deed, self.now(), keep=session.login.digest)
        renewed = await self._open(user, place, "renewed", session.secret)
        self.endings.tell(user.id)
        return renewed

    # --- accounts of others ---

    async def add(self, user: User, password: str, by: Deed) -> tuple[User, str]:
        """A new account and its password; an empty one is made up. Raises `NameTaken`, `BadAccount`."""
        self.check_lines(user.lines)
        given = password or generate()
        self.check_password(given)
        made = msgspec.structs.replace(user, password=await self._passwords.hash(given))
        deed = msgspec.structs.replace(by, action="user_added", detail=_told(made, ("name", "role", "lines")))
        return await self.accounts.add_user(made, deed, self.now()), given

    async def change(self, id: int, changes: Mapping[str, Any], by: Deed, password: str = "", keep: str = "") -> User:
        """Change an account. What gives or takes rights ends its sessions but the one with the digest `keep`.

        Raises LookupError, `LastAdmin`, `BadAccount`.
        """
        self.check_lines(changes.get("lines", {}))
        values = dict(changes)
        if password:
            self.check_password(password)
            values["password"] = await self._passwords.hash(password)
        told = {name: value for name, value in changes.items() if name in TOLD}
        action = "user_deactivated" if changes.get("active") is False else "user_changed"
        deed = msgspec.structs.replace(
            by, action=action, object=f"user:{id}", detail={"changed": sorted(values), **told}
        )
        ends = bool(values.keys() & SECURITY)
        user = await self.accounts.change_user(id, values, deed, self.now(), keep if ends else "*")
        if ends or "lines" in values:
            self.endings.tell(id)
        return user

    def check_lines(self, lines: Mapping[str, Role]) -> None:
        """Raises `BadAccount` for a line that is not there, or a role that lines do not know."""
        for line, role in lines.items():
            if line not in self._lines:
                known = ", ".join(sorted(self._lines)) or "—"
                raise BadAccount("lines", n_("there is no line «{line}»; known: {known}"), line=line, known=known)
            if role not in OF_LINES:
                raise BadAccount("lines", n_("in a line one is an operator or a supervisor, not {role}"), role=role)

    def check_password(self, password: str) -> None:
        """Raises `BadAccount` for one that is too short or too long."""
        if len(password) < self.settings.password:
            raise BadAccount("password", n_("a password has at least {count} characters"), count=self.settings.password)
        if len(password) > LONGEST:
            raise BadAccount("password", n_("a password has at most {count} characters"), count=LONGEST)

    # --- tokens ---

    async def token(self, secret: str) -> tuple[Token, User] | None:
        """Whose token it is; its last use is noted."""
        now = self.now()
        found = await self.accounts.token(digest(secret), now)
        if found is not None and now - found[0].used_at >= TOUCH_SECONDS:
            await self.accounts.touch_token(found[0].id, now)
        return found

    async def add_token(
        self, user: User, name: str, scopes: tuple[str, ...], ends_at: float, place: Place
    ) -> tuple[Token, str]:
        """A new token and its secret, which nobody can read again."""
        now, secret = self.now(), new_secret(TOKEN)
        token = Token(0, digest(secret), user.id, name, scopes, now, ends_at=ends_at)
        deed = Deed(user.name, "token_added", "", {"name": name, "scopes": list(scopes)}, place.network)
        return await self.accounts.add_token(token, deed, now), secret


NO_TOTP: dict[str, Any] = {"totp": "", "totp_new": "", "totp_at": 0, "recovery": ()}
SECURITY = frozenset({"role", "active", "password", "totp"})  # changes that end sessions
TOLD = frozenset({"role", "lines", "active", "title"})  # values that the audit shows


def _deed(by: User, action: str, user: User, place: Place, changed: list[str] | None = None) -> Deed:
    return Deed(by.name, action, f"user:{user.id}", {"changed": changed} if changed else {}, place.network)


def _told(user: User, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(user, name) for name in names}
