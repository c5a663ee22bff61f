"""Virtual keys: make one (its text is shown once), see when each was used, revoke."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from ui.client import KeyRow, NewKey
from ui.desk import Desk
from ui.gateway.rows import keys_model
from ui.gateway.table import small_table
from ui.kit.feedback import Toast
from ui.style import set_role


class KeysPanel(QWidget):
    """The list of keys and what can be done with them."""

    counted = Signal(int)
    """How many live keys there are."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._model = keys_model(self)
        self._name = QLineEdit(self)
        self._name.setPlaceholderText("Name of the new key, for instance the app that will use it")
        self._name.setAccessibleName("Name of the new key")
        self._name.setMaxLength(80)
        self._create = QPushButton("Create key", self)
        set_role(self._create, role="primary")
        self._create.clicked.connect(self._on_create)
        self._name.returnPressed.connect(self._on_create)
        self._name.textChanged.connect(self._show_buttons)
        self._secret = _SecretCard(desk, self)
        self._table = small_table(self._model, "Virtual keys", desk.theme, stretched=0)
        self._table.customContextMenuRequested.connect(self._on_menu)
        self._table.selectionModel().selectionChanged.connect(self._show_buttons)
        self._none = QLabel("No keys yet.", self)
        set_role(self._none, role="dim")
        self._revoke = QPushButton("Revoke", self)
        set_role(self._revoke, role="danger")
        self._revoke.clicked.connect(self._on_revoke)
        self._model.modelReset.connect(self._show_buttons)
        self._lay_out()
        self._show_buttons()

    def refresh(self) -> None:
        """Read the keys again."""
        if self._desk.engine.is_running:
            self._desk.start(self._read(), "Reading the keys")
        self._show_buttons()

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._name, 1)
        line.addWidget(self._create)
        line.addWidget(self._revoke)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(line)
        column.addWidget(self._secret)
        column.addWidget(self._none)
        column.addWidget(self._table)

    async def _read(self) -> None:
        keys = await self._desk.client.keys()
        keys.sort(key=lambda key: (key.revoked_ns is not None, -key.created_ns))
        self._model.show(keys, lambda key: (key.id, key.revoked_ns))
        self.counted.emit(sum(key.revoked_ns is None for key in keys))

    def _on_create(self) -> None:
        name = self._name.text().strip()
        if name and self._create.isEnabled():
            self._desk.start(self._make(name), "Creating the key")

    async def _make(self, name: str) -> None:
        made = await self._desk.client.create_key(name)
        self._name.clear()
        self._secret.show_key(name, made)
        await self._read()

    def _on_revoke(self) -> None:
        if (key := self._chosen()) is not None:
            self._desk.start(self._close(key), f"Revoking {key.name}")

    async def _close(self, key: KeyRow) -> None:
        await self._desk.client.revoke_key(key.id)
        self._desk.feedback.say(Toast(f"{key.name} is revoked; its next request is refused.", "good"))
        await self._read()

    def _chosen(self) -> KeyRow | None:
        rows = self._table.selectionModel().selectedRows()
        return self._model.row(rows[0].row()) if rows else None

    def _on_menu(self, where: object) -> None:
        key = self._chosen()
        if key is None:
            return
        menu = QMenu(self)
        copy = QAction("Copy hint", menu)
        copy.triggered.connect(partial(self._desk.copy, key.hint, "the key's hint"))
        menu.addAction(copy)
        if key.revoked_ns is None:
            revoke = QAction("Revoke", menu)
            revoke.triggered.connect(self._on_revoke)
            menu.addAction(revoke)
        menu.popup(self._table.viewport().mapToGlobal(where))

    def _show_buttons(self) -> None:
        is_up = self._desk.engine.is_running
        key = self._chosen()
        has_keys = self._model.rowCount() > 0
        self._table.setVisible(has_keys)
        self._none.setVisible(not has_keys)
        self._name.setEnabled(is_up)
        self._create.setEnabled(is_up and bool(self._name.text().strip()))
        self._revoke.setEnabled(is_up and key is not None and key.revoked_ns is None)


class _SecretCard(QFrame):
    """A key just made, this once."""

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk = desk
        set_role(self, role="notice", tone="warn")
        self._title = QLabel(self)
        self._key = QLineEdit(self)
        self._key.setReadOnly(True)
        self._paint()
        desk.theme.changed.connect(self._paint)
        self._key.setAccessibleName("The new key")
        copy = QPushButton("Copy", self)
        copy.clicked.connect(lambda: desk.copy(self._key.text(), "the key"))
        done = QPushButton("Done", self)
        set_role(done, role="quiet")
        done.clicked.connect(self._forget)
        line = QHBoxLayout()
        line.addWidget(self._key, 1)
        line.addWidget(copy)
        line.addWidget(done)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.addWidget(self._title)
        column.addLayout(line)
        self.hide()

    def show_key(self, name: str, made: NewKey) -> None:
        """Show it, marked, ready to copy."""
        self._title.setText(f"The key “{name}”. Copy it now: it is not kept and cannot be shown again.")
        self._key.setText(made.key)
        self._key.setCursorPosition(0)
        self._key.selectAll()
        self.show()
        self._key.setFocus()

    def _paint(self) -> None:
        self._key.setFont(self._desk.theme.code_font())

    def _forget(self) -> None:
        self._key.clear()
        self.hide()
