"""The traces list as it is seen: columns that can be moved, hidden and sized, painted row by row."""

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from app.models.span import Status
from app.models.trace import TraceRow
from ui.kit.fast_table import PAD_PX, FastTable
from ui.kit.marks import paint_status
from ui.theme import Theme
from ui.traces.columns import MENU_TITLES, SPECS, Column, cell_text
from ui.traces.model import TraceListModel

TICK_MS: Final = 100
_MAIN: Final = (Column.NAME, Column.DURATION, Column.MODEL, Column.INPUT)
_TELLING: Final = (Column.NAME, Column.OUTPUT)
_LOOKS: Final = tuple(
    ("code" if spec.is_code else "ui", spec.is_right, column in _MAIN, column in _TELLING)
    for column, spec in SPECS.items()
)
"""Font, side, whether it is main text, whether it tells of a failure: by column."""
_ROOMY: Final = (Column.INPUT, Column.OUTPUT)
_ROOMY_MIN_PX: Final = 108


class TraceListView(FastTable):
    """Shows a `TraceListModel`."""

    opened = Signal(int)
    """The id of a trace that was asked for with Enter or a double click."""
    menu_wanted = Signal(int, int, QPoint)
    """Trace id, column and global position of a right click."""
    columns_changed = Signal()

    def __init__(self, theme: Theme, model: TraceListModel, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._model = model
        self._kept_id: int | None = None
        self._is_own_widths = True
        """Whether the widths are still ours to choose."""
        self._is_fitting = False
        self.setModel(model)
        self.setAccessibleName("Traces")
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.doubleClicked.connect(self._on_open)
        self._tick = QTimer(self, interval=TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._tick.start()
        model.modelAboutToBeReset.connect(self._keep)
        model.modelReset.connect(self._find_again)
        self._set_up_header()

    @property
    def is_at_top(self) -> bool:
        """Whether the newest row is in view."""
        return self.verticalScrollBar().value() == 0

    def chosen_id(self) -> int | None:
        """Return the chosen trace, None for none."""
        return self._model.id_at(self.current_row())

    def choose_id(self, row_id: int) -> bool:
        """Choose a trace where it is in the list."""
        place = self._model.place_of(row_id)
        self.choose_row(place)
        return place >= 0

    def step(self, by: int) -> None:
        """Choose the next or previous row; the first where none is chosen."""
        row = self.current_row()
        last = self._model.rowCount() - 1
        self.choose_row(min(max(row + by, 0), last) if row >= 0 else 0)

    def cell_row(self) -> TraceRow | None:
        """Return the chosen trace's row where it is known."""
        chosen = self.chosen_id()
        return None if chosen is None else self._model.known(chosen)

    def column_state(self) -> dict[str, object]:
        """Return order, widths and hidden columns, for settings."""
        header = self.horizontalHeader()
        return {
            "order": [header.logicalIndex(place) for place in range(header.count())],
            "widths": [SPECS[column].width_px if header.isSectionHidden(column) else header.sectionSize(column)
                       for column in Column],
            "hidden": [int(column) for column in Column if header.isSectionHidden(column)],
        }  # fmt: skip

    def restore_columns(self, state: Mapping[str, object]) -> None:
        """Put the columns as a `column_state` has them; what is missing or wrong stays as it is."""
        header = self.horizontalHeader()
        order, widths, hidden = state.get("order"), state.get("widths"), state.get("hidden")
        if isinstance(order, list) and sorted(map(str, order)) == sorted(str(int(column)) for column in Column):
            for place, column in enumerate(order):
                header.moveSection(header.visualIndex(int(column)), place)
        if isinstance(widths, list) and len(widths) == len(Column):
            self._is_own_widths = False
            for column, width in zip(Column, widths, strict=True):
                if isinstance(width, int) and 16 <= width <= 4000:
                    header.resizeSection(column, width)
        if isinstance(hidden, list):
            for column in Column:
                header.setSectionHidden(column, int(column) in hidden)

    def paint_row(self, painter: QPainter, row: int, area: QRect, columns: list[tuple[int, QRect]]) -> None:
        """Paint one trace."""
        found = self._model.row(row)
        theme = self.theme
        if found is None:
            painter.fillRect(area.adjusted(12, 9, -area.width() * 2 // 3, -9), theme.color("hover"))
            return
        texts = self._model.texts(found)
        is_bad = found.status == Status.ERROR
        inks = {token: theme.color(token) for token in ("text", "dim", "error")}
        for column, cell in columns:
            if column == Column.STATUS:
                paint_status(painter, cell, found.status, theme)
                continue
            font, is_right, is_main, is_telling = _LOOKS[column]
            ink = inks["error" if is_bad and is_telling else "text" if is_main else "dim"]
            self.write(painter, cell.adjusted(PAD_PX, 0, -PAD_PX, 0), texts[column], ink, font=font, is_right=is_right)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share what room there is."""
        super().resizeEvent(event)
        self._share_room()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter; the rest is the table's."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._on_open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        header.setSectionsMovable(True)
        header.setMinimumSectionSize(28)
        header.setStretchLastSection(False)
        for column, spec in SPECS.items():
            header.resizeSection(column, spec.width_px)
            header.setSectionHidden(column, not spec.is_shown)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        header.sectionMoved.connect(self._on_columns)
        header.sectionResized.connect(self._on_columns)
        header.sectionHandleDoubleClicked.connect(self._fit)

    def _fit(self, column: int) -> None:
        """Make a column as wide as what is in view needs."""
        rows = [self._model.known(self._model.ids()[place]) for place in self.visible_rows()]
        texts = [cell_text(row, Column(column), self._model.now_ns) for row in rows if row is not None]
        width = max((self.metrics.horizontalAdvance(text) for text in texts), default=0)
        self.horizontalHeader().resizeSection(column, min(max(width + 3 * PAD_PX, 48), 720))

    def _on_columns(self, *_: int) -> None:
        if not self._is_fitting:
            self._is_own_widths = False
            self.columns_changed.emit()

    def _share_room(self) -> None:
        """Give what room there is to the previews, until a person sizes a column."""
        header = self.horizontalHeader()
        shown = [column for column in _ROOMY if not header.isSectionHidden(column)]
        if not self._is_own_widths or not shown:
            return
        others = header.length() - sum(header.sectionSize(column) for column in shown)
        self._is_fitting = True
        for column in shown:
            header.resizeSection(column, max((self.viewport().width() - others) // len(shown), _ROOMY_MIN_PX))
        self._is_fitting = False

    def _on_header_menu(self, point: QPoint) -> None:
        header = self.horizontalHeader()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column, title in MENU_TITLES.items():
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(not header.isSectionHidden(column))
            action.toggled.connect(lambda is_on, column=column: self._show_column(column, is_on))
        menu.addSeparator()
        menu.addAction("Reset columns").triggered.connect(self._reset_columns)
        menu.popup(header.mapToGlobal(point))

    def _show_column(self, column: Column, is_on: bool) -> None:
        header = self.horizontalHeader()
        if not is_on and header.hiddenSectionCount() == header.count() - 1:
            return  # a list without columns could not be brought back
        header.setSectionHidden(column, not is_on)
        if is_on and header.sectionSize(column) < 20:
            header.resizeSection(column, SPECS[column].width_px)
        self.columns_changed.emit()

    def _reset_columns(self) -> None:
        self.restore_columns({
            "order": [int(column) for column in Column],
            "widths": [spec.width_px for spec in SPECS.values()],
            "hidden": [int(column) for column, spec in SPECS.items() if not spec.is_shown],
        })  # fmt: skip
        self._is_own_widths = True
        self._share_room()
        self.columns_changed.emit()

    def _on_menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        row_id = self._model.id_at(index.row()) if index.isValid() else None
        if row_id is not None:
            self.setCurrentIndex(index)
            self.menu_wanted.emit(row_id, index.column(), self.viewport().mapToGlobal(point))

    def _on_open(self, index: QModelIndex) -> None:
        row_id = self._model.id_at(index.row()) if index.isValid() else None
        if row_id is not None:
            self.opened.emit(row_id)

    def _on_tick(self) -> None:
        """Move the durations of what runs, only while something in view does."""
        if self.isVisible() and self._model.has_running(self.visible_rows()):
            self._model.move_clock()
            self.viewport().update()

    def _keep(self) -> None:
        self._kept_id = self.chosen_id()

    def _find_again(self) -> None:
        if self._kept_id is not None:
            place = self._model.place_of(self._kept_id)
            if place >= 0:
                self.setCurrentIndex(self._model.index(place, 0))
        self._kept_id = None
