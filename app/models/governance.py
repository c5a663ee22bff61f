"""Who may call: virtual keys. (Budgets and limits join them with the control plane.)"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VirtualKey:
    """A `gs-…` key as it is kept: never the key itself."""

    id: int
    name: str
    sha256: bytes
    """32 bytes; the key is looked up by it."""
    hint: str
    """For a person to tell keys apart: `gs-ab12…9f2a`."""
    created_ns: int
    revoked_ns: int | None = None
    last_used_ns: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether it opens the gateway."""
        return self.revoked_ns is None
