"""The `gatescope` command: the desktop where no subcommand is given, else the gateway's command line.

Neither side is imported before it is known to be wanted: a headless gateway never loads Qt.
"""

import importlib
import sys
from typing import Final

COMMANDS: Final = ("serve", "demo", "key", "doctor")
_ASIDE: Final = frozenset({"--version", "-V", "--help", "-h"})


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    room = "ui.main" if is_desktop(words) else "gateway.cli"
    code = importlib.import_module(room).main(words)
    return code if isinstance(code, int) else 0


def is_desktop(words: list[str]) -> bool:
    """Whether the words ask for the desktop: nothing, or options only, and none that merely asks for words."""
    if any(word in COMMANDS or word in _ASIDE for word in words):
        return False
    return not words or words[0].startswith("-")


if __name__ == "__main__":
    sys.exit(main())
