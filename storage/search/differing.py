"""What an index has to write: only where it differs from what is to be found. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from storage.search.port import Document, Key

T = TypeVar("T")
MOST = 200  # documents of one statement: between two of them others have the processor
FRESH = 50  # … whose words the server splits, which takes longer


class Indexed(NamedTuple):
    id: int
    at: float
    text: str


class Differing(NamedTuple):
    """`fresh` are new or have other words; `moved` have another moment, so that their words need not be split again."""

    fresh: list[Document]
    moved: list[Document]
    gone: list[Key]


def differing(found: Mapping[Key, Document | None], indexed: Mapping[Key, Indexed]) -> Differing:
    wanted = [(it, indexed.get(key)) for key, it in found.items() if it is not None]
    return Differing(
        [it for it, old in wanted if old is None or old.text != it.text],
        [it for it, old in wanted if old is not None and old.text == it.text and old.at != it.at],
        [key for key, it in found.items() if it is None and key in indexed],
    )


def portions(whole: Sequence[T], most: int = MOST) -> Iterator[Sequence[T]]:
    return (whole[start : start + most] for start in range(0, len(whole), most))
