"""A second start hands its words to the first, and a socket that a crash left is no first."""

import subprocess
import sys
from pathlib import Path

from pytestqt.qtbot import QtBot

from ui.instance import Instance, hand_over, name_for

ROOT = Path(__file__).resolve().parents[2]
SECOND = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from ui.instance import Instance, hand_over
app = QCoreApplication([])
data = Path(sys.argv[2])
if sys.argv[3] == "crash":
    first = Instance(data); first.listen()
    import os; os._exit(1)
print(hand_over(data, sys.argv[4:]))
"""


def second(data: Path, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SECOND, str(ROOT), str(data), *words], stdout=subprocess.PIPE, text=True
    )


def test_a_second_start_hands_over_its_words(qtbot: QtBot, tmp_path: Path) -> None:
    first = Instance(tmp_path)
    assert first.listen()
    with qtbot.waitSignal(first.called, timeout=8000) as called, second(tmp_path, "call", "--safe", "x y") as other:
        qtbot.waitUntil(lambda: other.poll() is not None, timeout=8000)
        assert other.stdout is not None
        said = other.stdout.read().strip()
    assert called.args == [["--safe", "x y"]]
    assert said == "True"
    first.close()


def test_with_nobody_there_nothing_is_handed_over(qtbot: QtBot, tmp_path: Path) -> None:
    assert not hand_over(tmp_path, ["x"])


def test_a_socket_left_by_a_crash_is_taken_over(qtbot: QtBot, tmp_path: Path) -> None:
    with second(tmp_path, "crash") as crashed:
        crashed.wait(20)
    assert not hand_over(tmp_path, [])
    first = Instance(tmp_path)
    assert first.listen()
    first.close()


def test_the_same_folder_by_another_spelling_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    assert name_for(tmp_path / "data") == name_for(tmp_path / "x" / ".." / "data")
    assert name_for(tmp_path / "data") != name_for(tmp_path / "other")
