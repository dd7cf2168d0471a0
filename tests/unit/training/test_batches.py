"""Which sequences a step sees: a function of the step, whatever the number of ranks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lemur.tokenization.packed import PackedDataset, batch
from lemur.training.batches import read, step_batches, step_count
from lemur.training.settings import parse
from tiny_training import mixed_lengths, packed, settings


@pytest.fixture(scope="module")
def used(index):
    """A data set that other steps were read from before."""
    return PackedDataset(index)


def spec_of(world: int, micro: int, accumulate: int, seed: int = 0):
    return parse(
        settings(
            seed=seed,
            global_batch_tokens=16 * world * micro * accumulate,
            tokens=16 * world * micro * accumulate,
            micro_batch_sequences=micro,
            engine="deepspeed",
            parallel__zero_stage=1,
            parallel__processes_per_node=world,
        )
    )


@given(
    world=st.integers(1, 4),
    micro=st.integers(1, 3),
    accumulate=st.integers(1, 3),
    step=st.integers(0, 50),
    seed=st.integers(0, 5),
)
def test_ranks_share_the_step_and_no_sequence_twice(index, world, micro, accumulate, step, seed):
    data = PackedDataset(index)
    spec = spec_of(world, micro, accumulate, seed)
    seen = []
    for rank in range(world):
        batches = step_batches(data, spec, step, rank)
        assert [len(one.input_ids) for one in batches] == [micro] * accumulate
        seen += [row.tolist() for one in batches for row in one.input_ids]
    wanted = [
        data[int(number)]["input_ids"].tolist()
        for number in batch(len(data), spec.sequences, seed, step)
    ]
    assert sorted(seen) == sorted(wanted)


@given(
    steps=st.lists(st.integers(0, 10_000), min_size=1, max_size=5),
    rank=st.integers(0, 1),
    noise=st.integers(0, 2**31),
)
def test_a_batch_depends_on_recipe_step_and_rank_alone(index, used, steps, rank, noise):
    """Neither on what was read before, nor on a generator of random numbers, nor does it draw."""
    spec = spec_of(2, 2, 2, seed=7)
    torch.manual_seed(noise)
    np.random.seed(noise)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    for step in steps:
        for one, other in zip(
            step_batches(used, spec, step, rank),
            step_batches(PackedDataset(index), spec, step, rank),
            strict=True,
        ):
            for name in ("input_ids", "labels", "segment_ids", "position_ids"):
                assert torch.equal(getattr(one, name), getattr(other, name))
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()


def test_tensors_are_what_the_data_set_says(index):
    data = PackedDataset(index)
    made = read(data, np.array([4, 0]))
    for row, number in enumerate((4, 0)):
        for name in ("input_ids", "labels", "segment_ids", "position_ids"):
            tensor = getattr(made, name)
            assert tensor.dtype == torch.int64
            assert tensor[row].tolist() == data[number][name].tolist()
    assert made.targets == int((made.labels != -100).sum()) > 0


def test_steps_of_tokens_and_of_epochs(tmp_path):
    data = PackedDataset(packed(tmp_path, mixed_lengths(9, 16), 16))
    assert step_count(parse(settings(tokens=64 * 7 + 63)), len(data)) == 7
    by_epochs = parse(settings(tokens=None, epochs=1.0))
    assert step_count(by_epochs, 9) == 3  # 4 sequences a step: nine are seen whole in three
    assert step_count(by_epochs, 8) == 2
    assert step_count(parse(settings(tokens=None, epochs=0.1)), 9) == 1
