"""What a path asks for, told from the method and the path alone."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["openai", "anthropic", "gemini"]
"""Whose manners a client has: how it sends its key and reads an error."""

ModelPlace = Literal["body", "path", "form", "none"]
"""Where a request names its model. `none`: it names none that we need."""


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of call."""

    family: Family
    dialect: str
    """A name of `app.dialects.registry`, "" where nobody reads it."""
    operation: str
    """As in `app.models.call.CallRecord.operation`."""
    model_place: ModelPlace = "none"
    provider: str | None = None
    """Named by the path's first part (`/groq/…`); None: the plan finds one."""
    model: str | None = None
    """The model in the path, where that is its place."""
    response_id: str | None = None
    """The stored response that the path names."""
    upstream_path: str | None = None
    """The path for the provider, where it is not the client's own."""

    @property
    def is_json(self) -> bool:
        """Whether the body must be JSON."""
        return self.dialect != "" and self.model_place in ("body", "path")
