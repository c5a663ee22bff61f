"""How the small tables of this page look."""

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView

from ui.theme import Theme

MOST_ROWS = 12
"""A table grows with its rows up to so many, then scrolls."""


def small_table(model: QAbstractItemModel, name: str, theme: Theme, *, stretched: int) -> QTableView:
    """Return a table over `model`: whole rows, no grid, one column that takes the room."""
    table = QTableView()
    table.setModel(model)
    table.setAccessibleName(name)
    table.setFrameShape(QFrame.Shape.NoFrame)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.setTabKeyNavigation(False)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    table.setStyleSheet("QTableView::item { padding: 0 8px; }")
    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)

    def fit() -> None:
        row_px = theme.row_height_px + 4
        table.verticalHeader().setDefaultSectionSize(row_px)
        n_rows = min(max(model.rowCount(), 1), MOST_ROWS)
        table.setFixedHeight(header.sizeHint().height() + n_rows * row_px + 2)

    fit()
    theme.changed.connect(fit)
    model.modelReset.connect(fit)
    return table
