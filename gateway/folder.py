"""The data folder as one gateway owns it: usable, locked, and with `gateway.json` in it while the gateway runs."""

import contextlib
import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Final

import msgspec

from app.paths import Paths
from gateway.exits import Exit, StartError

_LEAST_FREE_BYTES: Final = 8 * 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_LOCK_BYTE: Final = 1 << 30
"""Windows forbids reading a locked byte: we lock one far behind the text."""


class Runtime(msgspec.Struct, frozen=True):
    """`gateway.json`: how to reach the gateway that runs on a folder."""

    pid: int
    port: int
    token: str
    """The desktop's. The file is readable by its owner only."""
    started_ns: int = 0
    host: str = "127.0.0.1"


def prepare_folder(paths: Paths) -> None:
    """Make the data folder and prove that it can be written.

    Raises StartError where it cannot be made or written, or where the disk is full.
    """
    probe = paths.data / f".write-test-{os.getpid()}"
    try:
        paths.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.write_bytes(b"x" * 4096)
        free_bytes = _free_bytes(paths.data)
    except OSError as error:
        raise _folder_error(paths.data, error) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    if free_bytes < _LEAST_FREE_BYTES:
        raise StartError(
            f"The disk of {paths.data} is full ({free_bytes // 1024} KB free).",
            Exit.DISK_FULL,
            hint="Make room, or choose another data folder with --data.",
        )


class FolderLock:
    """The right to write in a data folder: an operating system lock, so it goes with its process however that ends."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the lock. Raises StartError, saying who has it, where another process does."""
        try:
            file = self._paths.lock.open("a+", encoding="utf-8")
        except OSError as error:
            raise _folder_error(self._paths.data, error) from error
        try:
            _lock(file)
        except OSError as error:
            file.close()
            holder = _holder(self._paths.lock)
            raise StartError(
                f"Another gateway ({holder}) is using {self._paths.data}.",
                Exit.HELD,
                hint="Use that one, stop it, or give this one a folder of its own with --data.",
            ) from error
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since_ns": time.time_ns()}))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let it go. The file stays: deleting it could take another's lock away."""
        if self._file is not None:
            self._file.close()
            self._file = None


def write_runtime(paths: Paths, runtime: Runtime) -> None:
    """Write `gateway.json` in one step, for its owner's eyes only."""
    new = paths.runtime.with_suffix(".json.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.encode(runtime))
    new.replace(paths.runtime)


def read_runtime(paths: Paths) -> Runtime | None:
    """Return what `gateway.json` says, None where there is none or nobody could have left it but a dead process."""
    try:
        runtime = msgspec.json.decode(paths.runtime.read_bytes(), type=Runtime)
    except (OSError, msgspec.DecodeError):
        return None
    return runtime if is_alive(runtime.pid) else None


def remove_runtime(paths: Paths) -> None:
    """Take `gateway.json` away where it is ours."""
    with contextlib.suppress(OSError, msgspec.DecodeError):
        if msgspec.json.decode(paths.runtime.read_bytes(), type=Runtime).pid == os.getpid():
            paths.runtime.unlink()


def is_alive(pid: int) -> bool:
    """Whether a process of this id runs."""
    if sys.platform == "win32":  # os.kill would end it there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _holder(lock: Path) -> str:
    try:
        said = json.loads(lock.read_text(encoding="utf-8"))
        return f"process {int(said['pid'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _free_bytes(folder: Path) -> int:
    import shutil

    return shutil.disk_usage(folder).free


def _folder_error(folder: Path, error: OSError) -> StartError:
    if error.errno in _FULL:
        hint = "Make room, or choose another data folder with --data."
        return StartError(f"The disk of {folder} is full.", Exit.DISK_FULL, hint=hint)
    hint = "Make it writable for you, or choose another with --data."
    return StartError(f"The data folder {folder} cannot be written: {error.strerror or error}.", Exit.FOLDER, hint=hint)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(_LOCK_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(0)
else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
