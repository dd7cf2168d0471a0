"""lm-eval tasks over local documents: its stock definitions, and the project's own beside them."""

import copy
import functools
import logging
from pathlib import Path
from typing import Any

import datasets
import lm_eval
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

from lemur.core.errors import UserError, nearest
from lemur.evaluation import (
    benchmarks,
    paper_filters,  # noqa: F401 - registers its filters
)
from lemur.evaluation.definition import TaskConfig
from lemur.evaluation.documents import Split
from lemur.evaluation.items import LoggedSample
from lemur.evaluation.limit import limited
from lemur.evaluation.source import Source
from lemur.evaluation.spec import BenchmarkSpec

STOCK = Path(lm_eval.__file__).parent / "tasks"
FORMATS = ("completion", "chatml")
logging.getLogger("lm_eval").setLevel(logging.ERROR)


class Bench:
    """One benchmark with its documents as lm-eval tasks.

    ``of`` is the number of problems in the data, ``n`` the number asked; ``tasks`` maps lm-eval's
    names to tasks; ``begin``: whether a prompt gets the tokenizer's beginning token.
    """

    def __init__(self, spec: BenchmarkSpec, data: Path | str):
        self.spec, self.name = spec, spec.benchmark
        folder = Path(spec.path) if spec.path else None
        self.benchmark, self.definition = benchmarks.load(spec.task or self.name, folder)
        self.source = Source(data)
        form = spec.format
        if form not in FORMATS:
            raise UserError(f"{self.name}: format '{form}'{nearest(form, FORMATS)}")
        self.chat = form == "chatml" and not self.definition.plain
        # What is only scored needs no marker to end it: a model that lacks them reads them as text.
        self.ends_turn = self.chat and self.definition.coded is None
        self.begin = self.definition.begin
        found = self.benchmark.read(self.source, self.definition.member)
        _once(found, self.name)
        self.documents, self.of = limited(found, spec.limit, self.name)
        self.n = sum(len(split["test"]) for split in self.documents.values())
        self.tasks = {}
        for config in self._configs():
            task = self._task(config)
            if task is not None:
                self.tasks[task.config.task] = task
        asked = sum(len(task.eval_docs) for task in self.tasks.values())
        if asked != self.n:
            missing = sorted(set(self.documents) - {t.DATASET_NAME for t in self.tasks.values()})
            raise UserError(f"{self.name}: no lm-eval task for data '{', '.join(missing)}'")

    def _configs(self) -> list[TaskConfig]:
        if self.definition.each:  # one task for each data set, with its own stop texts
            return [self._one_of(name) for name in sorted(self.documents)]
        if self.definition.task is not None:
            return [copy.deepcopy(self.definition.task)]
        paths = [path for glob in self.definition.stock for path in sorted(STOCK.glob(glob))]
        if not paths:
            raise UserError(f"{self.name}: this lm-eval has no {', '.join(self.definition.stock)}")
        configs = [load_yaml(path) for path in paths]
        return [config for config in configs if isinstance(config.get("task"), str)]

    def _one_of(self, name: str) -> TaskConfig:
        config = copy.deepcopy(self.definition.task)
        assert config is not None
        config["task"], config["dataset_name"] = f"{config['task']}_{name}", name
        stops = {tuple(document["stop_tokens"]) for document in self.documents[name]["test"]}
        if len(stops) > 1:
            raise UserError(f"{self.name}: {name}: problems with different stop texts")
        config["generation_kwargs"]["until"] = [*stops.pop()]
        return config

    def _task(self, config: TaskConfig) -> ConfigurableTask | None:
        data = "" if "" in self.documents else config.get("dataset_name")
        if data not in self.documents:
            return None
        split = self.documents[data]
        for change in (
            self.definition.changes,
            self.definition.changes_for.get(config.get("dataset_name", ""), {}),
            self.definition.formats[self.spec.format],
        ):
            _change(config, copy.deepcopy(change))
        if more := config.pop("more_until", None):
            config["generation_kwargs"]["until"] += more
        for name in ("dataset_path", "dataset_kwargs", "group", "tag", "unsafe_code"):
            config.pop(name, None)
        examples = config.get("fewshot_config")
        if isinstance(examples, dict) and isinstance(examples.get("samples"), str):
            examples["samples"] = split[examples["samples"]]
        if stops := self.spec.decoding.stop:
            options = config.get("generation_kwargs", {})
            config["generation_kwargs"] = {**options, "until": list(stops)}
        config["custom_dataset"] = functools.partial(_dataset, split)
        config["num_fewshot"] = self._shots(config, split)
        config["repeats"] = self.spec.decoding.samples or 1
        task = ConfigurableTask(config=config)
        task.set_fewshot_seed(1234)
        return task

    def _shots(self, config: TaskConfig, split: Split) -> int:
        """Solved examples in a prompt: its own, never problems that are asked."""
        shots, examples = self.spec.shots, config.get("fewshot_config") or {}
        given = examples.get("samples") or split.get(config.get("fewshot_split") or "", [])
        if shots > len(given):
            raise UserError(f"{self.name}: shots {shots}: there are {len(given)} solved examples")
        return shots

    def evaluate(self, lm: Any, *, metrics: bool) -> dict[str, list[LoggedSample]]:
        """Run ``lm`` over all problems; samples by task, one for each of its filters. Without ``metrics`` nothing is
        scored (programs are judged in the sandbox, not by lm-eval)."""
        from lm_eval.evaluator import evaluate

        if not metrics:
            for task in self.tasks.values():
                task.override_metric("bypass")
        lm.description_in_user = self.definition.description_in_user
        lm.conversations = self.definition.conversations
        results = evaluate(
            lm=lm,
            task_dict={"tasks": self.tasks, "groups": {}, "group_map": {}},
            bootstrap_iters=0,
            log_samples=True,
            apply_chat_template=self.chat,
            fewshot_as_multiturn=self.definition.multiturn,
        )
        samples = results["samples"]
        return {name: [LoggedSample.read(sample) for sample in samples[name]] for name in samples}


def _once(found: dict[str, Split], name: str) -> None:
    """UserError where two problems have one name, by which verdicts are told apart and paired."""
    seen: set[str] = set()
    for document in (problem for split in found.values() for problem in split["test"]):
        if document["_id"] in seen:
            raise UserError(f"{name}: its data holds the problem '{document['_id']}' twice")
        seen.add(document["_id"])


def _change(config: TaskConfig, change: TaskConfig) -> None:
    """Put ``change`` into an lm-eval definition; what the examples say is changed key by key. In a
    description ``{subject}`` stands for the data set."""
    if "fewshot_config" in change:
        change["fewshot_config"] = {**config["fewshot_config"], **change["fewshot_config"]}
    if "{subject}" in change.get("description", ""):
        subject = config["dataset_name"].replace("_", " ")
        change["description"] = change["description"].replace("{subject}", subject)
    config.update(change)


def _dataset(split: Split, **_: Any) -> datasets.DatasetDict:
    return datasets.DatasetDict(
        {
            name: datasets.Dataset.from_list(documents)
            for name, documents in split.items()
            if documents
        }
    )
