import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from lemur.tokenization.cut import best_fit, concatenate, pieces

LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=25)


def tokens_of(runs):
    """[(document, token)] of every sequence."""
    return [
        [
            (int(runs.document[k]), int(runs.start[k]) + t)
            for k in range(runs.sequence[number], runs.sequence[number + 1])
            for t in range(int(runs.length[k]))
        ]
        for number in range(len(runs.sequence) - 1)
    ]


@given(LENGTHS, st.integers(1, 12), st.data())
def test_concatenation_is_the_documents_in_a_row(lengths, context, data):
    sequences = data.draw(st.integers(0, sum(lengths) // context))
    runs = concatenate(np.array(lengths), sequences, context)
    everything = [(k, t) for k, length in enumerate(lengths) for t in range(length)]
    made = tokens_of(runs)
    assert [len(one) for one in made] == [context] * sequences
    assert sum(made, []) == everything[: sequences * context]
    assert (runs.length > 0).all()


@given(LENGTHS, st.integers(1, 12))
def test_best_fit_loses_nothing_and_repeats_nothing(lengths, context):
    runs = best_fit(np.array(lengths), context)
    made = tokens_of(runs)
    everything = [(k, t) for k, length in enumerate(lengths) for t in range(length)]
    assert sorted(sum(made, [])) == everything
    assert all(0 < len(one) <= context for one in made)
    # No document is cut that need not be.
    assert len(runs.length) == sum(-(-length // context) for length in lengths)


@given(LENGTHS, st.integers(1, 12))
def test_best_fit_wastes_little(lengths, context):
    """At most one sequence is half empty, since two such would have been put together."""
    made = tokens_of(best_fit(np.array(lengths), context))
    assert sum(2 * len(one) <= context for one in made) <= 1


def test_best_fit_takes_the_tightest_room():
    runs = best_fit(np.array([7, 6, 4, 3]), 10)
    assert sorted(sorted(runs.length[a:b].tolist()) for a, b in ((0, 2), (2, 4))) == [
        [3, 7],
        [4, 6],
    ]


def test_pieces_of_a_long_document():
    document, start, length = pieces(np.array([5, 0, 12]), 5)
    assert document.tolist() == [0, 2, 2, 2]
    assert start.tolist() == [0, 0, 5, 10]
    assert length.tolist() == [5, 5, 5, 2]


def test_taking_sequences_keeps_their_runs():
    runs = concatenate(np.array([3, 4, 5]), 3, 4)
    assert tokens_of(runs.take(np.array([2, 0]))) == [tokens_of(runs)[2], tokens_of(runs)[0]]
    assert tokens_of(runs.take(np.zeros(0, np.int64))) == []
