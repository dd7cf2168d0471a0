"""Attention after a shared prefix: the way of CPUs and that of other devices agree."""

import pytest
import torch
from lemur.evaluate import attention
from lemur.evaluate.attention import Prefix, Slots


@pytest.mark.parametrize(("rows", "width", "length"), [(1, 1, 5), (3, 1, 40), (4, 3, 17)])
@torch.inference_mode()
def test_two_ways_after_a_prefix(rows, width, length):
    torch.manual_seed(rows)
    heads, key_heads, size = 6, 2, 16
    kept = [torch.randn(1, key_heads, length, size) for _ in range(2)]
    prefix = Prefix(tuple(range(length)), [kept[0]], [kept[1]])
    slots = Slots(1, rows, 20, torch.device("cpu"), prefix)
    slots.lengths += torch.arange(rows) + 2
    positions = slots.step(rows, width, heads // key_heads, torch.float32)
    assert positions[:, 0].tolist() == [length + 2 + row for row in range(rows)]
    query = torch.randn(rows, heads, width, size)
    key, value = (torch.randn(rows, key_heads, slots.used, size) for _ in range(2))
    folded = query.view(rows, key_heads, -1, width, size).transpose(2, 3).flatten(2, 3)
    scale = size**-0.5
    one = attention._merged(folded, key, value, slots, prefix, 0, scale)
    other = attention._decode_after(folded * scale, key, value, slots, prefix, 0)
    assert torch.allclose(one, other, atol=1e-5)
    # And plainly: each query over the prefix and what its row holds up to it.
    for row in range(rows):
        for at in range(width):
            seen = 2 + row + at + 1
            keys = torch.cat([kept[0][0], key[row, :, :seen]], 1)
            values = torch.cat([kept[1][0], value[row, :, :seen]], 1)
            for head in range(heads):
                mine = head // (heads // key_heads)
                shares = (keys[mine] @ query[row, head, at] * scale).softmax(-1)
                place = at * (heads // key_heads) + head % (heads // key_heads)
                assert torch.allclose(one[row, mine, place], shares @ values[mine], atol=1e-5)
