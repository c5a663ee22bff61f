"""Waiting for a condition on a running loop, without a fixed sleep."""

import asyncio
from collections.abc import Callable


async def settle(is_so: Callable[[], object], within_s: float = 5.0) -> None:
    """Let the loop turn until the condition holds; fails the test when it does not come true."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    while not is_so():
        assert loop.time() < end_s, "the condition never came true"
        await asyncio.sleep(0.005)
