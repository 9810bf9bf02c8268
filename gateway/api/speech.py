"""In which language a refusal is said: the account's, else the first that the browser asks for, else English."""

from __future__ import annotations

from core.accounts import User
from core.locale import LANGUAGES

PLAIN = "en"  # programs that ask for no language read the language of the ids


def language_of(accepted: str, user: User | None = None, plain: str = PLAIN) -> str:
    """`accepted` is the header `Accept-Language`; `plain` counts where nothing that is known is asked for."""
    if user is not None and user.language:
        return user.language
    wanted = [_preference(place, part) for place, part in enumerate(accepted.split(",")[:50])]
    known = [(weight, language) for weight, language in wanted if language in LANGUAGES and weight[0] > 0]
    return max(known)[1] if known else plain


def _preference(place: int, part: str) -> tuple[tuple[float, int], str]:
    """How much a language is wanted, and its name: of `ru-RU;q=0.8` it is `ru`. The first of equals wins."""
    name, _, weight = part.partition(";")
    said = weight.strip().removeprefix("q=").strip() if weight else "1"
    try:
        wanted = float(said)
    except ValueError:
        wanted = 0.0
    return (wanted, -place), name.strip().lower().partition("-")[0]
