"""The log: warnings to stderr, all of it to a file that starts over before it grows large. No secrets in either."""

import logging
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from app.redact import redact_text

_MAX_BYTES: Final = 2_000_000
_KEPT_FILES: Final = 3


class RedactingFormatter(logging.Formatter):
    """Formats records in UTC with everything masked that looks like a key, tracebacks too."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one entry."""
        return redact_text(super().format(record))


def start_logs(folder: Path | None, name: str = "gateway", level: int = logging.INFO) -> None:
    """Log to `folder/name.log`, and warnings to stderr; to stderr only where there is no folder or it is read-only."""
    root = logging.getLogger()
    root.setLevel(level)
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setLevel(logging.WARNING)
    handlers: list[logging.Handler] = [stderr]
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handlers.append(
                RotatingFileHandler(
                    folder / f"{name}.log", maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8", delay=True
                )
            )
        except OSError as error:
            print(f"No log file: {error}", file=sys.stderr)
    for handler in handlers:
        handler.setFormatter(RedactingFormatter())
        root.addHandler(handler)
