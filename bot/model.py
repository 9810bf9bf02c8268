"""The flow language as values: what a YAML file says once it is read. Every part knows its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from core.events import CallDone
from core.findings import Position

if TYPE_CHECKING:
    from bot.engine.walk import Refusal, Walk
    from bot.expressions import Expression
    from bot.heard import Heard
    from bot.loader import Mapping
    from bot.patterns import Pattern
    from bot.shapes import Key
    from bot.templates import Template

Interrupts = Literal["at_once", "confirm", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step. `step` is its name, empty when it has none. Kinds live in `bot/actions/`, one file each."""

    word: ClassVar[str]
    about: ClassVar[str] = ""
    keys: ClassVar[tuple[Key, ...]] = ()
    at: Position
    step: str = ""
    node: Mapping | None = field(default=None, compare=False, repr=False)  # where each key and value stands

    @classmethod
    def build(cls, values: dict[str, Any]) -> Self:
        """The action from what its keys read."""
        return cls(**values)

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """Nested blocks by the machine event that leads into them (`yes`, `pick0`, `missing`, …)."""
        yield from ()

    def onward(self) -> Iterator[str]:
        """Machine events that go on with the next step when no block of the action answers them."""
        yield "next"

    def policies(self) -> Iterator[str]:
        """Machine events that the flow's policy answers: `failed`, `too_many`, `timeout`."""
        yield from ()

    def enter(self, walk: Walk) -> None:
        """The run enters the state: act, then `walk.go(event)`, or stay and wait."""
        raise NotImplementedError(self.word)

    def again(self, walk: Walk) -> None:
        """The run comes back to the state (after a wrong answer, «назад», a digression): ask or act once more."""
        self.enter(walk)

    def hear(self, walk: Walk, heard: Heard) -> Refusal | None:
        """A client's message reached the waiting state. None: it was taken."""
        return None

    def done(self, walk: Walk, result: CallDone) -> None:
        """The remote call of the state came back."""


Block = tuple[Action, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Action):
    """A step that could not be read. Only in libraries with errors, so that the checks can go on behind it."""

    word: ClassVar[str] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a `choice` or `many` field: its label, and words that mean it too."""

    label: str
    words: tuple[str, ...] = ()
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A rule on a value: `must` is true of good ones (`value` is the answer), `otherwise` is said to the client."""

    must: Expression
    otherwise: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that can be asked. `source` is the YAML key `from`; `min`, `max` by type: characters or numbers."""

    name: str
    at: Position
    label: str
    ask: Template
    type: str = "text"
    example: str = ""
    pattern: Pattern | None = None
    options: tuple[Option, ...] = ()
    min: float | None = None
    max: float | None = None
    check: tuple[Check, ...] = ()
    wrong: tuple[Template, ...] = ()
    source: str = ""
    keep: str = ""
    optional: bool = False
    private: bool = False
    attempts: int | None = None
    too_many: Block | None = None
    max_files: int = 10
    max_mb: float = 20
    formats: tuple[str, ...] = ()
    node: Mapping | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """After `after` seconds without an answer: say a text, end the run, or call a flow. Exactly one of the three."""

    at: Position
    after: float
    say: Template | None = None
    end: str = ""
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a flow does when things go wrong. A flow's policy is `_bot.yaml`'s with its own keys laid over."""

    attempts: int = 3
    wrong: Template | None = None
    too_many: Block | None = None
    failed: Block | None = None
    silence: tuple[Silence, ...] = ()
    pause: float = 0.0  # seconds; 0: pieces are not joined
    thanks: Template | None = None  # the answer to «спасибо» when no run is on
    keep_old: float = 72 * 3600.0  # seconds an old version serves its runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Starts a flow. Kinds live in `bot/triggers/`, one file each; `level` orders them, lowest first."""

    word: ClassVar[str]
    level: ClassVar[int]
    about: ClassVar[str] = ""
    keys: ClassVar[tuple[Key, ...]] = ()
    at: Position
    node: Mapping | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One of `takes`: a field type or `service.call`; optional ones may be absent, `default` fills them."""

    name: str
    at: Position
    type: str
    optional: bool = False
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One file of `flows/`. `id` is its path without extension."""

    id: str
    at: Position
    title: str
    about: str = ""
    triggers: tuple[Trigger, ...] = ()
    takes: dict[str, Input] = field(default_factory=dict)
    gives: tuple[str, ...] = ()
    fields: dict[str, Field] = field(default_factory=dict)
    steps: Block = ()
    policy: Policy = field(default_factory=Policy)
    interrupts: Interrupts | None = None
    node: Mapping | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFile:
    """`flows/_bot.yaml`: entry flows, system words and the policy all flows start from."""

    at: Position
    title: str
    welcome: str
    fallback: str
    operator: str
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)  # cancel, back, …, continue → phrases
    policy: Policy = field(default_factory=Policy)
    node: Mapping | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """All of `flows/`: what the checks read and the compiler compiles. `hashes`: flow id → hash of its own text."""

    bot: BotFile
    flows: dict[str, Flow]
    texts: dict[str, dict[str, str]] = field(default_factory=dict)  # language → key (flow + step + source) → text
    hashes: dict[str, str] = field(default_factory=dict)
