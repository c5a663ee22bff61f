"""Memory that a burst needed and nobody needs any more."""

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system where the C library keeps it (glibc); elsewhere do nothing. Any thread, ms."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL("libc.so.6").malloc_trim(0)
