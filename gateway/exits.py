"""The exit codes of the command line, so that scripts can tell what happened.

0  done as asked
1  a bug of ours, or what was asked for is not there
2  the command line is wrong
3  the config has a mistake
4  the port is taken
5  the data folder cannot be used
6  the disk is full
7  the database is of a newer version
8  the database cannot be read or written
9  another gateway holds the data folder
"""

from enum import IntEnum

from app.errors import AppError, DiskFull, NewerDatabase, SetupError, StoreError


class Exit(IntEnum):
    """How the program ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    PORT = 4
    FOLDER = 5
    DISK_FULL = 6
    NEWER_DATABASE = 7
    DATABASE = 8
    HELD = 9


class StartError(SetupError):
    """The gateway cannot start, and this is the code it ends with."""

    def __init__(self, message: str, exit_code: Exit, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def exit_of(error: AppError) -> Exit:
    """Return the code that an error ends the program with."""
    match error:
        case StartError():
            return error.exit_code
        case NewerDatabase():
            return Exit.NEWER_DATABASE
        case DiskFull():
            return Exit.DISK_FULL
        case SetupError():
            return Exit.FOLDER
        case StoreError():
            return Exit.DATABASE
        case _:
            return Exit.FAILED
