"""How this program starts itself again as a child: from source, installed or frozen."""

import sys
from pathlib import Path
from typing import Final

from PySide6.QtCore import QProcess, QProcessEnvironment

OWNED: Final = "GATESCOPE_OWNED"
"""Tells a gateway that its stdin is our hold on it: closed, even before it looks, means that we are gone."""
_ROOT: Final = str(Path(__file__).resolve().parent.parent)


def prepare(process: QProcess, module: str, arguments: list[str]) -> None:
    """Set program, arguments and environment to run `module` as `python -m` would.

    `-P` and an explicit path: a folder named `app` where the person happens to stand must not be taken for ours. A
    frozen build has no `-m`; its entry point takes the module after `--child`.
    """
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONUNBUFFERED", "1")
    environment.insert(OWNED, "1")
    if getattr(sys, "frozen", False):
        program, first = sys.executable, ["--child", module]
    else:
        program, first = sys.executable, ["-P", "-m", module]
        known = environment.value("PYTHONPATH")
        environment.insert("PYTHONPATH", f"{_ROOT}{_separator()}{known}" if known else _ROOT)
    process.setProgram(program)
    process.setArguments([*first, *arguments])
    process.setProcessEnvironment(environment)


def _separator() -> str:
    return ";" if sys.platform == "win32" else ":"
