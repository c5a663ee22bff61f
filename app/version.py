"""Which version this is. (Asking the installed package's metadata takes 40 ms of a start.)"""

from typing import Final

VERSION: Final = "0.1.0"
"""The same as in `pyproject.toml`."""
