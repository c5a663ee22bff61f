"""One desktop per data folder: a second start hands its arguments to the first and leaves (UX F7)."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

WAIT_MS: Final = 500
MAX_BYTES: Final = 64 * 1024


def name_for(data_dir: Path) -> str:
    """Return the socket's name for a data folder: the same folder by any spelling gives the same name."""
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()
    return f"gatescope-{digest[:16]}"


def hand_over(data_dir: Path, arguments: Sequence[str]) -> bool:
    """Give the arguments to the desktop that already runs on this folder; False where none does."""
    door = QLocalSocket()
    door.connectToServer(name_for(data_dir))
    if not door.waitForConnected(WAIT_MS):
        return False
    door.write(json.dumps(list(arguments)).encode() + b"\n")
    is_taken = door.waitForBytesWritten(WAIT_MS) and door.waitForReadyRead(WAIT_MS * 4)
    door.disconnectFromServer()
    return is_taken


class Instance(QObject):
    """The first desktop's ear."""

    called = Signal(list)
    """Another start's arguments: show yourself."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__()
        self._name = name_for(data_dir)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)

    def listen(self) -> bool:
        """Begin to hear; a socket that a crash left is taken away. Call `hand_over` before, to be sure it is dead."""
        if self._server.listen(self._name):
            return True
        QLocalServer.removeServer(self._name)
        return self._server.listen(self._name)

    def close(self) -> None:
        """Stop hearing."""
        self._server.close()

    def _on_connection(self) -> None:
        while (caller := self._server.nextPendingConnection()) is not None:
            caller.readyRead.connect(lambda caller=caller: self._on_words(caller))
            caller.disconnected.connect(caller.deleteLater)

    def _on_words(self, caller: QLocalSocket) -> None:
        if not caller.canReadLine():
            if caller.bytesAvailable() > MAX_BYTES:
                caller.abort()
            return
        try:
            arguments = json.loads(caller.readLine(MAX_BYTES).data())
        except ValueError:
            caller.abort()
            return
        caller.write(b"ok\n")
        caller.flush()
        if isinstance(arguments, list):
            self.called.emit([str(word) for word in arguments])
