"""Where real recordings are, for the tests that use them; a clone without them skips, and says so."""

from pathlib import Path

import pytest


def find(name: str) -> Path:
    """Return the folder `shared/<name>` beside the checkout, or skip the test."""
    for parent in Path(__file__).resolve().parents:
        folder = parent / "shared" / name
        if folder.is_dir():
            return folder
    pytest.skip(f"no shared/{name} beside the checkout: real recordings not tested")
