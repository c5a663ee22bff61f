"""The order in which a tree is drawn, from parent links alone. numpy only; any depth, any damage.

A tree is walked as a list of steps, down into each node and up out of it. Ranking that list by pointer doubling takes
log2(steps) passes over arrays, however deep the tree is, and the ranks say order, depth and subtree size at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Preorder:
    """Nodes in the order they are drawn."""

    order: Ints
    """Index of the node on each row."""
    depth: NDArray[np.int32]
    """By row."""
    size: NDArray[np.int32]
    """By row: its subtree is rows [i, i + size[i])."""
    is_orphan: NDArray[np.bool_]
    """By row: its parent was named but is not there, or it lay on a ring of parents."""


def preorder(own: Ints, parent: Ints, start: Ints) -> Preorder:
    """Return the order of nodes with these ids (none twice), parents' ids (0: none) and start times.

    Siblings, and the roots, come by start; equal ones in the order given.
    """
    n = len(own)
    above, is_orphan = _parents(own, parent)
    _cut_rings(above, is_orphan, start)
    first_child, next_sibling = _children(above, start)
    down_rank, up_rank = _ranks(above, first_child, next_sibling)
    order = _sorted(down_rank[:n])
    down, up = down_rank[:n][order], up_rank[:n][order]
    size = (up - down + 1) // 2
    depth = 2 * np.arange(n) + 1 - down  # before row i there were i + 1 steps down and i - depth steps up
    return Preorder(order, depth.astype(np.int32), size.astype(np.int32), is_orphan[order])


def _sorted(ranks: Ints) -> Ints:
    """Return the nodes by rank; no two ranks are the same, and none is above twice their number."""
    at = np.full(2 * len(ranks) + 2, -1, dtype=np.int64)
    at[ranks] = np.arange(len(ranks))
    return at[at >= 0]


def _parents(own: Ints, parent: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the index of each node's parent (n: none), and whether it was named in vain."""
    n = len(own)
    by_id = np.argsort(own, kind="stable")
    place = np.minimum(np.searchsorted(own[by_id], parent), max(n - 1, 0))
    at = by_id[place] if n else place
    is_found = (parent != 0) & (own[at] == parent) & (at != np.arange(n))
    return np.where(is_found, at, n).astype(np.int64), (parent != 0) & ~is_found


def _cut_rings(above: Ints, is_orphan: NDArray[np.bool_], start: Ints) -> None:
    """Make the earliest node of every ring of parents a root, in place."""
    n = len(above)
    reach = np.append(above, n).astype(np.int32)
    for _ in range(max(n, 1).bit_length()):
        reach = reach[reach]
    lost = np.flatnonzero(reach[:n] != n)
    seen: set[int] = set()
    for node in lost.tolist():
        path: list[int] = []
        while node != n and node not in seen:
            seen.add(node)
            path.append(node)
            node = int(above[node])
        if node in path:
            ring = path[path.index(node) :]
            first = min(ring, key=lambda member: (start[member], member))
            above[first] = n
            is_orphan[first] = True


def _children(above: Ints, start: Ints) -> tuple[Ints, Ints]:
    """Return each node's first child (the virtual root is node n) and next sibling, -1 for none."""
    n = len(above)
    by_parent = np.lexsort((start, above))
    parents = above[by_parent]
    is_first = np.ones(n, dtype=bool)
    is_first[1:] = parents[1:] != parents[:-1]
    first_child = np.full(n + 1, -1, dtype=np.int64)
    first_child[parents[is_first]] = by_parent[is_first]
    next_sibling = np.full(n + 1, -1, dtype=np.int64)
    follows = np.flatnonzero(~is_first)
    next_sibling[by_parent[follows - 1]] = by_parent[follows]
    return first_child, next_sibling


def _ranks(above: Ints, first_child: Ints, next_sibling: Ints) -> tuple[Ints, Ints]:
    """Return how many steps come before the step down into each node, and before the step up out of it."""
    m = len(first_child)
    own = np.arange(m)
    after_down = np.where(first_child >= 0, first_child, own + m)
    after_up = np.where(next_sibling >= 0, next_sibling, np.append(above, m - 1) + m)
    step = np.concatenate((after_down, after_up)).astype(np.int32)
    left = np.ones(2 * m, dtype=np.int32)
    left[2 * m - 1] = 0  # up out of the virtual root: the end
    for _ in range((2 * m).bit_length()):
        left += left[step]
        step = step[step]
    rank = (2 * m - 1 - left).astype(np.int64)
    return rank[:m], rank[m:]
