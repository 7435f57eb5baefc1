"""All titles of a catalogue as one token trie in flat arrays, so that a mask is a gather and never a walk.

Nodes are numbered breadth first; node 0 is the root. The children of a node are the consecutive edges
`edge_start[node]:edge_start[node + 1]`, and edge e leads to node e + 1. Sequences are kept sorted, so the sequences
below a node are the consecutive range `low[node]:high[node]`; whether any of them is allowed is one difference of a
running sum, for all nodes at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TokenTrie:
    """See the module. `order` maps a sorted sequence to its position in the titles that the trie was made from."""

    edge_start: Ints
    edge_token: Ints
    low: Ints
    high: Ints
    order: Ints

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> TokenTrie:
        """A trie of token sequences; every one must end in the same end mark, so that none is a prefix of another."""
        if not sequences:
            empty = np.zeros(0, dtype=np.int64)
            return cls(np.zeros(2, dtype=np.int64), empty, np.zeros(1, np.int64), np.zeros(1, np.int64), empty)
        width = max(len(s) for s in sequences)
        table = np.full((len(sequences), width), -1, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            table[row, : len(sequence)] = sequence
        order = np.lexsort(table.T[::-1])
        return cls._from_sorted(table[order], order.astype(np.int64))

    @classmethod
    def _from_sorted(cls, table: Ints, order: Ints) -> TokenTrie:
        count, width = table.shape
        low, high, tokens, parents = [np.array([0])], [np.array([count])], [], []
        node_of_row = np.zeros(count, dtype=np.int64)
        differs = np.zeros(count, dtype=bool)
        differs[0] = True
        next_node = 1
        for depth in range(width):
            column = table[:, depth]
            differs[1:] |= column[1:] != column[:-1]
            alive = column >= 0
            first = np.flatnonzero(differs & alive)
            if not len(first):
                break
            # Rows that share a prefix of this length stand together; the run ends where the next one begins.
            group = np.cumsum(differs)
            last = np.searchsorted(group, group[first], side="right")
            low.append(first)
            high.append(last)
            tokens.append(column[first])
            parents.append(node_of_row[first])
            numbered = np.cumsum(differs & alive) - 1 + next_node
            node_of_row = np.where(alive, numbered, node_of_row)
            next_node += len(first)
        edge_parent = np.concatenate(parents)
        edge_start = np.searchsorted(edge_parent, np.arange(next_node + 1))
        return cls(
            edge_start.astype(np.int64), np.concatenate(tokens), np.concatenate(low), np.concatenate(high), order
        )

    def alive(self, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """For every node, whether an allowed title lies below it. `allowed` is by position in the titles."""
        running = np.concatenate([[0], np.cumsum(allowed[self.order])])
        return np.asarray(running[self.high] > running[self.low])

    def children(self, nodes: Ints, alive: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
        """The living edges out of several nodes at once: (index into `nodes`, token, child node) per edge."""
        start, counts = self.edge_start[nodes], self.edge_start[nodes + 1] - self.edge_start[nodes]
        row = np.repeat(np.arange(len(nodes)), counts)
        edge = np.arange(counts.sum()) + np.repeat(start - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        keep = alive[edge + 1]
        return row[keep], self.edge_token[edge[keep]], edge[keep] + 1

    def is_leaf(self, nodes: Ints) -> NDArray[np.bool_]:
        """Whether each node ends a title."""
        return np.asarray(self.edge_start[nodes] == self.edge_start[nodes + 1])

    def titles_at(self, leaf: int, allowed: NDArray[np.bool_]) -> list[int]:
        """Positions of the allowed titles that end at a leaf, in catalogue order: more than one where titles repeat."""
        below = np.sort(self.order[self.low[leaf] : self.high[leaf]])
        return [int(position) for position in below if allowed[position]]
