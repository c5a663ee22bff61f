"""Responses that clients may name: the newest in memory, all of them in the store."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from app.models.stored_response import StoredTurn
from app.store.responses import delete_response, load_chain

T = TypeVar("T")

_MOST_BYTES: Final = 32 * 1024 * 1024
_MOST_TURNS: Final = 512


class Run(Protocol):
    """How work is done in the store, behind all that is queued for it: `app.store.writer.Writer.run`."""

    def __call__(self, work: Callable[[Any], T], /) -> "Future[T]":
        """Return the work's result, later. `work` gets the connection."""


class Turns:
    """Finds responses. Event loop only."""

    def __init__(self, run: Run | None) -> None:
        """`run` is None where there is no store."""
        self._run = run
        self._recent: OrderedDict[str, StoredTurn] = OrderedDict()
        self._size = 0

    @property
    def has_store(self) -> bool:
        """Whether anything outlives this process."""
        return self._run is not None

    async def ask(self, work: Callable[[Any], T]) -> T:
        """Do work in the store. Raises StoreError."""
        assert self._run is not None
        return await asyncio.wrap_future(self._run(work))

    def note(self, turn: StoredTurn) -> None:
        """Remember a response that is about to reach its client."""
        self._drop(turn.about.id)
        self._recent[turn.about.id] = turn
        self._size += _weight(turn)
        while self._size > _MOST_BYTES or len(self._recent) > _MOST_TURNS:
            self._drop(next(iter(self._recent)))

    async def chain(self, response_id: str, owner: str) -> list[StoredTurn]:
        """Return a response and all that it goes on from, the oldest first; empty where its owner has none of the id.

        Raises StoreError.
        """
        newest_first: list[StoredTurn] = []
        wanted: str | None = response_id
        while wanted is not None and (turn := self._recent.get(wanted)) is not None and turn.about.owner == owner:
            newest_first.append(turn)
            wanted = turn.about.previous_id
        older: list[StoredTurn] = []
        if wanted is not None and self._run is not None:
            first = wanted
            older = await self.ask(lambda conn: load_chain(conn, first, owner))
            for turn in older:
                self.note(turn)
        return older + newest_first[::-1]

    async def delete(self, response_id: str, owner: str) -> None:
        """Forget a response. Raises StoreError."""
        self._drop(response_id)
        if self._run is not None:
            await self.ask(lambda conn: delete_response(conn, response_id, owner))

    def _drop(self, response_id: str) -> None:
        turn = self._recent.pop(response_id, None)
        if turn is not None:
            self._size -= _weight(turn)


def _weight(turn: StoredTurn) -> int:
    return len(turn.request) + len(turn.response)
