"""Requests of lm-eval answered by vLLM, where it is installed (``env-build vllm``)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lm_eval.api.instance import Instance

from lemur.errors import UserError
from lemur.evaluate import vocabulary
from lemur.evaluate.stop import cut, stops_of
from lemur.evaluate.tokenised import Answers, Spans, Tokenised
from lemur.files import read_json
from lemur.progress import Progress

DTYPES = {"bf16": "bfloat16", "fp32": "float32"}


def _devices() -> int:
    """GPUs that one model is laid over: all that this process sees, at least one."""
    import torch

    return max(1, torch.cuda.device_count())


class VllmBackend(Tokenised):
    """vLLM schedules by itself, so there is no batch size; its prefix cache keeps shared examples."""

    def __init__(
        self, folder: Path | str, precision: str, decoding: dict[str, Any], seed: int, label: str
    ):
        if precision not in DTYPES:
            raise UserError(f"precision '{precision}': allowed are {', '.join(DTYPES)}")
        try:
            import vllm
        except ImportError as error:
            raise UserError(
                f"backend vllm: {error}: build its environment with workflow/env-build vllm"
            ) from None
        tokenizer = vocabulary.load(folder)
        config = read_json(Path(folder) / "config.json")
        context = int(config.get("max_position_embeddings", 2048))
        super().__init__(tokenizer, context, decoding, seed, label)
        self.scored_context = context - 2  # the prompt's last token, and one that is generated
        generation = Path(folder) / "generation_config.json"
        ends = read_json(generation).get("eos_token_id") if generation.is_file() else None
        self.stop_ids = vocabulary.stop_ids(tokenizer, ends)
        self.vllm = vllm
        self.engine = vllm.LLM(
            model=str(folder),
            dtype=DTYPES[precision],
            seed=seed,
            max_model_len=context,
            tensor_parallel_size=_devices(),
            enable_prefix_caching=True,
            trust_remote_code=False,
            generation_config="vllm",  # the recipe's decoding, not the folder's
        ).llm_engine

    def generate(self, requests: Sequence[Instance], seeds: Sequence[int], done: int) -> Answers:
        """Continuations as they end."""
        prompts, short, new = self.prompts(requests)
        for number, request in enumerate(requests):
            options = self.vllm.SamplingParams(
                temperature=float(self.decoding.get("temperature", 0.0)),
                top_p=float(self.decoding.get("top_p", 1.0)),
                max_tokens=new,
                stop=list(stops_of(request.args[1])) or None,
                stop_token_ids=sorted(self.stop_ids),
                seed=(self.seed * 1_000_003 + seeds[number]) % 2**31,
                skip_special_tokens=True,
            )
            self.engine.add_request(str(number), {"prompt_token_ids": short[number]}, options)
        with Progress(self.label, len(requests) + done, "responses", start=done) as progress:
            for number, output in self._ended():
                made = output.outputs[0]
                entry = {
                    "response": cut(made.text, stops_of(requests[number].args[1])),
                    "tokens": len(made.token_ids),
                    "finish": _finish(made),
                    "truncated": len(prompts[number]) - len(short[number]),
                }
                progress.add()
                yield number, entry

    def _ended(self) -> Any:
        while self.engine.has_unfinished_requests():
            for output in self.engine.step():
                if output.finished:
                    yield int(output.request_id), output

    def scored(self, spans: Spans, done: int, form: Any) -> Answers:
        """Likelihoods of prompts, window by window."""
        windows = [(number, *span) for number, many in enumerate(spans) for span in many]
        options = {"temperature": 0.0, "max_tokens": 1, "prompt_logprobs": 0}
        for place, (_, given, after) in enumerate(windows):
            params = self.vllm.SamplingParams(**options)
            ids = given + after[-1:]
            self.engine.add_request(str(place), {"prompt_token_ids": ids}, params)
        left = [len(many) for many in spans]
        totals, greedy = [0.0] * len(spans), [True] * len(spans)
        with Progress(self.label, len(windows), "windows") as progress:
            for number in [number for number, count in enumerate(left) if count == 0]:
                yield number, {"response": form(0.0, True), "tokens": 0}
            for place, output in self._ended():
                number, _, after = windows[place]
                shown = output.prompt_logprobs[-len(after) :]
                for token, known in zip(after, shown, strict=True):
                    totals[number] += known[token].logprob
                    greedy[number] = greedy[number] and known[token].rank == 1
                left[number] -= 1
                progress.add()
                if left[number] == 0:
                    tokens = sum(len(after) for _, after in spans[number])
                    yield (
                        number,
                        {"response": form(totals[number], greedy[number]), "tokens": tokens},
                    )


def _finish(made: Any) -> str:
    """Why an answer ended: stop (a text), end (a token) or length."""
    if made.finish_reason == "stop":
        return "stop" if isinstance(made.stop_reason, str) else "end"
    return str(made.finish_reason)
