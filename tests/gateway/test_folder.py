import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.paths import Paths
from gateway import folder
from gateway.exits import Exit, StartError
from gateway.folder import (
    FolderLock,
    Runtime,
    prepare_folder,
    read_runtime,
    remove_runtime,
    write_runtime,
)


def test_the_folder_is_made_for_its_owner_alone_and_left_clean(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "a" / "b")
    prepare_folder(paths)
    assert list(paths.data.iterdir()) == []
    assert paths.data.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot be written") as caught:
        prepare_folder(Paths(tmp_path / "file" / "data"))
    assert caught.value.exit_code is Exit.FOLDER


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_self: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(StartError, match="is full") as caught:
        prepare_folder(Paths(tmp_path))
    assert caught.value.exit_code is Exit.DISK_FULL


def test_a_disk_that_is_nearly_full_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "_free_bytes", lambda _folder: 4096)
    with pytest.raises(StartError, match=r"is full \(4 KB free\)"):
        prepare_folder(Paths(tmp_path))


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    first, second = FolderLock(paths), FolderLock(paths)
    first.take()
    with pytest.raises(StartError, match=f"process {os.getpid()}") as caught:
        second.take()
    assert caught.value.exit_code is Exit.HELD
    first.release()
    second.take()
    second.release()


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    words = "from app.paths import Paths; from gateway.folder import FolderLock; from pathlib import Path; import os"
    code = f"{words}; FolderLock(Paths(Path({str(tmp_path)!r}))).take(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    lock = FolderLock(Paths(tmp_path))
    lock.take()
    lock.release()


def test_the_runtime_file_is_for_its_owners_eyes_and_goes_at_the_end(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    runtime = Runtime(os.getpid(), 4141, "token", 1)
    write_runtime(paths, runtime)
    assert paths.runtime.stat().st_mode & 0o777 == 0o600
    assert read_runtime(paths) == runtime
    remove_runtime(paths)
    assert list(tmp_path.iterdir()) == []


def test_a_runtime_file_of_a_dead_process_or_a_broken_one_counts_for_nothing(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    write_runtime(paths, Runtime(dead.pid, 4141, "token"))
    assert read_runtime(paths) is None
    remove_runtime(paths)
    assert paths.runtime.exists()
    paths.runtime.write_text("{")
    assert read_runtime(paths) is None
