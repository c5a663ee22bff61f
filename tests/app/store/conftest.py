"""What the store's tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from filled_store import FilledStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FilledStore]:
    """An empty store."""
    filled = FilledStore(tmp_path)
    yield filled
    filled.close()
