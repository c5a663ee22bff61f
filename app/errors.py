"""The errors we expect.

    AppError
    ├── InputError      what came in is wrong: a body, a config line, a flag
    ├── Refused         a rule said no: a key, an origin, a limit, a budget
    ├── UpstreamError   the provider is down, slow, or answers nonsense
    ├── StoreError      the database cannot be read or written
    └── SetupError      the machine is not ready: port, folder, keyring
        ├── DiskFull
        └── NewerDatabase   written by a version after this one

Anything else that flies is a bug. What fails in the *user's call* is data (`models.span.Failure`), not an exception.
"""

from typing import ClassVar


class AppError(Exception):
    """A failure we expect. `message` says what happened, with the value; `hint` says what to do."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(AppError):
    """What came in is wrong."""

    code = "invalid_input"


class Refused(AppError):
    """A rule said no."""

    code = "refused"

    def __init__(self, message: str, *, rule: str, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule
        """Which rule, as one word: key, host, origin, model, limit, budget."""
        self.retry_after_s = retry_after_s


class UpstreamError(AppError):
    """A provider failed before it gave an answer of its own."""

    code = "upstream"

    def __init__(
        self, message: str, *, provider: str, hint: str = "", status: int | None = None, is_retryable: bool = True
    ) -> None:
        super().__init__(message, hint=hint)
        self.provider = provider
        self.status = status
        """The provider's HTTP status, None where it gave none."""
        self.is_retryable = is_retryable


class StoreError(AppError):
    """The database cannot be read or written."""

    code = "store"


class SetupError(AppError):
    """The machine is not ready for us."""

    code = "setup"


class DiskFull(SetupError):
    """There is no room left for the data."""

    code = "disk_full"


class NewerDatabase(SetupError):
    """The database was written by a version after this one; it was not touched."""

    code = "newer_database"
