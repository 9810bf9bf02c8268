"""Routes of signing in and out, and of one's own account."""

from __future__ import annotations

from datetime import UTC, datetime

from core.accounts import User
from core.locale import n_
from gateway.accounts.refused import SignInRefused
from gateway.api.models import (
    Device,
    Devices,
    Me,
    MeChange,
    PasswordChange,
    SignIn,
    Totp,
    TotpBegin,
    TotpStop,
)
from gateway.api.problems import Problem
from gateway.api.route import EVERYBODY, Call, Route


def view_me(user: User) -> Me:
    return Me(
        id=user.id,
        name=user.name,
        title=user.title,
        role=user.role,
        lines=user.lines,
        language=user.language,
        theme=user.theme,
        totp=bool(user.totp),
        recovery_codes=len(user.recovery),
    )


async def sign_in(call: Call) -> Me:
    body: SignIn = call.body
    replaces = call.session.secret if call.session else ""
    session = await call.people.sign_in(body.name, body.password.get_secret_value(), body.code, call.place, replaces)
    call.renewed = session
    return view_me(session.user)


async def sign_out(call: Call) -> None:
    """Also when the session has ended meanwhile: the browser forgets it."""
    call.ended = True
    if call.session is not None:
        await call.people.sign_out(call.session, call.place)


async def get_me(call: Call) -> Me:
    return view_me(call.me)


async def change_me(call: Call) -> Me:
    body: MeChange = call.body
    changes = {name: value for name, value in body.model_dump().items() if value is not None}
    return view_me(await call.people.change_me(call.mine, changes, call.place, "me_changed") if changes else call.me)


async def change_password(call: Call) -> Me:
    body: PasswordChange = call.body
    old, new = body.old.get_secret_value(), body.new.get_secret_value()
    call.renewed = await call.people.change_password(call.mine, old, new, call.place)
    return view_me(call.renewed.user)


# --- devices ---------------------------------------------------------------------------------------------------------


def _at(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


async def get_devices(call: Call) -> Devices:
    logins = await call.people.accounts.logins(call.me.id, call.people.now())
    return Devices(
        items=[
            Device(
                id=it.id,
                current=it.digest == call.mine.login.digest,
                device=it.device,
                network=it.address,
                created_at=_at(it.created_at),
                seen_at=_at(it.seen_at),
                ends_at=_at(it.ends_at),
            )
            for it in logins
        ]
    )


async def end_devices(call: Call) -> None:
    """All but the one that asks."""
    await call.people.end_devices(call.me, call.place, keep=call.mine.login.digest)


async def end_device(call: Call) -> None:
    id = call.request.match_info["id"]
    if not await call.people.end_devices(call.me, call.place, id=id):
        raise Problem("not-found")
    call.ended = id == call.mine.login.id


# --- the second factor -----------------------------------------------------------------------------------------------


async def begin_totp(call: Call) -> Totp:
    body: TotpBegin = call.body
    if body.code:
        call.renewed, codes = await call.people.confirm_totp(call.mine, body.code, call.place)
        return Totp(recovery_codes=codes)
    if body.password is None:
        raise Problem("invalid", errors=[{"pointer": "/password", "detail": n_("the password, or a code, is missing")}])
    if call.me.totp:
        raise Problem("conflict", n_("There is a second factor: take it away first."))
    secret, link = await call.people.begin_totp(call.mine, body.password.get_secret_value(), call.place)
    return Totp(secret=secret, link=link)


async def stop_totp(call: Call) -> None:
    body: TotpStop = call.body
    if not call.me.totp:
        raise Problem("conflict", n_("There is no second factor."))
    call.renewed = await call.people.stop_totp(call.mine, body.password.get_secret_value(), body.code, call.place)


def refusal(refused: SignInRefused) -> Problem:
    """A refused sign-in as a problem."""
    names = {"wrong": "wrong-sign-in", "code_needed": "code-needed", "wrong_code": "wrong-code", "wait": "slow-down"}
    return Problem(names[refused.why], after=refused.after)


ROUTES = (
    Route(
        *("POST", "/login", sign_in, "Sign in", ()),
        body=SignIn,
        answer=Me,
        problems=("wrong-sign-in", "slow-down"),
    ),
    Route("POST", "/logout", sign_out, "Sign out", (), status=204),
    Route("GET", "/me", get_me, "The account that is signed in", EVERYBODY, scope="me:read", answer=Me),
    Route("PATCH", "/me", change_me, "Change language or theme", EVERYBODY, body=MeChange, answer=Me, keyed=True),
    Route(
        *("POST", "/me/password", change_password, "Change the password", EVERYBODY),
        body=PasswordChange,
        answer=Me,
        problems=("slow-down",),
    ),
    Route("GET", "/me/devices", get_devices, "Devices that are signed in", EVERYBODY, answer=Devices),
    Route("DELETE", "/me/devices", end_devices, "Sign out all other devices", EVERYBODY, status=204, keyed=True),
    Route(
        *("DELETE", "/me/devices/{id}", end_device, "Sign out one device", EVERYBODY),
        status=204,
        problems=("not-found",),
    ),
    Route(
        *("POST", "/me/totp", begin_totp, "Set up the second factor, in two steps", EVERYBODY),
        body=TotpBegin,
        answer=Totp,
        problems=("slow-down", "conflict"),
    ),
    Route(
        *("DELETE", "/me/totp", stop_totp, "Take the second factor away", EVERYBODY),
        body=TotpStop,
        status=204,
        problems=("slow-down", "conflict"),
    ),
)
