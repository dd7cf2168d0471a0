"""Attention of rows of unequal length, after a shared prefix and without one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from lemur.inference import attention
from lemur.inference import kv_cache as store
from lemur.inference.kv_cache import Prefix, Slots, split


@pytest.mark.parametrize(
    ("rows", "width", "length"), [(1, 1, 5), (3, 1, 40), (4, 3, 17), (3, 2, 0)]
)
@pytest.mark.parametrize("free", [False, True])  # whether groups of rows cost nothing
@torch.inference_mode()
def test_each_query_sees_the_prefix_and_its_row_up_to_it(rows, width, length, free, monkeypatch):
    torch.manual_seed(rows)
    heads, key_heads, size = 6, 2, 16
    monkeypatch.setattr(store, "_SPLIT", 0 if free else 10**9)
    kept = [torch.randn(1, key_heads, length, size) for _ in range(2)]
    prefix = Prefix(tuple(range(length)), [kept[0]], [kept[1]]) if length else None
    slots = Slots(1, rows, 20, torch.device("cpu"), prefix)
    slots.lengths += torch.arange(rows) * 3 % 7 + 2
    slots.kept = torch.randn(1, rows, 2 * key_heads, 20, size)
    lengths = slots.lengths.tolist()
    positions = slots.step(rows, width, heads // key_heads, torch.float32)
    assert positions[:, 0].tolist() == [length + one for one in lengths]
    assert len(slots.parts) == (2 if free and rows > 1 else 1)
    query = torch.randn(rows, heads, width, size)
    folded = query.view(rows, key_heads, -1, width, size).transpose(2, 3).flatten(2, 3)
    scale = size**-0.5
    one = attention.decode(folded, slots, 0, scale)
    if prefix is not None and not free:  # the way of other devices, where rows are one group
        other = attention._decode_after(folded, slots, prefix, 0, scale).transpose(1, 2)
        assert torch.allclose(one, other, atol=1e-5)
    for row in range(rows):
        for at in range(width):
            seen = lengths[row] + at + 1
            key, value = slots.kept[0, row, :, :seen].chunk(2)
            keys = torch.cat([kept[0][0], key], 1)
            values = torch.cat([kept[1][0], value], 1)
            for head in range(heads):
                mine = head // (heads // key_heads)
                shares = (keys[mine] @ query[row, head, at] * scale).softmax(-1)
                place = at * (heads // key_heads) + head % (heads // key_heads)
                assert torch.allclose(one[row, place, mine], shares @ values[mine], atol=1e-5)


@given(some.lists(some.integers(1, 2000), min_size=1, max_size=12))
def test_groups_read_no_more_than_all_together(used):
    ends = split(used)
    assert ends[-1] == len(used) and sorted(set(ends)) == ends and len(ends) <= 2
    read = sum(
        (end - first) * max(used[first:end]) for first, end in zip([0, *ends], ends, strict=False)
    )
    assert read <= len(used) * max(used) - (len(ends) - 1) * store._SPLIT


def test_a_long_row_attends_alone():
    assert split([430] + [110] * 7) == [1, 8]
    assert split([110] * 8) == [8]
    assert split([100, 120]) == [2]
