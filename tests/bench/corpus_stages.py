"""The project's own corpus commands, as `make bench-corpus` measures them."""

import json
import shutil
from pathlib import Path

from lemur.config import stages

from bench import inputs
from bench.measured import ROOT, Cost, run_all


def script(path: str, spec: str, *arguments: object) -> tuple[str, list[object]]:
    return "data", [ROOT / "scripts" / path, "--spec", spec, *arguments]


class Stages:
    """The project's own commands over a folder of inputs, and where they write."""

    def __init__(self, recipe: dict, source: Path, out: Path, model: Path, benchmarks: list[Path]):
        self.recipe, self.source, self.out = recipe, source, out
        self.model, self.benchmarks = model, benchmarks
        self.less: tuple[str, ...] = ()

    @property
    def parts(self) -> list[tuple[str, str]]:
        found = sorted(self.source.glob("*/part-*-of-*/manifest.json"))
        return [(path.parent.parent.name, path.parent.name) for path in found]

    @property
    def documents(self) -> list[Path]:
        return [self.out / "corpus" / kind / f"{name}.parquet" for kind, name in self.parts]

    def clean(self) -> list[tuple[str, list[object]]]:
        jobs = []
        for kind, name in self.parts:
            part, parts = name.removeprefix("part-").split("-of-")
            manifest = self.source / kind / name / "manifest.json"
            spec = inputs.specification(self.recipe, kind, self.less)
            out = self.out / "corpus" / kind / f"{name}.parquet"
            options = ["--manifest", manifest, "--part", part, "--parts", parts, "--out", out]
            jobs.append(script("1_corpus/clean.py", spec, *options))
        return jobs

    @property
    def signatures(self) -> list[Path]:
        return [path.with_suffix(".npy") for path in self.documents]

    def sign(self) -> list[tuple[str, list[object]]]:
        spec = json.dumps(stages.signatures(self.recipe))
        return [
            script("1_corpus/signatures.py", spec, "--documents", path, "--out", out)
            for path, out in zip(self.documents, self.signatures, strict=True)
        ]

    def duplicates(self) -> tuple[str, list[object]]:
        spec = stages.duplicates(self.recipe) | {"sources": list(inputs.KINDS)}
        options = ["--documents", *self.documents, "--signatures", *self.signatures]
        options += ["--out-dir", self.out / "corpus"]
        return script("1_corpus/duplicates.py", json.dumps(spec), *options)

    def decontaminate(self) -> tuple[str, list[object]]:
        spec = json.dumps(stages.decontaminate(self.recipe))
        options = ["--documents", *self.documents, "--out", self.out / "mix" / "dropped.tsv"]
        return script("2_mix/decontaminate.py", spec, *options, "--benchmarks", *self.benchmarks)

    def tokenize(self) -> list[tuple[str, list[object]]]:
        spec = json.dumps(stages.tokenize(self.recipe))
        return [
            script("3_tokenize/tokenize.py", spec, "--documents", path, "--tokenizer", self.model)
            for path in self.documents
        ]

    def tokens(self) -> list[Path]:
        return [self.out / "tokens" / kind / f"{name}.bin" for kind, name in self.parts]

    def tokenizing(self) -> list[tuple[str, list[object]]]:
        outs = [path.with_suffix(".json") for path in self.tokens()]
        return [
            (where, [*arguments, "--out", out])
            for (where, arguments), out in zip(self.tokenize(), outs, strict=True)
        ]

    def whole(self, workers: int) -> dict[str, Cost]:
        """All stages, in the order and at the parallelism that Snakemake has; costs a stage."""
        shutil.rmtree(self.out, ignore_errors=True)
        first = run_all(workers, self.clean())
        if workers > 1:
            rest = [*self.sign(), self.decontaminate(), *self.tokenizing()]
            # The join waits for the signatures; the rest fills the other worker meanwhile.
            return {"clean": first, "rest": run_all(workers, rest, self.duplicates())}
        return {
            "clean": first,
            "signatures": run_all(1, self.sign()),
            "duplicates": run_all(1, [self.duplicates()]),
            "decontaminate": run_all(1, [self.decontaminate()]),
            "tokenize": run_all(1, self.tokenizing()),
        }
