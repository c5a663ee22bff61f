import json
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wire_bodies import wire_bodies

from app.models.call import Edit
from app.store.connect import open_writer, transaction
from app.store.migrations import migrate
from app.store.payloads import NS_A_DAY, Codec

SCRAPS = (b"\x00", b"\x01", b"\x01,\x01", b'"', b"}", b"]", b",", b"\\", b"\xff", b"\x1f", b"", b'{"a":1,')
NUMBERS = st.integers(0, 12)


class Shelf:
    """A codec on an empty database, with a clock that stands."""

    def __init__(self, folder: Path) -> None:
        migrate(folder / "traces.db")
        self.conn = open_writer(folder / "traces.db")
        self.day = 20_000
        with transaction(self.conn):
            self.codec = Codec(self.conn, lambda: self.day * NS_A_DAY)

    def request(self, body: bytes, thread: object = None) -> int:
        with transaction(self.conn):
            self.codec.begin()
            kept = self.codec.put_request(body, thread)  # type: ignore[arg-type]
            self.codec.flush()
        assert self.codec.get(kept.body_id) == body
        return kept.body_id

    def count(self, table: str) -> int:
        return int(self.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    def stored_bytes(self) -> int:
        sql = "SELECT (SELECT sum(length(data)) FROM item) + (SELECT sum(length(data)) FROM body)"
        return int(self.conn.execute(sql).fetchone()[0])


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    yield made
    made.conn.close()


def message(number: int, size: int = 400) -> dict[str, str]:
    words = random.Random(number).choices(["tool", "result", "file", "line", "value", str(number)], k=size // 5)
    return {"role": "user", "content": " ".join(words)}


def chat(*numbers: int, **fields: object) -> bytes:
    return msgspec.json.encode({"messages": [message(number) for number in numbers], "model": "m", **fields})


def test_a_resent_history_costs_its_new_messages_only(shelf: Shelf) -> None:
    tools = [{"name": f"tool {number}", "description": "d" * 300} for number in range(20)]
    shelf.request(chat(*range(20), tools=tools), thread=1)
    items, size = shelf.count("item"), shelf.stored_bytes()
    shelf.request(chat(*range(22), tools=tools), thread=1)
    assert shelf.count("item") == items + 2
    assert shelf.stored_bytes() < size + 600


def test_a_thread_goes_on_when_its_history_was_edited(shelf: Shelf) -> None:
    shelf.request(chat(*range(20)), thread=1)
    shelf.request(chat(*range(10), 77, *range(11, 21)), thread=1)
    shelf.request(chat(*range(5)), thread=1)
    shelf.request(chat(*range(3, 30)), thread=1)
    assert shelf.count("item") == 30 + 1 + 1  # messages, the edited one, the template


def test_a_thread_that_sends_two_forms_in_turn_is_followed_in_both(shelf: Shelf) -> None:
    for turn in range(8, 20):
        shelf.request(chat(*range(turn), stream=bool(turn % 2)), thread=1)
    assert shelf.count("item") == 19 + 2


def test_the_same_body_in_another_thread_needs_no_new_item(shelf: Shelf) -> None:
    shelf.request(chat(*range(40)), thread=1)
    items = shelf.count("item")
    shelf.request(chat(*range(40)), thread=2)
    assert shelf.count("item") == items


def test_what_a_process_forgot_is_found_by_hash(shelf: Shelf) -> None:
    shelf.request(chat(*range(10)), thread=1)
    shelf.codec.forget()
    shelf.request(chat(*range(10)), thread=1)
    assert shelf.count("item") == 11


def test_nothing_of_a_rolled_back_batch_is_remembered(shelf: Shelf) -> None:
    shelf.conn.execute("BEGIN")
    shelf.codec.begin()
    shelf.codec.put_request(chat(*range(10)), 1)
    shelf.codec.flush()
    shelf.conn.execute("ROLLBACK")
    shelf.codec.forget()
    shelf.request(chat(*range(10)), thread=1)


def test_an_item_used_again_on_another_day_is_touched_once(shelf: Shelf) -> None:
    shelf.request(chat(*range(10)), thread=1)
    shelf.day += 1
    shelf.request(chat(*range(9)), thread=1)
    days = shelf.conn.execute("SELECT epoch, count(*) FROM item GROUP BY epoch ORDER BY epoch").fetchall()
    assert days == [(20_000, 1), (20_001, 10)]


def test_a_clock_that_stepped_back_does_not_age_items(shelf: Shelf) -> None:
    with transaction(shelf.conn):
        shelf.codec.begin(20_005 * NS_A_DAY)
        shelf.codec.put_request(chat(*range(10)))
        shelf.codec.flush()
    assert shelf.conn.execute("SELECT DISTINCT epoch FROM item").fetchall() == [(20_005,)]


def test_an_edited_body_costs_its_edit(shelf: Shelf) -> None:
    body = chat(*range(10))
    at = body.index(b'"m"')
    with transaction(shelf.conn):
        shelf.codec.begin()
        base = shelf.codec.put_request(body).body_id
        edited = shelf.codec.put_edit(base, body, Edit(at, at + 3, b'"another"'))
        shelf.codec.flush()
    assert shelf.codec.get(edited) == body.replace(b'"m"', b'"another"')
    size = shelf.conn.execute("SELECT length(data) FROM body WHERE id = ?", (edited,)).fetchone()[0]
    assert size < 20


def test_a_text_that_the_request_carries_is_kept_as_a_quote(shelf: Shelf) -> None:
    text = 'line "one"\n\ttwo \\ größe 😀 ' * 30
    body = msgspec.json.encode({"messages": [message(1, 2000), {"role": "tool", "content": text}]})
    with transaction(shelf.conn):
        shelf.codec.begin()
        shelf.codec.put_request(body)
        quote, other = shelf.codec.put_text(text.encode()), shelf.codec.put_text(b"not there " * 30)
        shelf.codec.flush()
    assert shelf.codec.get(quote) == text.encode()
    assert shelf.codec.get(other) == b"not there " * 30
    forms = shelf.conn.execute("SELECT form, length(data) < 10 FROM body WHERE id IN (?, ?)", (quote, other)).fetchall()
    assert forms == [(4, 1), (0, 0)]


def test_an_answer_shares_what_it_repeats_and_keeps_the_rest_whole(shelf: Shelf) -> None:
    tools = [{"name": f"tool {number}", "description": "d" * 400} for number in range(20)]
    answers = [msgspec.json.encode({"id": n, "output": [message(n)], "tools": tools}) for n in range(3)]
    with transaction(shelf.conn):
        shelf.codec.begin()
        ids = [shelf.codec.put_answer(answer) for answer in answers]
        shelf.codec.flush()
    assert [shelf.codec.get(body_id) for body_id in ids] == answers
    assert shelf.count("item") == 20 + 3


def test_a_replaced_body_leaves_nothing_behind(shelf: Shelf) -> None:
    for texts in ([b"one", b"one", b"two"], [b"three"]):
        with transaction(shelf.conn):
            shelf.codec.begin()
            body_id = shelf.codec.put(texts[0])
            for text in texts[1:]:
                body_id = shelf.codec.replace(body_id, text)
            shelf.codec.flush()
    assert shelf.count("body") == 2


def test_every_recorded_body_comes_back_as_it_was(shelf: Shelf) -> None:
    kept = []
    with transaction(shelf.conn):
        shelf.codec.begin()
        for conversation, side, body in wire_bodies(styles=3):
            is_request = side == "request"
            body_id = (
                shelf.codec.put_request(body, conversation).body_id if is_request else shelf.codec.put_answer(body)
            )
            kept.append((body_id, body))
        shelf.codec.flush()
    assert len(kept) > 10_000
    assert not [body for body_id, body in kept if shelf.codec.get(body_id) != body]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_torn_or_mutated_body_comes_back_as_it_was(shelf: Shelf, data: st.DataObject) -> None:
    body = bytearray(chat(*range(data.draw(st.integers(5, 12))), system="s" * 600))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from(
                [b"\x00", b"\x01", b"\x01,\x01", b'"', b"}", b"]", b",", b"\\", b"\xff", b"\x1f", b"", b'{"a":1,']
            )
        )
    shelf.request(bytes(body[: data.draw(st.integers(len(body) // 2, len(body)))]), thread=1)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, 12), min_size=5, max_size=15),
    st.lists(st.integers(0, 12), max_size=6),
    st.sampled_from([None, 1]),
)
def test_any_two_bodies_of_a_thread_come_back_as_they_were(
    shelf: Shelf, first: list[int], more: list[int], indent: int | None
) -> None:
    for numbers in (first, first + more, first, more + first):
        shelf.request(json.dumps({"messages": [message(n) for n in numbers], "n": 1}, indent=indent).encode(), thread=1)
