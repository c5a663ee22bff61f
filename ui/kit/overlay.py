"""A sheet over the window: the palette, the list of shortcuts. Never modal, never its own event loop."""

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QWidget

from ui.style import set_role


class Overlay(QFrame):
    """Floats over its window; Esc, or a click or focus elsewhere, closes it and gives the focus back."""

    closed = Signal()

    def __init__(self, window: QWidget, width_px: int, height_px: int) -> None:
        super().__init__(window)
        set_role(self, role="overlay")
        self._wanted = (width_px, height_px)
        self._focus_before: QWidget | None = None
        self.setAutoFillBackground(True)
        self.hide()
        window.installEventFilter(self)

    def fit(self, width_px: int, height_px: int) -> None:
        """Ask for another size from the next opening on; the window's size still limits it."""
        self._wanted = (width_px, height_px)

    def open_over(self) -> None:
        """Show on top, near the upper edge, in the middle."""
        self._focus_before = QApplication.focusWidget()
        self._place()
        self.show()
        self.raise_()
        QApplication.instance().focusChanged.connect(self._on_focus_changed)

    def shut(self) -> None:
        """Close and give the focus back to where it was."""
        if not self.isVisible():
            return
        QApplication.instance().focusChanged.disconnect(self._on_focus_changed)
        had_focus = self.isAncestorOf(QApplication.focusWidget()) if QApplication.focusWidget() else True
        self.hide()
        if had_focus and self._focus_before is not None and self._focus_before.isVisible():
            self._focus_before.setFocus()
        self._focus_before = None
        self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close on Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self.shut()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the window's size; close on a click beside us."""
        if self.isVisible():
            if event.type() == QEvent.Type.Resize:
                self._place()
            elif event.type() == QEvent.Type.MouseButtonPress:
                self.shut()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        window = self.parentWidget()
        width_px = min(self._wanted[0], window.width() - 40)
        height_px = min(self._wanted[1], window.height() - 100)
        self.setGeometry((window.width() - width_px) // 2, 56, width_px, height_px)

    def _on_focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is not None and new is not self and not self.isAncestorOf(new) and self.isVisible():
            self._focus_before = None
            self.shut()
