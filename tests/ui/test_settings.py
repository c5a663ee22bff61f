import json
from pathlib import Path

from pytestqt.qtbot import QtBot

from ui.settings import Settings


def test_values_come_back_after_a_restart(qtbot: QtBot, tmp_path: Path) -> None:
    first = Settings(tmp_path / "desktop.json")
    first.set("theme.scheme", "light")
    first.set("page.states", {"traces": {"query": "model:x"}})
    first.set("rail.is_narrow", True)
    first.save()
    second = Settings(tmp_path / "desktop.json")
    assert second.text("theme.scheme") == "light"
    assert second.table("page.states") == {"traces": {"query": "model:x"}}
    assert second.flag("rail.is_narrow")


def test_the_file_follows_a_moment_after_the_last_change(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "desktop.json"
    settings = Settings(path)
    settings.set("a", 1)
    assert not path.exists()
    qtbot.waitUntil(path.exists, timeout=3000)
    assert json.loads(path.read_text()) == {"a": 1}


def test_a_broken_file_is_set_aside(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "desktop.json"
    path.write_text("{broken")
    settings = Settings(path)
    assert settings.text("theme.scheme", "system") == "system"
    assert path.with_suffix(".broken").read_text() == "{broken"


def test_a_value_of_another_kind_means_the_default(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "desktop.json"
    path.write_text(json.dumps({"n": "ten", "t": 5, "f": "yes", "d": [], "l": {}, "b": True}))
    settings = Settings(path)
    assert (settings.number("n", 2), settings.text("t"), settings.flag("f"), settings.number("b", 3)) == (
        2,
        "",
        False,
        3,
    )
    assert (settings.table("d"), settings.items("l")) == ({}, [])


def test_safe_start_neither_reads_nor_writes(qtbot: QtBot) -> None:
    settings = Settings(None)
    settings.set("a", 1)
    settings.save()
    assert settings.number("a", 0) == 1


def test_none_forgets(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "desktop.json")
    settings.set("a", 1)
    settings.set("a", None)
    assert not settings.has("a")
