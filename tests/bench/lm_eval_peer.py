"""lm-eval's side of make bench-evaluate, in a process of its own.

    env-run bench-evaluate python tests/bench/lm_eval_peer.py ASKED.json ANSWERS.json

ASKED: ``{"model": folder, "work": folder, "new": tokens, "benchmarks": {name: {"spec": ..., "data":
manifest, "batch": size}}}``. Generations go to ``work``/<name>/generations.jsonl, to be judged by the judge that
also judges ours. ANSWERS: for each name seconds of wall and of processor time. Loading is not
counted.
"""

# Before anything of ours, which chooses how threads wait: the peer waits as it does by default.
import torch  # noqa: F401, I001 - its place is its purpose

import copy
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lemur.evaluation.response_journal import Answer
from lemur.evaluation.spec import BenchmarkSpec

from bench.timed import answered


class Stock:
    """lm-eval's ``hf`` backend behind our interface; one model for all batch sizes."""

    loaded: Any = None

    def __init__(self, folder: Path, new: int, batch: int):
        from lm_eval.models.huggingface import HFLM

        if Stock.loaded is None:
            Stock.loaded = HFLM(
                pretrained=str(folder), dtype="bfloat16", device="cpu", batch_size=1
            )
        Stock.loaded.batch_size_per_gpu = batch
        self.model, self.new, self.tokenizer = Stock.loaded, new, Stock.loaded.tokenizer

    def generate(self, requests: Any, seeds: Any, done: int) -> Any:
        asked = []
        for request in requests:
            changed = copy.copy(request)  # a request's options are part of its key
            options = {**request.args[1], "max_gen_toks": self.new, "do_sample": False}
            changed.arguments = (request.args[0], options)
            asked.append(changed)
        for number, text in enumerate(self.model.generate_until(asked, disable_tqdm=True)):
            tokens = len(self.tokenizer.encode(text, add_special_tokens=False))
            yield number, Answer(response=text, tokens=tokens, finish="stop")


def main() -> None:
    """Load once, then one benchmark after the other."""
    asked = json.loads(Path(sys.argv[1]).read_text())
    model, answers = Path(asked["model"]), {}
    for name, given in asked["benchmarks"].items():
        backend = Stock(model, asked["new"], given["batch"])
        out = Path(asked["work"]) / name / "generations.jsonl"
        spec = BenchmarkSpec.parse({**given["spec"], "batch": given["batch"]})
        answers[name] = answered(backend, spec, model, Path(given["data"]), out)
    Path(sys.argv[2]).write_text(json.dumps({"answers": answers}))


if __name__ == "__main__":
    main()
