"""Make the checkout importable in this environment and write the `gatescope` command.

What `pip install -e .` would do, but with no build back end: nothing that is not locked by hash is run.
"""

import stat
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = """#!{python}
import sys
from app.launch import main
sys.exit(main())
"""


def link() -> None:
    """Write a .pth file that names the checkout, and the command. Both are replaced if they exist."""
    site = Path(sysconfig.get_path("purelib"))
    (site / "gatescope.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    command = Path(sys.executable).with_name("gatescope")
    command.write_text(COMMAND.format(python=sys.executable), encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


if __name__ == "__main__":
    link()
