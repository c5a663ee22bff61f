import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from ui import garbage
from ui.garbage import Collector


@pytest.fixture
def collector(qtbot: QtBot) -> Iterator[Collector]:
    made = Collector()
    yield made
    made.stop()
    assert gc.isenabled()


class Cycle:
    def __init__(self) -> None:
        self.me = self


def test_a_busy_worker_thread_collects_nothing(collector: Collector) -> None:
    gone: list[str] = []
    weakref.finalize(Cycle(), lambda: gone.append(threading.current_thread().name))

    def allocate() -> None:
        kept = [[] for _ in range(200_000)]
        kept.clear()

    worker = threading.Thread(target=allocate)
    worker.start()
    worker.join()
    assert gone == []


def test_the_gui_thread_collects_what_is_due(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    weakref.finalize(Cycle(), lambda: gone.append(threading.current_thread().name))
    monkeypatch.setattr(garbage, "_THRESHOLDS", (0, 10, 10))
    kept = [[] for _ in range(10)]
    collector.collect()
    assert gone == [threading.main_thread().name]
    assert len(kept) == 10
