"""Generate the responses of one model to one benchmark."""

from pathlib import Path
from typing import Any

from lemur.errors import UserError
from lemur.evaluate import settings
from lemur.evaluate.lm import RecordingLM, ReplayLM
from lemur.evaluate.store import Journal
from lemur.evaluate.tasks import Bench


class _Later:
    """Loads the model when the first response is missing, and not before."""

    def __init__(self, spec: dict[str, Any], folder: Path, chat: bool):
        self.spec, self.folder, self.chat = spec, folder, chat
        self.backend: Any = None

    def _ready(self) -> Any:
        if self.backend is None:
            from lemur.evaluate.backend import TransformersBackend
            from lemur.evaluate.engine import Engine

            engine = Engine(self.folder, self.spec["precision"], self.spec.get("device"))
            if self.chat and "<|im_end|>" not in engine.tokenizer.get_vocab():
                raise UserError(f"{self.folder}: format chatml, but no token '<|im_end|>'")
            label = f"{self.spec['benchmark']} {self.spec['model']}"
            batch, seed = int(self.spec.get("batch") or 1), int(self.spec["seed"])
            self.backend = TransformersBackend(engine, self.spec["decoding"], batch, seed, label)
        return self.backend

    def generate(self, requests: Any, seeds: Any, done: int) -> Any:
        return self._ready().generate(requests, seeds, done) if requests else ()

    def loglikelihood(self, requests: Any, seeds: Any, done: int) -> Any:
        return self._ready().loglikelihood(requests, seeds, done) if requests else ()

    def rolling(self, requests: Any, seeds: Any, done: int) -> Any:
        return self._ready().rolling(requests, seeds, done) if requests else ()


def run(spec: dict[str, Any], model: Path, data: Path, out: Path) -> None:
    """Write ``out`` (generations.jsonl). What an earlier run with the same settings has recorded is
    not asked again; nothing that was generated is lost when this is killed."""
    settings.check(spec)
    bench = Bench(spec, data)
    given = {**settings.of(spec, bench), "model_sha256": settings.model_digest(model)}
    with Journal(out, given) as journal:
        lm = RecordingLM(journal, _Later(spec, Path(model), bench.chat))
        bench.evaluate(lm, metrics=False)
        journal.finish(places(bench, lm))


def places(bench: Bench, lm: ReplayLM) -> list[dict[str, Any]]:
    """Where each response belongs: key, task, the problem's own name, choice and repeat, in the
    order of tasks and problems."""
    named = {
        (name, number): document["_id"]
        for name, task in bench.tasks.items()
        for number, document in enumerate(task.eval_docs)
    }
    order = {place: number for number, place in enumerate(named)}
    found = sorted(
        lm.places,
        key=lambda one: (order[one["task"], one["document"]], one["choice"], one["repeat"]),
    )
    return [{**one, "document": named[one["task"], one["document"]]} for one in found]
