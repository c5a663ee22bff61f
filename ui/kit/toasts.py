"""Toasts on screen: at most three, at the lower right; the rest are counted (UX O7)."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ui.kit.feedback import Feedback, Toast
from ui.style import set_role
from ui.theme import Theme

STAYS_MS: Final = 6000
AT_MOST: Final = 3
WIDTH_PX: Final = 420
_ICONS: Final = {
    "plain": ("info", "dim"),
    "good": ("circle-check", "ok"),
    "warn": ("triangle-alert", "warn"),
    "error": ("circle-x", "error"),
}


class ToastStack(QWidget):
    """Shows what `Feedback` says, over the lower right corner of its window."""

    def __init__(self, window: QWidget, feedback: Feedback, theme: Theme) -> None:
        super().__init__(window)
        self._theme = theme
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._shown: list[_ToastCard] = []
        self._waiting: list[Toast] = []
        self._more = QLabel(self)
        self._more.setAlignment(Qt.AlignmentFlag.AlignRight)
        set_role(self._more, role="dim")
        self._more.hide()
        self._column.addWidget(self._more)
        self.hide()
        window.installEventFilter(self)
        feedback.toasted.connect(self.show_toast)

    def show_toast(self, toast: Toast) -> None:
        """Show it, or count it where three already stand; the same words twice stand once."""
        if any(card.toast.text == toast.text for card in self._shown):
            return
        if len(self._shown) >= AT_MOST:
            self._waiting.append(toast)
        else:
            card = _ToastCard(toast, self._theme, self)
            card.gone.connect(lambda: self._on_gone(card))
            self._shown.append(card)
            self._column.addWidget(card)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Fit again once the cards know their heights."""
        is_done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return is_done

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._arrange()
        return super().eventFilter(watched, event)

    def _on_gone(self, card: "_ToastCard") -> None:
        if card in self._shown:
            self._shown.remove(card)
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()
        if self._waiting:
            self.show_toast(self._waiting.pop(0))
        self._arrange()

    def _arrange(self) -> None:
        self._more.setVisible(bool(self._waiting))
        self._more.setText(f"{len(self._waiting)} more")
        self.setVisible(bool(self._shown))
        window = self.parentWidget()
        width_px = min(WIDTH_PX, window.width() - 40)
        self.setFixedWidth(width_px)
        self._column.activate()
        has_flow = self._column.hasHeightForWidth()
        height_px = self._column.heightForWidth(width_px) if has_flow else self.sizeHint().height()
        self.setGeometry(window.width() - width_px - 16, window.height() - height_px - 44, width_px, height_px)
        self.raise_()


class _ToastCard(QFrame):
    """One toast."""

    gone = Signal()

    def __init__(self, toast: Toast, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.toast = toast
        self._timer = QTimer(self, singleShot=True, interval=STAYS_MS)
        self._timer.timeout.connect(self.gone)
        set_role(self, role="toast", tone=toast.tone)
        self.setAccessibleName(toast.text)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 6, 8)
        row.setSpacing(10)
        icon = QLabel(self)
        icon.setPixmap(theme.icon(*_ICONS[toast.tone]).pixmap(QSize(16, 16)))
        icon.setFixedWidth(18)
        icon.setContentsMargins(0, 4, 0, 0)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
        text = QLabel(toast.text, self)
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        text.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        text.setContentsMargins(0, 3, 0, 3)
        text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row.addWidget(text, 1)
        if toast.action or toast.details:
            action = QPushButton(toast.action or "Copy details", self)
            set_role(action, role="quiet")
            action.clicked.connect(self._on_action)
            row.addWidget(action, 0, Qt.AlignmentFlag.AlignTop)
        close = QToolButton(self)
        close.setIcon(theme.icon("x"))
        close.setAccessibleName("Dismiss")
        close.clicked.connect(self.gone)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        if not toast.is_lasting:
            self._timer.start()

    def _on_action(self) -> None:
        if self.toast.action and self.toast.on_action is not None:
            self.toast.on_action()
        else:
            QGuiApplication.clipboard().setText(self.toast.details)
        self.gone.emit()
