"""Where a demo may be, and where never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.locale import texts
from gateway.app import Gateway
from gateway.config import load_config
from gateway.config.model import Config
from gateway.demo.place import READY, clear, database_of, demo_config, is_installed, mark, mark_of, obstacles
from storage.lockfile import FileLock, StoreBusy

ROOT = Path(__file__).resolve().parents[3]
T = texts("en")


def configured(folder: Path, **environ: str) -> Config:
    """The shipped configuration in a folder of the test."""
    (folder / "config.yaml").write_text((ROOT / "config.yaml").read_text("utf-8"), "utf-8")
    _orders(folder)
    (folder / "flows" / "_bot.yaml").write_text("bot: Б\nwelcome: hi\nfallback: hi\noperator: hi\n", "utf-8")
    (folder / "flows" / "hi.yaml").write_text("flow: Привет\nsteps:\n  - say: Здравствуйте\n  - end: готово\n", "utf-8")
    config, findings = load_config(folder / "config.yaml", environ)
    assert config is not None, findings
    return config


def _orders(folder: Path) -> None:
    """The table of the shipped shop."""
    (folder / "flows" / "data").mkdir(parents=True, exist_ok=True)
    (folder / "flows" / "data" / "orders.csv").write_bytes((ROOT / "flows/data/orders.csv").read_bytes())


def changed(folder: Path, **places: Any) -> Config:
    """The same with other settings."""
    made = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    made.update(places)
    _orders(folder)
    (folder / "config.yaml").write_text(yaml.dump(made, allow_unicode=True, Dumper=_Plain, sort_keys=False), "utf-8")
    config, findings = load_config(folder / "config.yaml", {})
    assert config is not None, [finding.line("en") for finding in findings]
    return config


class _Plain(yaml.SafeDumper):
    """Our files have no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_nothing_stands_against_it_in_a_fresh_checkout(tmp_path: Path) -> None:
    assert obstacles(configured(tmp_path), T) == []


@pytest.mark.parametrize("name", ["TELEGRAM_TOKEN", "VK_TOKEN", "MAX_TOKEN"])
def test_no_demo_where_a_channel_has_a_token(tmp_path: Path, name: str) -> None:
    environ = {name: "123456:abc", "VK_GROUP_ID": "1", "MAX_MODE": "polling"}
    (found,) = obstacles(configured(tmp_path, **environ), T)
    assert "has a token" in found


def test_no_demo_over_a_server(tmp_path: Path) -> None:
    config = configured(tmp_path, DATABASE_URL="postgresql://somebody@127.0.0.1/house")
    assert obstacles(config, T) == ["the store is no file of SQLite"]


def test_no_demo_that_reaches_other_systems(tmp_path: Path) -> None:
    shop = {"base": "https://shop.example.com", "calls": {"get_order": {"path": "/orders", "take": {"номер": {}}}}}
    desk = {"title": "Возвраты", "kind": "webhook", "url": "https://desk.example.com", "secret": "s" * 32}
    shipped = yaml.safe_load((ROOT / "config.yaml").read_text("utf-8"))
    config = changed(tmp_path, services={"shop": shop}, desks={**shipped["desks"], "returns": desk})
    assert obstacles(config, T) == ["«returns» is in another system", "«shop» is in another system"]


def test_its_store_is_its_own_and_reaches_nobody(tmp_path: Path) -> None:
    config = configured(tmp_path)
    played = demo_config(config)
    assert database_of(played) == tmp_path / "var/demo/demo.db"
    for place in (played.storage.files, played.storage.cache):
        assert Path(str(place)).is_relative_to(tmp_path / "var/demo")
    assert database_of(config) == tmp_path / "var/frontline.db"
    assert obstacles(config, T) == []  # what was given is unchanged
    assert not is_installed(config)


async def test_a_demos_store_serves_no_installation(tmp_path: Path) -> None:
    """Its accounts cannot be signed in to outside a demo: nothing serves them there."""
    config = configured(tmp_path)
    played = demo_config(config)
    demo = Gateway(played, channels={}, demo=config)
    await demo.open()
    await mark(demo.floor.units, READY)
    await demo.stop()
    assert mark_of(database_of(played)) == READY
    serving = Gateway(played, channels={})
    with pytest.raises(ValueError, match="demo"):
        await serving.start()
    await serving.stop()


async def test_an_installations_store_has_no_mark(tmp_path: Path) -> None:
    config = configured(tmp_path)
    gateway = Gateway(config, channels={})
    await gateway.open()
    await gateway.stop()
    assert is_installed(config)
    assert mark_of(database_of(config)) == ""


def test_clearing_takes_the_demo_alone(tmp_path: Path) -> None:
    config = configured(tmp_path)
    kept = tmp_path / "var" / "frontline.db"
    made = tmp_path / "var" / "demo" / "files" / "ab"
    made.mkdir(parents=True)
    (made.parent.parent / "demo.db").write_bytes(b"")
    kept.write_bytes(b"real")
    clear(config)
    assert kept.read_bytes() == b"real"
    assert not made.exists()
    assert not (tmp_path / "var" / "demo" / "demo.db").exists()


def test_nobody_clears_a_demo_that_is_worked_with(tmp_path: Path) -> None:
    config = configured(tmp_path)
    (tmp_path / "var" / "demo").mkdir(parents=True)
    lock = FileLock(tmp_path / "var" / "demo" / "demo.db")
    lock.take()
    with pytest.raises(StoreBusy):
        clear(config)
    lock.free()
