"""What memory has lost the store still knows: a gateway that is started anew before every single call."""

from pathlib import Path

import pytest
from agents import KINDS, Clock, ten_turns
from filled_store import FilledStore
from trees import Desk

from app.digest import Digester
from app.linking.stitch import Stitcher
from app.models.call import CallRecord, CallWrite, ChainEntry, Placement
from app.pricing.book import Book
from app.store import chains

_DIGESTER = Digester(Book(()))


class ForgetfulDesk(Desk):
    """Keeps its calls in a real store, and remembers nothing."""

    def __init__(self, store: FilledStore) -> None:
        super().__init__()
        self.store = store

    def recall(self, chain_hash: int) -> ChainEntry | None:
        return chains.recall(self.store.conn, chain_hash)

    def place(self, record: CallRecord) -> Placement:
        self.stitcher = Stitcher(self.recall)
        placement = super().place(record)
        self.store.add(CallWrite(record, _DIGESTER.digest(record), placement))
        return placement


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_that_outlives_its_gateway_is_still_one_session_of_exact_trees(kind: str, tmp_path: Path) -> None:
    desk = ForgetfulDesk(FilledStore(tmp_path))
    records = list(ten_turns(KINDS[kind](Clock()), "Oslo"))

    desk.place_all(records)

    placements = [desk.placements[record.span_id] for record in records]
    traces = list(dict.fromkeys(placement.trace_id for placement in placements))
    assert [desk.tree(trace).count("\n") for trace in traces] == [6] * 10
    assert {desk.tree(trace).partition("\n")[2] for trace in traces} == {
        "  call\n  tool search\n  tool weather\n  call\n  tool read\n  call"
    }
    assert len({placement.session for placement in placements}) == 1
    assert {placement.thread_span_id for placement in placements} == {records[0].span_id}
    starts = [span.start_ns for span in desk.drawn.values() if span.name.startswith("Question")]
    assert starts == [record.start_ns for record in records[::3]]
