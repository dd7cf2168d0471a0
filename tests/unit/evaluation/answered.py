"""Scores of answers that a model is made to have given, and benchmarks fetched from a local hub."""

import io
import json
import os
import subprocess

import yaml
from hubserver import COMMIT, HubServer
from lemur.core.provenance import ROOT
from lemur.evaluation import generation, judging
from lemur.evaluation.fingerprint import collect
from lemur.evaluation.lm import ReplayLM
from lemur.evaluation.response_journal import Journal, Response
from lemur.evaluation.tasks import Bench


class Fixed(ReplayLM):
    """Answers what ``respond(document)`` says: a text, or log-likelihoods of the choices."""

    def __init__(self, respond):
        super().__init__({}, "test")
        self.respond, self.asked, self.given = respond, [], {}

    def _all(self, requests):
        keys = self.keyed(requests)
        found = []
        for request, key in zip(requests, keys, strict=True):
            answer = self.respond(request.doc)
            if request.request_type == "loglikelihood":
                answer = (answer[request.idx], False)
            self.asked.append(request.args)
            self.given[key] = answer
            found.append(answer)
        return found


def scored(given, manifest, folder, respond):
    """scores.json, verdicts and prompts of answers, through the files that a run writes."""
    bench = Bench(given, manifest)
    lm = Fixed(respond)
    bench.evaluate(lm, metrics=False)
    out = folder / "generations.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    with Journal(out, collect(given, bench, "0" * 64)) as journal:
        for key, answer in lm.given.items():
            journal.add(Response(key=key, response=answer, tokens=1, finish="stop"))
        out.write_bytes(journal.finish(generation.places(bench, lm)))
    judging.run(given, out, manifest, folder / "scores.json")
    verdicts = [json.loads(line) for line in (folder / "verdicts.jsonl").open()]
    return json.loads((folder / "scores.json").read_text()), verdicts, lm.asked


def catalogue(name):
    """The entry of config/benchmarks.yaml."""
    listed = yaml.safe_load((ROOT / "config" / "benchmarks.yaml").read_text())["benchmarks"]
    return listed[name]


def fetched(name, files, folder):
    """Manifest of a benchmark of the catalogue, downloaded by the project's own script from a hub
    that holds ``files`` ({path: bytes}) at a commit of its own, and not the data that are pinned."""
    entry = catalogue(name)
    pin = entry["data"]["from"] | {"revision": COMMIT}
    pin.pop("sha256", None)
    out = folder / name / "part-0-of-1" / "manifest.json"
    spec = {"name": name, "from": pin, "licence": entry["data"].get("licence", "MIT")}
    surroundings = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "LEMUR_"))}
    with HubServer() as hub:
        hub.datasets[pin["hub"]] = files
        done = subprocess.run(
            [ROOT / "workflow/env-run", "data", "python", ROOT / "scripts/1_corpus/download.py",
             "--spec", json.dumps(spec), "--out", out],
            env=surroundings | {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "hf"),
                                "NO_PROXY": "127.0.0.1,localhost"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out


def parquet(rows):
    """Bytes of a table."""
    import pyarrow
    import pyarrow.parquet

    made = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), made)
    return made.getvalue()


def lines(path):
    """What each line of a file of JSON lines holds."""
    return [json.loads(line) for line in path.read_text().splitlines()]
