import ctypes
import sys
from pathlib import Path

import pytest

from app.memory import give_back


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


@pytest.mark.skipif(sys.platform != "linux", reason="Only glibc keeps freed memory that can be given back")
def test_freed_memory_goes_back_to_the_system() -> None:
    try:
        ctypes.CDLL("libc.so.6").malloc_trim  # noqa: B018  another C library has none
    except (OSError, AttributeError):
        pytest.skip("Another C library than glibc")
    held = [bytes(2000) for _ in range(50_000)]
    full_mb = resident_mb()
    del held[:-1]
    give_back()
    assert resident_mb() < full_mb - 50
