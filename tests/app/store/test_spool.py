import errno
import os
from pathlib import Path

import pytest
from factories import call_record

from app.models.call import CallRecord
from app.store.spool import Spool


def reopened(folder: Path) -> tuple[Spool, list[CallRecord], int, list[Path]]:
    spool = Spool(folder)
    found = spool.recover()
    return spool, found.records, found.n_torn, found.set_aside


def filled(folder: Path, n_records: int = 3, segment_bytes: int = 1_000_000) -> tuple[Spool, list[CallRecord]]:
    spool = Spool(folder, segment_bytes)
    spool.recover()
    records = [call_record() for _ in range(n_records)]
    for record in records:
        spool.append(record)
    return spool, records


def test_what_was_appended_is_there_after_a_kill(tmp_path: Path) -> None:
    _, records = filled(tmp_path)
    assert reopened(tmp_path)[1] == records


def test_committed_records_leave_no_file_behind(tmp_path: Path) -> None:
    spool, records = filled(tmp_path)
    spool.done(record.span_id for record in records)
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_segment_goes_when_its_last_record_is_committed(tmp_path: Path) -> None:
    spool, records = filled(tmp_path, n_records=6, segment_bytes=700)
    n_segments = len(list(tmp_path.iterdir()))
    assert n_segments > 2
    spool.done([records[0].span_id])
    spool.done([record.span_id for record in records[1:]])
    assert len(list(tmp_path.iterdir())) == 1
    assert spool.n_waiting == 0


def test_records_wait_through_any_number_of_starts(tmp_path: Path) -> None:
    _, records = filled(tmp_path)
    for _ in range(3):
        spool, found, _, _ = reopened(tmp_path)
        spool.close()
        assert found == records
    spool, _, _, _ = reopened(tmp_path)
    spool.append(call_record())
    spool.done([record.span_id for record in records])
    assert len(reopened(tmp_path)[1]) == 1


@pytest.mark.parametrize("cut_bytes", [1, 7, 100, 500])
def test_a_torn_tail_loses_only_the_record_that_was_being_written(tmp_path: Path, cut_bytes: int) -> None:
    _, records = filled(tmp_path)
    (path,) = tmp_path.iterdir()
    os.truncate(path, path.stat().st_size - cut_bytes)
    _, found, n_torn, aside = reopened(tmp_path)
    assert found == records[:2]
    assert (n_torn, aside) == (1, [])


def test_what_cannot_be_read_is_set_aside_and_the_rest_recovered(tmp_path: Path) -> None:
    _, records = filled(tmp_path)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    at = data.rindex(records[2].request_id.encode())
    path.write_bytes(data[:at] + b"XXXX" + data[at + 4 :])
    _, found, n_torn, (aside,) = reopened(tmp_path)
    assert (found, n_torn) == (records[:2], 0)
    assert b"XXXX" in aside.read_bytes()


def test_a_file_that_is_no_segment_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "000000007.seg").write_bytes(b"something else entirely")
    spool, found, _, (aside,) = reopened(tmp_path)
    assert found == []
    assert aside.read_bytes() == b"something else entirely"
    spool.append(call_record())
    assert (tmp_path / "000000008.seg").exists()


def test_an_empty_segment_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "000000001.seg").write_bytes(b"GSSP")
    assert reopened(tmp_path)[1:] == ([], 0, [])


def test_a_record_that_is_half_written_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool, records = filled(tmp_path)
    write = os.write

    def full(file: int, data: bytes) -> int:
        return write(file, data[:50])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="Only 50 of") as caught:
        spool.append(call_record())
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    last = call_record()
    spool.append(last)
    assert reopened(tmp_path)[1] == [*records, last]


def test_text_that_is_no_unicode_does_not_stop_a_record(tmp_path: Path) -> None:
    spool, _ = filled(tmp_path, 0)
    spool.append(call_record(request_headers=(("x-name", "caf\udce9"),), path="/\udcff"))
    (found,) = reopened(tmp_path)[1]
    assert found.request_headers == (("x-name", "caf?"),)


def test_a_large_record_comes_back_as_it_was(tmp_path: Path) -> None:
    spool, _ = filled(tmp_path, 0)
    record = call_record(request=os.urandom(3_000_000), chunks=tuple(range(2000)))
    spool.append(record)
    assert reopened(tmp_path)[1] == [record]


def test_a_waiting_record_is_read_back_from_whichever_segment_it_is_in(tmp_path: Path) -> None:
    spool, records = filled(tmp_path, n_records=6, segment_bytes=700)
    assert [spool.read(record.span_id) for record in reversed(records)] == records[::-1]
    spool.done([records[0].span_id])
    assert [spool.has(record.span_id) for record in records] == [False, *[True] * 5]
    spool.close()
    again, found, _, _ = reopened(tmp_path)
    assert found[-5:] == records[1:]
    assert [again.read(record.span_id) for record in found] == found
    again.close()
