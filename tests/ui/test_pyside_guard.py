"""PySide6 6.12.0 on Python before 3.12 drops a reference to None on every call that returns it, and dies of it."""

import sys

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget


def test_calls_that_return_none_keep_its_references(qapp: QApplication) -> None:
    thing = QObject()
    before = sys.getrefcount(None)
    for _ in range(200):
        thing.setObjectName("a")
    assert sys.getrefcount(None) >= before - 20


def test_calls_that_return_a_bool_keep_its_references(qapp: QApplication) -> None:
    widget = QWidget()
    before = sys.getrefcount(True)
    for _ in range(200):
        widget.isEnabled()
    assert sys.getrefcount(True) >= before - 20
