"""A request's fields taken out one by one, each as what it should be; what is not of its kind stays among the rest."""

from typing import Any


class Knobs:
    """The fields of one object. What was taken is gone; `left` is everything else."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._left: dict[str, Any] = dict(fields)

    def number(self, name: str) -> float | None:
        """Take a number."""
        value = self._left.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            del self._left[name]
            return value
        return None

    def whole(self, name: str) -> int | None:
        """Take a whole number, also one that is written as 5.0."""
        value = self._left.get(name)
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int:
            del self._left[name]
            return value
        return None

    def flag(self, name: str) -> bool | None:
        """Take true or false."""
        value = self._left.get(name)
        if isinstance(value, bool):
            del self._left[name]
            return value
        return None

    def text(self, name: str) -> str | None:
        """Take a text with something in it."""
        value = self._left.get(name)
        if isinstance(value, str) and value:
            del self._left[name]
            return value
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """Take a list of texts, or one text as a list of one."""
        value = self._left.get(name)
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not listed or not all(isinstance(text, str) for text in listed):
            return ()
        del self._left[name]
        return tuple(listed)

    def take_list(self, name: str) -> list[Any]:
        """Take a list with something in it."""
        value = self._left.get(name)
        if isinstance(value, list) and value:
            del self._left[name]
            return value
        return []

    def take(self, name: str) -> object:
        """Take whatever stands there, None where nothing does."""
        return self._left.pop(name, None)

    def put(self, name: str, value: object) -> None:
        """Give a field back."""
        self._left[name] = value

    def left(self) -> dict[str, object]:
        """Return what was not taken and is not null."""
        return {name: value for name, value in self._left.items() if value is not None}
