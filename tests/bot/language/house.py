"""The examples of the language with a deployment for them, and mistakes planted into them at a marked place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.check import check
from bot.model import Library
from bot.reading import read
from core.deployment import CallInfo, ChannelInfo, Deployment, DeskInfo, LineInfo, LineRule, Take
from core.findings import Finding

DATA = Path(__file__).parent / "data"
MARK = "▸"  # stands where a finding is expected

DEPLOYMENT = Deployment(
    lines={
        "support": LineInfo("Поддержка", closed=LineRule("general"), busy=LineRule("general")),
        "billing": LineInfo("Расчёты", busy=LineRule("general")),
        "night": LineInfo("Дежурные", always_open=True),
    },
    desks={
        "general": DeskInfo("Обращения"),
        "returns": DeskInfo("Возвраты", ("Номер заказа", "Причина")),
        "billing": DeskInfo("Расчёты", ("ИНН", "Вопрос")),
        "outer": DeskInfo("Внешний стол", outer=True),
    },
    services={
        "shop": {
            "get_order": CallInfo(
                ("number", "phone"),
                {
                    "номер": Take("text"),
                    "статус": Take("text"),
                    "дней_с_доставки": Take("number"),
                    "трек": Take("text", optional=True),
                },
            )
        }
    },
    channels={"telegram": ChannelInfo("telegram", "support", 64), "site": ChannelInfo("web", "support", 40)},
)


def examples() -> dict[str, str]:
    """Path → text of the example files, tests included."""
    return {path.relative_to(DATA).as_posix(): path.read_text("utf-8") for path in sorted(DATA.rglob("*.yaml"))}


def findings(sources: dict[str, str], deployment: Deployment = DEPLOYMENT) -> list[Finding]:
    """All that reading and checking say."""
    library, found = read(sources, deployment)
    return sorted([*found, *(check(library, deployment) if library else [])], key=lambda finding: finding.at)


def library_of(sources: dict[str, str]) -> Library:
    """The library of sources without errors."""
    library, found = read(sources, DEPLOYMENT)
    assert library is not None
    assert not found, [finding.line("en") for finding in found]
    return library


@dataclass(frozen=True)
class Planted:
    """A mistake: in `file`, `old` becomes `new`; each MARK in `new` is a place of a finding with this code."""

    code: str
    file: str
    old: str
    new: str

    def sources(self) -> tuple[dict[str, str], list[tuple[str, int, int, str]]]:
        """The files with the mistake, and (file, line, column, code) of what shall be found."""
        files = examples()
        text = files.get(self.file, "")
        if self.old:
            assert text.count(self.old) == 1, f"{self.old!r} is {text.count(self.old)} times in {self.file}"
        marked = text.replace(self.old, self.new) if self.old else self.new
        places = []
        while MARK in marked:
            before, _, after = marked.partition(MARK)
            places.append((f"flows/{self.file}", before.count("\n") + 1, len(before) - before.rfind("\n"), self.code))
            marked = before + after
        files[self.file] = marked
        return files, places


def found_places(found: list[Finding]) -> list[tuple[str, int, int, str]]:
    return sorted((f.at.file, f.at.line, f.at.column, f.code) for f in found)
