"""The left rail: one button a page, with names or, collapsed, icons alone."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ui.pages import Place
from ui.style import set_role
from ui.theme import Theme

WIDE_PX: Final = 164
NARROW_PX: Final = 52
ICON_PX: Final = 18


class Rail(QFrame):
    """Shows where one is and goes elsewhere."""

    chosen = Signal(str)
    """A page id."""

    def __init__(self, places: Sequence[Place], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, role="rail")
        self.setAccessibleName("Pages")
        self._theme = theme
        self._places = places
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        self._is_narrow = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 10, 8, 8)
        self._column.setSpacing(2)
        group = places[0].group if places else 0
        for number, place in enumerate(places, 1):
            if place.group != group:
                self._column.addSpacing(14)
                group = place.group
            self._add(place, number)
        self._column.addStretch(1)
        self.set_narrow(False)
        self._paint_icons()
        theme.changed.connect(self._paint_icons)

    @property
    def is_narrow(self) -> bool:
        """Whether only icons show."""
        return self._is_narrow

    def set_narrow(self, is_narrow: bool) -> None:
        """Show icons alone, or icons and names."""
        self._is_narrow = is_narrow
        self.setFixedWidth(NARROW_PX if is_narrow else WIDE_PX)
        style = Qt.ToolButtonStyle.ToolButtonIconOnly if is_narrow else Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        for button in self._buttons.values():
            button.setToolButtonStyle(style)

    def show_page(self, page_id: str) -> None:
        """Mark the page that is in front."""
        if (button := self._buttons.get(page_id)) is not None:
            button.setChecked(True)
            self._paint_icons()

    def add_below(self, button: QToolButton) -> None:
        """Put a button at the foot of the rail."""
        self._column.addWidget(button)

    def _add(self, place: Place, number: int) -> None:
        button = QToolButton(self)
        button.setText(f"  {place.title}")
        button.setCheckable(True)
        button.setIconSize(QSize(ICON_PX, ICON_PX))
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setMinimumHeight(32)
        button.setToolTip(f"{place.title}  (Ctrl+{number})")
        button.setAccessibleName(place.title)
        button.clicked.connect(lambda: self.chosen.emit(place.id))
        self._group.addButton(button)
        self._buttons[place.id] = button
        self._column.addWidget(button)

    def _paint_icons(self) -> None:
        for place in self._places:
            button = self._buttons[place.id]
            button.setIcon(self._theme.icon(place.icon, "accent" if button.isChecked() else "dim", ICON_PX))
