"""A causal language model of transformers: forward passes, and decoding with slots."""

import dataclasses
import random
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from lemur.core.errors import UserError
from lemur.core.log import logger
from lemur.inference import cpu_llama, model_tokenizer, next_token, speculative
from lemur.inference.attention import NAME, using
from lemur.inference.kv_cache import Prefix, Slots
from lemur.inference.precision import DTYPES, choose_device, choose_dtype
from lemur.inference.speculative import Guesser, Heard
from lemur.inference.stopping import StopCheck
from lemur.models.weights import check_vocabulary, load_weights, read_config

# Tokens of one forward pass over prompts: bounds activations, not results. A CPU works no faster on
# more, and pads less.
PREFILL_TOKENS = {"cpu": 512}
PREFILL_TOKENS_ELSEWHERE = 4096
# What one more token adds to the time of a decoding pass, as a share of a pass with none: measured
# on a CPU; next to nothing where a pass waits for memory.
TOKEN = {"cpu": 0.05}
TOKEN_ELSEWHERE = 0.002


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


class Row:
    """A continuation under way; ``text`` gives the text of its ids, ``check`` looks for stop strings."""

    def __init__(
        self,
        index: int,
        wanted: Wanted,
        check: StopCheck,
        text: model_tokenizer.Decoding,
        before: Sequence[int],
        heard: Heard,
    ):
        self.index, self.wanted, self.check, self.text = index, wanted, check, text
        self.ids: list[int] = []
        self.draw = random.Random(wanted.number)  # noqa: S311 - sampling, not a secret
        greedy = wanted.temperature <= 0 and wanted.max_new_tokens > 1
        self.guesser = Guesser([*before, *wanted.prompt], heard) if greedy else None

    def guesses(self) -> list[int]:
        """Of its next tokens, no more than could still be taken."""
        if self.guesser is None:
            return []
        return self.guesser.guess()[: self.wanted.max_new_tokens - len(self.ids) - 1]


class Engine:
    """Model and tokenizer of a Hugging Face folder on one device.

    ``stop_ids`` are the tokens that end a response: those of the generation settings and
    ``<|im_end|>`` where the tokenizer has it as one token.
    """

    def __init__(self, folder: Path | str, precision: str = "bf16", device: str | None = None):
        folder = Path(folder)
        self.device = choose_device(device)
        dtype = choose_dtype(precision, self.device)
        given = read_config(folder)
        self.tokenizer = model_tokenizer.load(folder)
        self.document_ids = model_tokenizer.document_encoder(folder, self.tokenizer)
        if dtype != DTYPES[precision]:
            logger.info("bf16 is computed in float32: this CPU has no instructions for it")
        self.model = load_weights(folder, dtype, given, attn_implementation="sdpa")
        check_vocabulary(folder, self.tokenizer, len(self.model.get_input_embeddings().weight))
        self.model.to(self.device).eval().requires_grad_(False)
        config = self.model.config.get_text_config()
        if getattr(config, "sliding_window", None) or getattr(config, "attn_logit_softcapping", 0):
            raise UserError(
                f"{folder}: models with sliding-window or soft-capped attention are not supported"
            )
        self.model.set_attn_implementation(NAME)
        self.layers = config.num_hidden_layers
        heads = config.num_attention_heads
        self.group = heads // (getattr(config, "num_key_value_heads", None) or heads)
        kind = self.device.type
        self.prefill_tokens = PREFILL_TOKENS.get(kind, PREFILL_TOKENS_ELSEWHERE)
        self.token = TOKEN.get(kind, TOKEN_ELSEWHERE)
        self.context = int(getattr(config, "max_position_embeddings", 2048))
        ends = self.model.generation_config.eos_token_id
        self.stop_ids = model_tokenizer.stop_ids(self.tokenizer, ends)
        self.plain_head = not any(
            getattr(config, name, None)
            for name in ("final_logit_softcapping", "logit_scale", "logits_scaling")
        )
        self.lean = cpu_llama.build(self.model)

    def encode(self, text: str) -> list[int]:
        """Ids of ``text``, after the beginning token that the tokenizer adds."""
        return model_tokenizer.encode(self.tokenizer, text)

    def hidden(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Last hidden states [rows, longest, hidden] of rows that are padded on the right."""
        ids = _padded(rows)
        return self.forward(ids, torch.arange(ids.shape[1]).expand(len(rows), -1), None)

    def forward(
        self, ids: torch.Tensor, positions: torch.Tensor, slots: Slots | None
    ) -> torch.Tensor:
        if self.lean is not None:
            return self.lean(ids, positions, slots)
        return self.model.base_model(
            input_ids=ids.to(self.device),
            position_ids=positions.to(self.device),
            use_cache=slots is not None,
            past_key_values=slots,
        ).last_hidden_state

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Scores over the vocabulary, float32, for hidden states [..., hidden]."""
        head = self.model.get_output_embeddings() if self.lean is None else self.lean.head
        scores = head(hidden).float()
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
            lengths = torch.tensor([len(ids)], device=self.device)
            self.forward(_padded([ids]), slots.prefill(0, lengths, len(ids)), slots)
        return slots.taken(0, tuple(ids))

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
        order = sorted(range(len(wanted)), key=lambda place: (-len(wanted[place].prompt), place))
        waiting = iter(order)
        # Guesses are written too, before they are refused.
        capacity = (
            max(len(request.prompt) + request.max_new_tokens for request in wanted)
            + speculative.MOST
        )
        rows = min(batch, len(wanted))
        slots = Slots(self.layers, rows, capacity, self.device, prefix)
        before, heard = prefix.ids if prefix is not None else (), Heard()
        checks: dict[tuple[str, ...], StopCheck] = {}
        live: list[Row] = []
        chosen: list[list[int]] = []  # each row's next tokens
        with using(slots):
            while True:
                fresh = self._admit(waiting, wanted, rows - len(live), checks, before, heard)
                if fresh:
                    chosen += self._prefill(fresh, len(live), slots)
                    live += fresh
                if not live:
                    return
                kept = []
                for number, tokens in enumerate(chosen):
                    row = live[number]
                    if finish := self.extend(row, tokens):
                        yield row.index, Generated(tuple(row.ids), finish)
                    else:
                        kept.append(number)
                live = self.compact(live, kept, slots)
                chosen = self.step(live, slots) if live else []

    def _admit(
        self,
        waiting: Iterator[int],
        wanted: Sequence[Wanted],
        room: int,
        checks: dict[tuple[str, ...], StopCheck],
        before: Sequence[int],
        heard: Heard,
    ) -> list[Row]:
        fresh: list[Row] = []
        while len(fresh) < room and (index := next(waiting, None)) is not None:
            stops = wanted[index].stops
            check = checks.setdefault(stops, StopCheck(stops))
            prompt = (*before[-model_tokenizer.TAIL :], *wanted[index].prompt)
            text = model_tokenizer.Decoding(self.tokenizer, prompt)
            fresh.append(Row(index, wanted[index], check, text, before, heard))
        return fresh

    def _prefill(self, fresh: list[Row], start: int, slots: Slots) -> list[list[int]]:
        chosen: list[list[int]] = []
        lengths = [len(row.wanted.prompt) for row in fresh]
        # What a prefix adds is attended to, not computed again.
        costs = [length + slots.before // 8 for length in lengths]
        for group in batched_by_tokens(costs, self.prefill_tokens, padded=self.lean is None):
            last = self._last([fresh[number].wanted.prompt for number in group], start, slots)
            scores = self.logits(last)
            best = next_token.best(scores)
            for place, number in enumerate(group):
                chosen.append([self.drawn(fresh[number], scores[place], best[place])])
            start += len(group)
        return chosen

    def _last(self, prompts: list[tuple[int, ...]], start: int, slots: Slots) -> torch.Tensor:
        """Last hidden states [rows, hidden] of the last tokens of prompts for slots from ``start``."""
        lengths = [len(prompt) for prompt in prompts]
        if self.lean is not None:
            return self.lean.last(prompts, slots.prompts(start, lengths), slots)
        ids, sizes = _padded(prompts), torch.tensor(lengths, device=self.device)
        hidden = self.forward(ids, slots.prefill(start, sizes, ids.shape[1]), slots)
        return hidden[torch.arange(len(prompts), device=self.device), sizes - 1]

    def drawn(self, row: Row, scores: torch.Tensor, best: int) -> int:
        wanted = row.wanted
        if wanted.temperature <= 0:
            return best
        return next_token.drawn(scores, wanted.temperature, wanted.top_p, row.draw)

    def extend(self, row: Row, tokens: Sequence[int]) -> str | None:
        """Append ``tokens`` up to the one that ends the row; why it ends, or None."""
        for token in tokens:
            if token in self.stop_ids:
                return "end"
            row.ids.append(token)
            if row.guesser is not None:
                row.guesser.add(token)
            if row.check(row.ids, row.text):
                return "stop"
            if len(row.ids) >= row.wanted.max_new_tokens:
                return "length"
        return None

    def compact(self, live: list[Any], kept: list[int], slots: Slots) -> list[Any]:
        """Bring the rows that go on into the first slots, moving as few as possible."""
        count = len(kept)
        free = [number for number in range(count) if number not in set(kept)]
        moved = [number for number in kept if number >= count]
        result: dict[int, Any] = {number: live[number] for number in kept if number < count}
        for target, source in zip(free, moved, strict=True):
            slots.move(source, target)
            result[target] = live[source]
        return [result[number] for number in range(count)]

    def step(self, live: list[Row], slots: Slots) -> list[list[int]]:
        """The next tokens of each row: what it guessed right and one more."""
        guessed = [row.guesses() for row in live]
        known = [
            (len(many), row.guesser.held if row.guesser is not None else 0.0)
            for row, many in zip(live, guessed, strict=True)
        ]
        width = speculative.width(known, self.token)
        guessed = [many[: width - 1] for many in guessed]
        ids = _padded([[row.ids[-1], *many] for row, many in zip(live, guessed, strict=True)])
        width = ids.shape[1]
        positions = slots.step(len(live), width, self.group, self.model.dtype)
        scores = self.logits(self.forward(ids, positions, slots))
        best = next_token.best(scores.flatten(0, 1))
        chosen = []
        for number, (row, many) in enumerate(zip(live, guessed, strict=True)):
            mine = best[number * width : number * width + len(many) + 1]
            right = next((n for n, token in enumerate(many) if token != mine[n]), len(many))
            if row.guesser is not None:
                row.guesser.record(len(many), right)
            chosen.append([*mine[:right], self.drawn(row, scores[number, right], mine[right])])
        taken = torch.tensor([len(tokens) for tokens in chosen], device=self.device)
        slots.lengths[: len(live)] += taken
        return chosen


def _padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Ids [rows, longest], zero after each row's end."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], dtype=torch.long)


def batched_by_tokens(lengths: Iterable[int], limit: int, padded: bool = True) -> list[list[int]]:
    """Split indices, in order, so that rows times the longest, or where they are not ``padded`` their
    sum, stays within ``limit`` tokens."""
    groups: list[list[int]] = []
    longest = total = 0
    for number, length in enumerate(lengths):
        longest, total = max(longest, length), total + length
        if groups and (longest * (len(groups[-1]) + 1) if padded else total) <= limit:
            groups[-1].append(number)
        else:
            groups.append([number])
            longest = total = length
    return groups
