"""A page of items, as the list endpoints of the Responses API cut one."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs

from app.dialects.openai_responses_session import Item
from app.errors import InputError

_DEFAULT: Final = 20
_MOST: Final = 100


def page(items: Sequence[Item], query: str) -> Item:
    """Return the page that a query (`limit`, `order`, `after`, `before`) asks for; `items` come oldest first.

    The newest come first unless `order=asc`. Raises InputError.
    """
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    limit = _limit(asked.get("limit"))
    ordered = list(items) if asked.get("order") == "asc" else list(items)[::-1]
    if (after := asked.get("after")) is not None:
        ordered = ordered[_place(ordered, after) + 1 :]
    if (before := asked.get("before")) is not None:
        ordered = ordered[: _place(ordered, before)]
    shown = ordered[:limit]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0].get("id") if shown else None,
        "last_id": shown[-1].get("id") if shown else None,
        "has_more": len(ordered) > limit,
    }


def _limit(said: str | None) -> int:
    if said is None:
        return _DEFAULT
    if not said.isdecimal() or not 1 <= int(said) <= _MOST:
        raise InputError(f"limit must be a number from 1 to {_MOST}, not {said!r}.")
    return int(said)


def _place(items: Sequence[Item], item_id: str) -> int:
    for place, item in enumerate(items):
        if item.get("id") == item_id:
            return place
    raise InputError(f"There is no item {item_id!r} here.")
