import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.generation.trie import TokenTrie

END = 0
sequences = st.lists(st.lists(st.integers(1, 5), max_size=6).map(lambda s: [*s, END]), min_size=1, max_size=30)


def spell_all(trie: TokenTrie, allowed: np.ndarray) -> list[list[int]]:
    """Every path from the root to a leaf, by the public steps only."""
    alive = trie.alive(allowed)
    found, open_paths = [], [(0, [])] if alive[0] else []
    while open_paths:
        node, path = open_paths.pop()
        _, tokens, children = trie.children(np.array([node]), alive)
        for token, child in zip(tokens, children, strict=True):
            longer = [*path, int(token)]
            if trie.is_leaf(np.array([child]))[0]:
                assert trie.titles_at(int(child), allowed)
                found.append(longer)
            else:
                open_paths.append((int(child), longer))
    return sorted(found)


@given(sequences, st.randoms())
def test_exactly_the_allowed_sequences_can_be_spelt(titles, random):
    trie = TokenTrie.of(titles)
    allowed = np.array([random.random() < 0.5 for _ in titles])
    assert spell_all(trie, allowed) == sorted(
        {tuple(t) for t, a in zip(titles, allowed, strict=True) if a}
        and [list(t) for t in {tuple(t) for t, a in zip(titles, allowed, strict=True) if a}]
    )


def test_a_title_that_begins_another_is_reachable_and_so_is_the_other():
    trie = TokenTrie.of([[7, END], [7, 8, END]])
    assert spell_all(trie, np.array([True, True])) == [[7, END], [7, 8, END]]


def test_a_mixture_of_two_titles_cannot_be_spelt():
    trie = TokenTrie.of([[1, 2, 3, END], [4, 2, 5, END]])
    assert spell_all(trie, np.array([True, True])) == [[1, 2, 3, END], [4, 2, 5, END]]


def test_a_leaf_holds_all_titles_that_are_spelt_alike():
    trie = TokenTrie.of([[1, END], [2, END], [1, END]])
    _, tokens, nodes = trie.children(np.array([0]), trie.alive(np.ones(3, dtype=bool)))
    _, _, leaves = trie.children(nodes[tokens == 1], trie.alive(np.ones(3, dtype=bool)))
    assert trie.titles_at(int(leaves[0]), np.ones(3, dtype=bool)) == [0, 2]
    assert trie.titles_at(int(leaves[0]), np.array([False, True, True])) == [2]


def test_several_nodes_are_answered_at_once():
    trie = TokenTrie.of([[1, 2, END], [1, 3, END], [4, 5, END]])
    everything = trie.alive(np.ones(3, dtype=bool))
    _, tokens, children = trie.children(np.array([0]), everything)
    rows, next_tokens, _ = trie.children(children, everything)
    assert tokens.tolist() == [1, 4]
    assert list(zip(rows.tolist(), next_tokens.tolist(), strict=True)) == [(0, 2), (0, 3), (1, 5)]


def test_no_titles_make_a_trie_that_spells_nothing():
    assert spell_all(TokenTrie.of([]), np.zeros(0, dtype=bool)) == []
