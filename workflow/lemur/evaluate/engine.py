"""A causal language model of transformers: forward passes, and decoding with slots."""

import dataclasses
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, PreTrainedModel

from lemur.errors import UserError
from lemur.evaluate import vocabulary
from lemur.evaluate.attention import NAME, Prefix, Slots, using
from lemur.evaluate.stop import StopCheck

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
PREFILL_TOKENS = 4096  # of one forward pass: bounds activations, not results


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One continuation to generate. ``number`` seeds sampling, whatever else is in the batch."""

    prompt: tuple[int, ...]
    max_new_tokens: int
    stops: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float = 1.0
    number: int = 0


@dataclasses.dataclass(frozen=True)
class Generated:
    """Token ids up to the end (without the end token) and why it ended: stop, end or length."""

    ids: tuple[int, ...]
    finish: str


class _Row:
    def __init__(self, index: int, wanted: Wanted, check: StopCheck):
        self.index, self.wanted, self.check = index, wanted, check
        self.ids: list[int] = []
        self.draw = random.Random(wanted.number)  # noqa: S311 - sampling, not a secret


class Engine:
    """Model and tokenizer of a Hugging Face folder on one device.

    ``stop_ids`` are the tokens that end a response: those of the generation settings and
    ``<|im_end|>`` where the tokenizer has it as one token.
    """

    def __init__(self, folder: Path | str, precision: str = "bf16", device: str | None = None):
        folder = Path(folder)
        if precision not in DTYPES:
            raise UserError(f"precision '{precision}': allowed are {', '.join(DTYPES)}")
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.tokenizer = vocabulary.load(folder)
        self.model = _loaded(folder, DTYPES[precision])
        self.model.to(self.device).eval().requires_grad_(False)
        config = self.model.config.get_text_config()
        if getattr(config, "sliding_window", None) or getattr(config, "attn_logit_softcapping", 0):
            raise UserError(
                f"{folder}: models with sliding-window or soft-capped attention are not supported"
            )
        self.model.set_attn_implementation(NAME)
        self.layers = config.num_hidden_layers
        self.context = int(getattr(config, "max_position_embeddings", 2048))
        ends = self.model.generation_config.eos_token_id
        self.stop_ids = vocabulary.stop_ids(self.tokenizer, ends)
        self.plain_head = not any(
            getattr(config, name, None)
            for name in ("final_logit_softcapping", "logit_scale", "logits_scaling")
        )

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``; a beginning token that the tokenizer adds is not added twice."""
        return vocabulary.encode(self.tokenizer, text)

    def hidden(self, rows: Sequence[Sequence[int]], slots: Slots | None = None) -> torch.Tensor:
        """Last hidden states [rows, longest, hidden] of rows that are padded on the right.

        With ``slots`` the rows follow its prefix and fill its active slots.
        """
        longest = max(map(len, rows))
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row, dtype=torch.long)
        start = slots.prefix.length if slots is not None and slots.prefix is not None else 0
        positions = torch.arange(start, start + longest).expand(len(rows), -1)
        return self._forward(ids, positions, slots)

    def _forward(
        self, ids: torch.Tensor, positions: torch.Tensor, slots: Slots | None
    ) -> torch.Tensor:
        given: dict[str, Any] = {"use_cache": slots is not None, "past_key_values": slots}
        return self.model.base_model(
            input_ids=ids.to(self.device), position_ids=positions.to(self.device), **given
        ).last_hidden_state

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Scores over the vocabulary, float32, for hidden states [..., hidden]."""
        scores = self.model.get_output_embeddings()(hidden).float()
        if not self.plain_head:
            config = self.model.config.get_text_config()
            if cap := getattr(config, "final_logit_softcapping", None):
                scores = torch.tanh(scores / cap) * cap
            if factor := getattr(config, "logit_scale", None):
                scores = scores * factor
            if divisor := getattr(config, "logits_scaling", None):
                scores = scores / divisor
        return scores

    @torch.inference_mode()
    def prefix(self, ids: Sequence[int]) -> Prefix:
        """Keys and values of a prefix, computed once."""
        slots = Slots(self.layers, 1, len(ids), self.device, None)
        with using(slots):
            self.hidden([ids], slots)
        return slots.taken(0, len(ids))

    @torch.inference_mode()
    def generate(
        self, wanted: Sequence[Wanted], batch: int, prefix: Prefix | None = None
    ) -> Iterator[tuple[int, Generated]]:
        """Continue prompts (which follow ``prefix``); yields (index, result) as each one ends.

        ``batch`` rows decode together; the longest prompts begin, and a finished row's slot goes
        to the next one.
        """
        if not wanted:
            return
        order = sorted(range(len(wanted)), key=lambda one: (-len(wanted[one].prompt), one))
        waiting = iter(order)
        capacity = max(len(one.prompt) + one.max_new_tokens for one in wanted)
        rows = min(batch, len(wanted))
        slots = Slots(self.layers, rows, capacity, self.device, prefix)
        checks: dict[tuple[str, ...], StopCheck] = {}
        live: list[_Row] = []
        scores: torch.Tensor | None = None
        with using(slots):
            while True:
                fresh = self._admit(waiting, wanted, rows - len(live), checks)
                if fresh:
                    new = self._prefill(fresh, len(live), slots)
                    live += fresh
                    scores = new if scores is None else torch.cat([scores, new])
                if not live:
                    return
                assert scores is not None
                kept = []
                for number, token in enumerate(self._choose(scores, live)):
                    finish = self._extend(live[number], token)
                    if finish:
                        row = live[number]
                        yield row.index, Generated(tuple(row.ids), finish)
                    else:
                        kept.append(number)
                live = self._compact(live, kept, slots)
                scores = self._step(live, slots) if live else None

    def _admit(
        self,
        waiting: Iterator[int],
        wanted: Sequence[Wanted],
        room: int,
        checks: dict[tuple[str, ...], StopCheck],
    ) -> list[_Row]:
        fresh: list[_Row] = []
        while len(fresh) < room and (index := next(waiting, None)) is not None:
            stops = wanted[index].stops
            check = checks.setdefault(stops, StopCheck(self.tokenizer, stops))
            fresh.append(_Row(index, wanted[index], check))
        return fresh

    def _prefill(self, fresh: list[_Row], start: int, slots: Slots) -> torch.Tensor:
        parts = []
        slots.prefilling = True
        before = slots.prefix.length if slots.prefix is not None else 0
        for group in batched_by_tokens([len(row.wanted.prompt) + before for row in fresh]):
            rows = [fresh[number].wanted.prompt for number in group]
            slots.active = torch.arange(start, start + len(rows), device=self.device)
            lengths = torch.tensor([len(row) for row in rows], device=self.device)
            slots.lengths[slots.active] = lengths
            hidden = self.hidden(rows, slots)
            last = hidden[torch.arange(len(rows), device=self.device), lengths - 1]
            parts.append(self.logits(last))
            start += len(rows)
        slots.prefilling = False
        return torch.cat(parts)

    def _choose(self, scores: torch.Tensor, live: list[_Row]) -> list[int]:
        best = scores.argmax(-1).tolist()
        for number, row in enumerate(live):
            if row.wanted.temperature > 0:
                best[number] = _sample(scores[number], row)
        return best

    def _extend(self, row: _Row, token: int) -> str | None:
        """Append ``token``; why the row ends with it, or None."""
        if token in self.stop_ids:
            return "end"
        row.ids.append(token)
        if row.check(row.ids):
            return "stop"
        return "length" if len(row.ids) >= row.wanted.max_new_tokens else None

    def _compact(self, live: list[_Row], kept: list[int], slots: Slots) -> list[_Row]:
        """Bring the rows that go on into the first slots, moving as few as possible."""
        count = len(kept)
        free = [number for number in range(count) if number not in set(kept)]
        moved = [number for number in kept if number >= count]
        result: dict[int, _Row] = {number: live[number] for number in kept if number < count}
        for target, source in zip(free, moved, strict=True):
            slots.move(source, target)
            result[target] = live[source]
        return [result[number] for number in range(count)]

    def _step(self, live: list[_Row], slots: Slots) -> torch.Tensor:
        count = len(live)
        slots.active = torch.arange(count, device=self.device)
        slots.used = int(slots.lengths[:count].max()) + 1
        before = slots.prefix.length if slots.prefix is not None else 0
        ids = torch.tensor([[row.ids[-1]] for row in live])
        hidden = self._forward(ids, slots.lengths[:count, None] + before, slots)
        slots.lengths[:count] += 1
        return self.logits(hidden[:, -1])


def _loaded(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    try:
        return AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            attn_implementation="sdpa",
        )
    except (OSError, ValueError, SafetensorError) as error:
        why = " ".join(str(error).split())[:200]
        raise UserError(f"{folder}: transformers cannot load it ({why})") from None


def _sample(scores: torch.Tensor, row: _Row) -> int:
    """Draw by temperature and nucleus from the row's own generator."""
    shares = (scores / row.wanted.temperature).softmax(-1).double()
    ranked, numbers = shares.sort(descending=True)
    total = ranked.cumsum(-1)
    last = int((total < row.wanted.top_p).sum()) if row.wanted.top_p < 1 else len(total) - 1
    last = min(last, len(total) - 1)
    point = row.draw.random() * float(total[last])
    return int(numbers[min(int((total <= point).sum()), last)])


def batched_by_tokens(lengths: Iterable[int], limit: int = PREFILL_TOKENS) -> list[list[int]]:
    """Split indices, in order, so that rows times the longest stays within ``limit`` tokens."""
    groups: list[list[int]] = []
    longest = 0
    for number, length in enumerate(lengths):
        longest = max(longest, length)
        if groups and longest * (len(groups[-1]) + 1) <= limit:
            groups[-1].append(number)
        else:
            groups.append([number])
            longest = length
    return groups
