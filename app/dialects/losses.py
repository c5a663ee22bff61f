"""The list of what one translation could not carry, each thing once, in the order it was met."""

from app.models.loss import Loss


class Losses:
    """Collects losses."""

    def __init__(self) -> None:
        self._found: dict[str, Loss] = {}

    def drop(self, field: str, reason: str) -> None:
        """Note that a field was left out."""
        self._found.setdefault(field, Loss(field, reason, "dropped"))

    def change(self, field: str, reason: str) -> None:
        """Note that a field was sent otherwise than it was asked."""
        self._found.setdefault(field, Loss(field, reason, "changed"))

    def emulate(self, field: str, reason: str) -> None:
        """Note that we do ourselves what the upstream cannot."""
        self._found.setdefault(field, Loss(field, reason, "emulated"))

    def all(self) -> tuple[Loss, ...]:
        """Return what was noted."""
        return tuple(self._found.values())
