from hypothesis import given
from hypothesis import strategies as st

from ui.frames import FrameReader, pack

FRAMES = st.lists(st.tuples(st.integers(0, 2**40), st.binary(max_size=300)), max_size=6)


@given(FRAMES, st.data())
def test_any_split_of_the_pipe_gives_the_same_frames(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    wire = b"".join(pack(number, body) for number, body in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))
    reader, got = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        got += list(reader.feed(wire[start:end]))
    assert got == frames


def test_a_large_answer_in_many_pieces_is_joined_once() -> None:
    wire = pack(1, bytes(5_000_000))
    reader, got = FrameReader(), []
    for start in range(0, len(wire), 4096):
        got += list(reader.feed(wire[start : start + 4096]))
    assert [(number, len(body)) for number, body in got] == [(1, 5_000_000)]
