"""Cyclic garbage is collected on the GUI thread only.

Python collects in whichever thread happens to allocate. A worker thread that does so may destroy a QObject of the GUI
thread, and Qt crashes on that. So the automatic collector is off, and a timer does its work where it is safe.
"""

import gc
from typing import Final

from PySide6.QtCore import QObject, QTimer

EVERY_MS: Final = 1000
_THRESHOLDS: Final = (2000, 10, 10)
"""As `gc.set_threshold` has them: allocations before a young collection, then how many of those before an older one."""


class Collector(QObject):
    """Collects as the interpreter would have, a little later and on this thread. Until `stop`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()  # what is there from the start stays: no collection need look at it
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()

    def collect(self) -> None:
        """Collect the oldest generation that is due, if any is."""
        for generation in (2, 1, 0):
            if gc.get_count()[generation] > _THRESHOLDS[generation]:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Leave it to the interpreter again."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()
