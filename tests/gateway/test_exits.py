import pytest

from app.errors import AppError, DiskFull, InputError, NewerDatabase, SetupError, StoreError
from gateway.exits import Exit, StartError, exit_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StartError("taken", Exit.PORT), 4),
        (InputError("no such key"), 1),
        (SetupError("read-only"), 5),
        (DiskFull("full"), 6),
        (NewerDatabase("newer"), 7),
        (StoreError("damaged"), 8),
        (AppError("else"), 1),
    ],
)
def test_every_expected_error_has_a_code(error: AppError, code: int) -> None:
    assert exit_of(error) == code
