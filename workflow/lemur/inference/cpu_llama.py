"""Forward passes of Llama-architecture models on CPUs, for inference alone.

The same computation as transformers' ``LlamaModel``, in a third of its calls: the three products that
make queries, keys and values are one, as are the two of the feed-forward layer's entrance, and
bfloat16 weights are laid out once as oneDNN wants them, not at every product. Decoding a small
model on a CPU costs little but reading weights and calling functions, and so takes about half.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from lemur.inference.attention import decode, over_prompt
from lemur.inference.kv_cache import Slots

_RUN = torch.ops.mkldnn._linear_pointwise.default
_RUN_PLUS = torch.ops.mkldnn._linear_pointwise.binary
_ROWS = 8  # of the inputs for which weights are laid out; others are right too


class _Linear:
    """Several linear layers of one input as one: (weight, bias or None) of each."""

    def __init__(self, layers: Sequence[tuple[torch.Tensor, torch.Tensor | None]], packed: bool):
        weight = torch.cat([weight for weight, _ in layers])
        biases = [bias for _, bias in layers if bias is not None]
        self.bias = torch.cat(biases) if biases else None
        self.packed = packed
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS) if packed else weight

    def __call__(self, given: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
        """[tokens, in] to [tokens, out], ``plus`` added."""
        if not self.packed:
            made = functional.linear(given, self.weight, self.bias)
            return made if plus is None else made.add_(plus)
        if plus is None:
            return _RUN(given, self.weight, self.bias, "none", [], "")
        return _RUN_PLUS(given, plus, self.weight, self.bias, "add")


class _Block:
    """One decoder layer."""

    def __init__(self, layer: Any, packed: bool):
        attention, feed = layer.self_attn, layer.mlp
        self.layer_idx = attention.layer_idx
        self.scaling = attention.scaling
        self.size = attention.head_dim
        self.heads = attention.q_proj.out_features // self.size
        self.key_heads = attention.k_proj.out_features // self.size
        self.group = self.heads // self.key_heads
        # Query heads of one key head stand apart by it: attention's result is then in the order in
        # which it is wanted next.
        weight, bias = _parts(attention.q_proj)
        query = self._apart(weight), None if bias is None else self._apart(bias)
        weight, bias = _parts(attention.o_proj)
        out = self._apart(weight.T).T.contiguous(), bias
        key, value = _parts(attention.k_proj), _parts(attention.v_proj)
        self.entrance = _Linear([query, key, value], packed)
        self.exit = _Linear([out], packed)
        self.up = _Linear([_parts(feed.gate_proj), _parts(feed.up_proj)], packed)
        self.down = _Linear([_parts(feed.down_proj)], packed)
        self.before, self.between = (
            _Norm(layer.input_layernorm),
            _Norm(layer.post_attention_layernorm),
        )

    def __call__(
        self,
        states: torch.Tensor,
        turn: tuple[torch.Tensor, torch.Tensor],
        lengths: Sequence[int],
        slots: Any,
        last: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """States [tokens, hidden] of rows of ``lengths`` tokens, one after the other; ``turn`` are
        cosines and sines [tokens, 1, head]. Only the tokens at ``last`` where it is given."""
        made = self.entrance(self.before(states)).view(len(states), -1, self.size)
        # sin has the sign of the half that it turns: transformers' rotate_half in one copy.
        turned = made.narrow(1, 0, self.heads + self.key_heads)
        halves = turned.roll(self.size // 2, -1)
        turned.mul_(turn[0]).addcmul_(halves, turn[1])
        query = made.narrow(1, 0, self.heads)
        both = made.narrow(1, self.heads, 2 * self.key_heads)
        if slots is not None:
            slots.write(self.layer_idx, both)
        if slots is None or slots.prefilling:
            mixed = self._over_prompts(query, both, lengths, slots)
        else:
            query = query.view(len(lengths), -1, self.group, self.key_heads, self.size)
            query = query.permute(0, 3, 1, 2, 4).flatten(2, 3)
            mixed = decode(query, slots, self.layer_idx, self.scaling)
        mixed = mixed.reshape(len(states), -1)
        if last is not None:
            mixed, states = mixed[last], states[last]
        states = self.exit(mixed, states)
        gate, up = self.up(self.between(states)).chunk(2, -1)
        return self.down(functional.silu(gate).mul_(up), states)

    def _over_prompts(
        self, query: torch.Tensor, both: torch.Tensor, lengths: Sequence[int], slots: Any
    ) -> torch.Tensor:
        if len(set(lengths)) == 1:
            return self._over_prompt(query, both, len(lengths), slots)
        rows = zip(query.split(lengths), both.split(lengths), strict=True)
        return torch.cat([self._over_prompt(*row, 1, slots).flatten(0, 1) for row in rows])

    def _over_prompt(
        self, query: torch.Tensor, both: torch.Tensor, rows: int, slots: Any
    ) -> torch.Tensor:
        """[rows, width, heads, head] of ``rows`` of one length."""
        query, both = (
            projected.view(rows, -1, projected.shape[1], self.size).transpose(1, 2)
            for projected in (query, both)
        )
        key, value = both.chunk(2, 1)
        if slots is not None and slots.prefix is not None:
            key, value = slots.prefix.before(self.layer_idx, key, value)
        key, value = (heads.repeat(1, self.group, 1, 1) for heads in (key, value))
        return over_prompt(query, key, value, self.scaling).transpose(1, 2)

    def _apart(self, weight: torch.Tensor) -> torch.Tensor:
        """Rows of a head each, [key heads, group, head] as [group, key heads, head]."""
        parted = weight.unflatten(0, (self.key_heads, self.group, self.size))
        return parted.transpose(0, 1).flatten(0, 2)


def _parts(layer: nn.Linear) -> tuple[torch.Tensor, torch.Tensor | None]:
    return layer.weight.detach(), None if layer.bias is None else layer.bias.detach()


class _Norm:
    """RMSNorm in few calls: the variance of (x, -x), whose mean is zero, is the mean square of x."""

    def __init__(self, norm: Any):
        weight = norm.weight.detach()
        self.weight, self.epsilon = torch.stack([weight, weight]), norm.variance_epsilon
        self.shape = self.weight.shape
        self.sides = weight.new_tensor([[1], [-1]])

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """[tokens, hidden], the same."""
        both = states.unsqueeze(1) * self.sides
        normed = torch.layer_norm(both, self.shape, self.weight, None, self.epsilon)
        return normed.select(1, 0).contiguous()


class Lean:
    """``model``'s decoder and output layer. Takes the decoder's layers out of ``model``, so that no
    weight is held twice."""

    def __init__(self, model: Any):
        inner = model.model
        packed = model.dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        self.embed, self.rotary = inner.embed_tokens, inner.rotary_emb
        self.norm = _Norm(inner.norm)
        self.blocks = []
        for number, layer in enumerate(inner.layers):
            self.blocks.append(_Block(layer, packed))
            inner.layers[number] = nn.Identity()
        self.head = _Linear([_parts(model.get_output_embeddings())], packed)

    def __call__(
        self, ids: torch.Tensor, positions: torch.Tensor, slots: Slots | None
    ) -> torch.Tensor:
        """Last hidden states [rows, width, hidden] of ``ids`` [rows, width]."""
        rows, width = ids.shape
        positions = positions.expand(rows, -1).reshape(1, -1)
        return self._through(ids.flatten(), positions, [width] * rows, slots).view(rows, width, -1)

    def last(
        self, prompts: Sequence[Sequence[int]], positions: torch.Tensor, slots: Slots
    ) -> torch.Tensor:
        """Last hidden states [rows, hidden] of the last tokens of ``prompts``, whose ``positions``
        [tokens] are those of one after the other."""
        ids = torch.tensor([token for prompt in prompts for token in prompt])
        lengths = [len(prompt) for prompt in prompts]
        ends = torch.tensor(lengths).cumsum(0) - 1
        return self._through(ids, positions[None], lengths, slots, ends)

    def _through(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        lengths: Sequence[int],
        slots: Slots | None,
        last: torch.Tensor | None = None,
    ) -> torch.Tensor:
        states = self.embed(ids)
        cos, sin = (wave.flatten(0, 1)[:, None] for wave in self.rotary(states, positions))
        sin = torch.cat([-sin[..., : sin.shape[-1] // 2], sin[..., sin.shape[-1] // 2 :]], -1)
        for block in self.blocks[:-1]:
            states = block(states, (cos, sin), lengths, slots)
        # Of the last layer's result no more is computed than is asked for.
        return self.norm(self.blocks[-1](states, (cos, sin), lengths, slots, last))


def build(model: Any) -> Lean | None:
    """The lean form of a model, where it has one: Llama's architecture on a CPU."""
    config = model.config
    known = type(model).__name__ == "LlamaForCausalLM" and config.hidden_act == "silu"
    return Lean(model) if known and model.device.type == "cpu" else None
