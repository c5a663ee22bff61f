"""The order in which a tree is drawn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.store.preorder import Preorder, preorder


@st.composite
def _nodes(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """(own id, parent id, start): any parents at all, rings and strangers included."""
    ids = draw(st.lists(st.integers(-50, 50).filter(bool), unique=True, max_size=25))
    parents = st.sampled_from([*ids, 0, 0, 99]) if ids else st.just(0)
    return [(own, draw(parents), draw(st.integers(0, 5))) for own in ids]


def _drawn(nodes: list[tuple[int, int, int]]) -> Preorder:
    table = np.array(nodes, dtype=np.int64).reshape(-1, 3)
    return preorder(table[:, 0], table[:, 1], table[:, 2])


@given(_nodes())
def test_every_node_is_drawn_once_below_its_parent(nodes: list[tuple[int, int, int]]) -> None:
    drawn = _drawn(nodes)
    assert sorted(drawn.order.tolist()) == list(range(len(nodes)))
    open_rows: list[int] = []
    for row, node in enumerate(drawn.order.tolist()):
        depth = int(drawn.depth[row])
        open_rows = [above for above in open_rows if above + drawn.size[above] > row]
        assert len(open_rows) == depth
        own_parent = nodes[node][1]
        if depth:
            assert nodes[drawn.order[open_rows[-1]]][0] == own_parent
        else:
            assert bool(drawn.is_orphan[row]) == (own_parent != 0)
        open_rows.append(row)


@given(_nodes())
def test_siblings_come_by_start_and_equal_ones_as_given(nodes: list[tuple[int, int, int]]) -> None:
    drawn = _drawn(nodes)
    last: dict[int, tuple[int, int]] = {}
    path: list[int] = []
    for row, node in enumerate(drawn.order.tolist()):
        depth = int(drawn.depth[row])
        path = [*path[:depth], row]
        above = path[depth - 1] if depth else -1
        key = (nodes[node][2], node)
        assert last.get(above, (-1, -1)) < key
        last[above] = key


def test_a_ring_of_parents_is_cut_at_its_earliest() -> None:
    drawn = _drawn([(1, 2, 5), (2, 3, 4), (3, 1, 6), (4, 3, 1)])
    assert drawn.order.tolist() == [1, 0, 2, 3]
    assert drawn.is_orphan.tolist() == [True, False, False, False]


def test_a_span_that_names_itself_is_an_orphan() -> None:
    drawn = _drawn([(7, 7, 0)])
    assert drawn.is_orphan.tolist() == [True]


def test_a_chain_of_fifteen_thousand_is_no_deeper_trouble() -> None:
    n = 15_000
    drawn = _drawn([(own, own - 1, own) for own in range(n, 0, -1)])
    assert drawn.depth.tolist() == list(range(n))
    assert drawn.size.tolist() == list(range(n, 0, -1))


def test_no_nodes_draw_nothing() -> None:
    assert len(_drawn([]).order) == 0
