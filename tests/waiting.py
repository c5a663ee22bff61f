"""Waiting for something to become true."""

import asyncio
from collections.abc import Callable


async def until(is_so: Callable[[], bool], within_s: float = 8.0) -> None:
    """Return when something has become true; fails where it does not."""
    for _ in range(int(within_s / 0.01)):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never became true")
