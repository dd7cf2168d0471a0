"""Requests of lm-eval answered by vLLM, where it is installed (``env-build vllm``)."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance

from lemur.core.errors import UserError
from lemur.core.files import read_json
from lemur.core.progress import Progress
from lemur.evaluation.backends.base import Answers
from lemur.evaluation.backends.tokenized import Spans, Tokenised
from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import Decoding
from lemur.inference import model_tokenizer
from lemur.inference.stopping import cut, stops_of
from lemur.models.weights import check_vocabulary

DTYPES = {"bf16": "bfloat16", "fp32": "float32"}
# Read by vLLM when it is imported; what the user has set stays.
ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",  # nothing that is run phones home
    "VLLM_LOGGING_LEVEL": "WARNING",
}


def _placed() -> dict[str, Any]:
    """What depends on the device. On GPUs: one model over all that this process sees. On CPUs: a
    bounded cache, since by default vLLM refuses to start where others use a tenth of the memory."""
    import torch

    if torch.cuda.device_count():
        return {"tensor_parallel_size": torch.cuda.device_count()}
    import psutil

    # vLLM binds Intel's OpenMP best: its threads sleep between steps, which GNU's do not.
    openmp = Path(sys.prefix) / "lib" / "libiomp5.so"
    if openmp.is_file():
        os.environ.setdefault("LD_PRELOAD", str(openmp))
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    room = psutil.virtual_memory().available // 4
    return {"kv_cache_memory_bytes": room, "enforce_eager": compiler is None}


class VllmBackend(Tokenised):
    """vLLM schedules by itself, so there is no batch size; its prefix cache keeps shared examples."""

    def __init__(
        self,
        folder: Path | str,
        precision: str,
        decoding: Decoding,
        seed: int,
        label: str,
        loaded: dict[Any, Any] | None = None,
    ):
        if precision not in DTYPES:
            raise UserError(f"precision '{precision}': allowed are {', '.join(DTYPES)}")
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        try:
            import vllm
        except ImportError as error:
            raise UserError(
                f"backend vllm: {error}: build its environment with workflow/env-build vllm"
            ) from None
        tokenizer = model_tokenizer.load(folder)
        config = read_json(Path(folder) / "config.json")
        check_vocabulary(Path(folder), tokenizer, int(config.get("vocab_size", 1 << 62)))
        context = int(config.get("max_position_embeddings", 2048))
        documents = model_tokenizer.document_encoder(folder, tokenizer)
        super().__init__(tokenizer, documents, context, decoding, seed, label)
        self.scored_context = context - 2  # the prompt's last token, and one that is generated
        generation = Path(folder) / "generation_config.json"
        ends = read_json(generation).get("eos_token_id") if generation.is_file() else None
        self.stop_ids = model_tokenizer.stop_ids(tokenizer, ends)
        self.vllm = vllm
        key, loaded = (str(folder), precision, seed), {} if loaded is None else loaded
        if key not in loaded:
            loaded[key] = self._started(folder, precision)
        self.engine = loaded[key]

    def _started(self, folder: Path | str, precision: str) -> Any:
        try:
            return self.vllm.LLM(
                model=str(folder),
                dtype=DTYPES[precision],
                seed=self.seed,
                max_model_len=self.context,
                enable_prefix_caching=True,
                trust_remote_code=False,
                generation_config="vllm",  # the recipe's decoding, not the folder's
                **_placed(),
            ).llm_engine
        except (RuntimeError, ValueError) as error:  # its processes have logged the cause by then
            why = str(error).strip().splitlines()[0]
            raise UserError(f"{self.label}: vLLM did not start with {folder}: {why}") from None

    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Continuations as they end."""
        prompts, short, new = self.prompts(requests)
        for number, request in enumerate(requests):
            self.add(
                str(number),
                short[number],
                new,
                stops_of(request.args[1]),
                float(self.decoding.temperature or 0.0),
                float(self.decoding.top_p or 1.0),
                (self.seed * 1_000_003 + seeds[number]) % 2**31,
            )
        with Progress(self.label, len(requests) + done, "responses", start=done) as progress:
            for name, output in self._ended():
                number = int(name)
                text, tokens, finish = self.read(output, short[number])
                progress.add()
                yield (
                    number,
                    Answer(
                        response=cut(text, stops_of(requests[number].args[1])),
                        tokens=tokens,
                        finish=finish,
                        truncated=len(prompts[number]) - len(short[number]),
                    ),
                )

    def add(
        self,
        name: str,
        prompt: Sequence[int],
        max_tokens: int,
        stops: Sequence[str],
        temperature: float,
        top_p: float,
        seed: int,
    ) -> None:
        """Have a prompt continued, beside all others that are."""
        options = self.vllm.SamplingParams(
            temperature=temperature,
            top_p=top_p,
            max_tokens=max_tokens,
            stop=list(stops) or None,
            stop_token_ids=sorted(self.stop_ids),
            seed=seed,
            skip_special_tokens=True,
        )
        self.engine.add_request(name, _prompt(list(prompt)), options)

    def step(self) -> list[tuple[str, Any]]:
        """One pass of the engine: the names and outputs that ended by it."""
        return [(made.request_id, made) for made in self.engine.step() if made.finished]

    def read(self, output: Any, prompt: Sequence[int]) -> tuple[str, int, str]:
        """Text of an answer, its tokens, and why it ended, as the other backends count and read: vLLM
        keeps the token that ended the answer, and its own text lacks a character that the last token
        leaves unfinished."""
        made = output.outputs[0]
        finish = _finish(made)
        ids = list(made.token_ids)[: -1 if finish == "end" else None]
        return self.text(prompt, ids), len(ids), finish

    def _ended(self) -> Iterator[tuple[str, Any]]:
        while self.engine.has_unfinished_requests():
            yield from self.step()

    def scored(self, spans: Spans, done: int, form: Any, greedy: bool = True) -> Answers:
        """Likelihoods of prompts, window by window."""
        windows = [(number, *span) for number, many in enumerate(spans) for span in many]
        options = {"temperature": 0.0, "max_tokens": 1, "prompt_logprobs": 0}
        for place, (_, given, after) in enumerate(windows):
            params = self.vllm.SamplingParams(**options)
            ids = given + after[-1:]
            self.engine.add_request(str(place), _prompt(ids), params)
        left = [len(many) for many in spans]
        totals, greedy = [0.0] * len(spans), [True] * len(spans)
        with Progress(self.label, len(windows), "windows") as progress:
            for number in [number for number, count in enumerate(left) if count == 0]:
                yield number, Answer(response=form(0.0, True))
            for name, output in self._ended():
                number, _, after = windows[int(name)]
                shown = output.prompt_logprobs[-len(after) :]
                for token, known in zip(after, shown, strict=True):
                    totals[number] += known[token].logprob
                    greedy[number] = greedy[number] and known[token].rank == 1
                left[number] -= 1
                progress.add()
                if left[number] == 0:
                    tokens = sum(len(after) for _, after in spans[number])
                    response = form(totals[number], greedy[number])
                    yield number, Answer(response=response, tokens=tokens)


def _prompt(ids: list[int]) -> dict[str, Any]:
    """A prompt as vLLM's engine takes it, past its own tokenizer."""
    return {"type": "token", "prompt_token_ids": ids}


def _finish(made: Any) -> str:
    """Why an answer ended: stop (a text), end (a token) or length."""
    if made.finish_reason == "stop":
        return "stop" if isinstance(made.stop_reason, str) else "end"
    return str(made.finish_reason)
