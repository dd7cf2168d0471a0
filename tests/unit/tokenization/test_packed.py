import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lemur.core.errors import UserError
from lemur.tokenization.described import Packed
from lemur.tokenization.packed import IGNORED, PackedDataset, batch, steps
from lemur.tokenization.packed_writer import segments, write_packed
from lemur.tokenization.shuffle import SORTED, order, permute

EOS = 9


def data_set(folder, tokens, runs, sequences, context, mask=None, dtype="<u2"):
    """An index over one token file; ``runs`` is [(start, length)]."""
    np.array(tokens, dtype).tofile(folder / "t.bin")
    masks = None
    if mask is not None:
        np.array(mask, "u1").tofile(folder / "t.mask")
        masks = [folder / "t.mask"]
    starts, lengths = (np.array(column) for column in zip(*runs, strict=True))
    facts = Packed(context=context, eos=EOS, dtype=np.dtype(dtype).name, vocabulary=10)
    made = segments(np.zeros(len(runs)), starts, lengths)
    bounds = np.array(sequences)
    write_packed(folder / "index.json", made, bounds, [folder / "t.bin"], masks, facts, {})
    return PackedDataset(folder / "index.json")


def test_one_sequence_of_two_documents_and_padding(tmp_path):
    data = data_set(tmp_path, [1, 2, 3, EOS, 5, 6, EOS], [(0, 4), (4, 3)], [0, 2], 10)
    item = data[0]
    assert item["input_ids"].tolist() == [1, 2, 3, EOS, 5, 6, EOS, EOS, EOS, EOS]
    assert item["labels"].tolist() == [2, 3, EOS, -100, 6, EOS, -100, -100, -100, -100]
    assert item["segment_ids"].tolist() == [0, 0, 0, 0, 1, 1, 1, -1, -1, -1]
    assert item["position_ids"].tolist() == [0, 1, 2, 3, 0, 1, 2, 0, 1, 2]
    assert {key: value.dtype.name for key, value in item.items()} == {
        "input_ids": "int64",
        "labels": "int64",
        "segment_ids": "int32",
        "position_ids": "int64",
    }


def test_only_masked_in_tokens_are_predicted(tmp_path):
    data = data_set(tmp_path, [1, 2, 3, 4], [(0, 4)], [0, 1], 4, mask=[1, 0, 0, 1])
    assert data[0]["labels"].tolist() == [-100, -100, 4, -100]


def test_four_byte_tokens_and_a_moved_folder(tmp_path):
    (tmp_path / "a").mkdir()
    data_set(tmp_path / "a", [70_000, EOS], [(0, 2)], [0, 1], 2, dtype="<u4")
    (tmp_path / "a").rename(tmp_path / "b")
    data = PackedDataset(tmp_path / "b" / "index.json")
    assert data[0]["input_ids"].tolist() == [70_000, EOS]
    assert pickle.loads(pickle.dumps(data))[0]["input_ids"].tolist() == [70_000, EOS]


@given(
    documents=st.lists(st.integers(1, 12), min_size=1, max_size=8),
    context=st.integers(2, 9),
    masked=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_no_label_crosses_a_document(tmp_path_factory, documents, context, masked, random):
    """Every token is a number of its own, so that a label tells which document it is from."""
    folder = tmp_path_factory.mktemp("d")
    runs, sequences, room, at = [], [0], context, 10
    owner = {}
    for number, length in enumerate(documents):
        begin, end = at, at + length
        at = end
        while begin < end:
            taken = min(room, end - begin)
            owner.update({token: (number, len(runs)) for token in range(begin, begin + taken)})
            runs.append((begin, taken))
            begin, room = begin + taken, room - taken
            if not room:
                sequences.append(len(runs))
                room = context
    if sequences[-1] != len(runs):
        sequences.append(len(runs))
    mask = [random.randint(0, 1) for _ in range(at)] if masked else None
    data = data_set(folder, list(range(at)), runs, sequences, context, mask)
    seen = []
    for k in range(len(data)):
        item = data[k]
        for t in range(context):
            token, label = int(item["input_ids"][t]), int(item["labels"][t])
            if item["segment_ids"][t] < 0:
                assert label == IGNORED and token == EOS
                continue
            seen.append(token)
            follows = t + 1 < context and item["segment_ids"][t + 1] == item["segment_ids"][t]
            wanted = follows and (mask is None or mask[token + 1])
            assert label == (token + 1 if wanted else IGNORED)
            if label != IGNORED:
                assert owner[label] == owner[token]
            if item["position_ids"][t]:
                assert owner[int(item["input_ids"][t - 1])] == owner[token]
    assert seen == list(range(10, at))


def test_damage_is_one_line(tmp_path):
    data_set(tmp_path, [1, 2, 3, EOS], [(0, 4)], [0, 1], 4)
    (tmp_path / "t.bin").write_bytes(b"\0" * 6)
    with pytest.raises(UserError, match=r"t\.bin: shorter than"):
        PackedDataset(tmp_path / "index.json")[0]
    (tmp_path / "t.bin").write_bytes(b"\0" * 7)
    with pytest.raises(UserError, match=r"t\.bin: not a whole token file"):
        PackedDataset(tmp_path / "index.json")[0]
    (tmp_path / "t.bin").unlink()
    with pytest.raises(UserError, match=r"t\.bin: no such token file"):
        PackedDataset(tmp_path / "index.json")[0]
    (tmp_path / "segments.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UserError, match=r"segments\.npy: not a whole"):
        PackedDataset(tmp_path / "index.json")
    (tmp_path / "index.json").write_text(json.dumps({"context": 4}))
    with pytest.raises(UserError, match=r"index\.json: eos is missing"):
        PackedDataset(tmp_path / "index.json")


def test_an_index_that_disagrees_with_its_arrays_is_refused(tmp_path):
    data_set(tmp_path, [1, 2, 3, EOS], [(0, 4)], [0, 1], 4)
    index = json.loads((tmp_path / "index.json").read_text())
    (tmp_path / "index.json").write_text(json.dumps({**index, "sequences": 2}))
    with pytest.raises(UserError, match="says 2 sequences, the arrays beside it hold 1"):
        PackedDataset(tmp_path / "index.json")


@settings(deadline=None)
@given(
    st.one_of(st.integers(1, 3000), st.integers(SORTED - 2, SORTED + 9000)),
    st.integers(0, 2**40),
    st.integers(0, 2**60),
)
def test_an_order_holds_every_number_once(size, seed, number):
    made = order(size, seed, number)
    assert (np.sort(made) == np.arange(size)).all()
    assert permute(np.array([size - 1]), size, seed, number)[0] == made[-1]


def test_orders_differ_by_seed_and_stream_and_never_by_version():
    assert order(8, 0).tolist() == [6, 4, 1, 0, 5, 7, 3, 2]
    assert permute(np.arange(4), 70_000, 0).tolist() == [55300, 65361, 57792, 21975]
    assert len({tuple(order(8, seed, number)) for seed in range(4) for number in range(4)}) > 14
    assert order(0, 1).tolist() == []
    with pytest.raises(ValueError, match="0..3"):
        permute(np.array([4]), 4, 0)


@pytest.mark.parametrize("size", [5, 30, 1000, SORTED + 1000])
def test_an_order_is_spread_evenly(size):
    """Where the first fifth goes, over seeds: its mean place is in the middle (5 deviations)."""
    seeds = 400 if size < SORTED else 12
    part = size // 5
    means = [permute(np.arange(part), size, seed).mean() for seed in range(seeds)]
    deviation = (size * size / 12 / part * (1 - part / size) / seeds) ** 0.5
    assert abs(np.mean(means) - (size - 1) / 2) < 5 * deviation


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 99), st.integers(0, 30))
def test_steps_walk_through_whole_epochs(size, per_step, seed, step):
    seen = np.concatenate([batch(size, per_step, seed, k) for k in range(step + 1)])
    for epoch in range(len(seen) // size):
        assert sorted(seen[epoch * size : (epoch + 1) * size].tolist()) == list(range(size))
    assert batch(size, per_step, seed, step).tolist() == seen[-per_step:].tolist()


def test_epochs_have_different_orders_and_nothing_is_no_data_set():
    assert batch(50, 50, 1, 0).tolist() != batch(50, 50, 1, 1).tolist()
    assert steps(100, 32, 2.0) == 6
    assert steps(3, 32) == 1
    with pytest.raises(UserError, match="no sequences"):
        batch(0, 4, 1, 0)
