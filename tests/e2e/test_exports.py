"""The documented commands on a whole run: files of other tools by their own readers, and a run sent to a hub."""

import json
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import yaml
from hubserver import HubServer
from jsonschema import Draft7Validator
from lemur.core.provenance import ROOT
from snake import snakemake

pytestmark = pytest.mark.long
CONFIG = ("--config", "recipe=smoke", "quiet_plan=true")
TOKEN = "hf_right"
# Of each log: its samples, and whether each has a prompt and a verdict.
READ = """
import json, sys
from pathlib import Path
from inspect_ai.log import read_eval_log
found = {}
for path in sorted(Path(sys.argv[1]).rglob("*.eval")):
    log = read_eval_log(str(path))
    whole = all(sample.input and sample.metadata["verdict"] for sample in log.samples)
    found[f"{path.parent.name}/{path.stem}"] = [log.status, len(log.samples), whole]
print(json.dumps(found))
"""


def in_formats(folder, *command):
    done = subprocess.run(
        ["workflow/env-run", "formats", *command], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def exported(smoke, tmp_path_factory):
    """A copy of the run in which `snakemake export` was given."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    shutil.copytree(smoke.folder, folder, symlinks=True)
    done = snakemake(folder, "--cores", "2", "export", *CONFIG)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
    return folder


def scores(folder):
    """{model/benchmark: scores.json}."""
    found = (folder / "results" / "smoke" / "evaluate").glob("*/*/scores.json")
    return {f"{path.parts[-3]}/{path.parts[-2]}": json.loads(path.read_text()) for path in found}


def test_inspect_opens_a_log_of_each_score(exported):
    done = in_formats(exported, "python", "-c", READ, "results/smoke/export/inspect")
    logs, known = json.loads(done.stdout), scores(exported)
    assert set(logs) == set(known) and len(logs) > 3
    assert logs == {name: ["success", score["n"], True] for name, score in known.items()}


def test_every_record_is_one_of_every_eval_evers(exported):
    folder, schemas = exported / "results" / "smoke" / "export" / "every_eval_ever", {}
    for name in ("every_eval_ever", "every_eval_ever_instance"):
        schemas[name] = Draft7Validator(json.loads((ROOT / f"tests/golden/{name}.schema.json").read_text()))  # fmt: skip
    judged = [name for name, score in scores(exported).items() if score["value"] is not None]
    records = sorted(folder.rglob("*.json"))
    assert len(records) == len(judged)
    instances = [json.loads(line) for path in folder.rglob("*.jsonl") for line in path.read_text().splitlines()]  # fmt: skip
    assert instances and all(instance["input"]["raw"] for instance in instances)
    for path in records:
        assert list(schemas["every_eval_ever"].iter_errors(json.loads(path.read_text()))) == []
    for instance in instances:
        assert list(schemas["every_eval_ever_instance"].iter_errors(instance)) == []


def test_croissants_own_validator_takes_the_corpus_and_reads_its_documents(exported):
    place = "results/corpus/smoke/croissant.json"
    done = in_formats(exported, "mlcroissant", "validate", "--jsonld", place)
    assert "Done." in done.stdout + done.stderr
    made = json.loads((exported / place).read_text())
    for key in ("rai:dataLimitations", "rai:dataCollection", "rai:dataBiases", "rai:personalSensitiveInformation"):  # fmt: skip
        assert made[key], key
    count = "import mlcroissant as mlc; print(sum(1 for _ in mlc.Dataset(jsonld='%s').records('documents')))"  # fmt: skip
    done = in_formats(exported, "python", "-c", count % place)
    parts = (exported / "results" / "corpus" / "smoke").glob("*/*.stats.json")
    kept = sum(json.loads(path.read_text())["documents"] for path in parts)
    assert int(done.stdout.split()[-1]) == kept > 100


def test_cards_name_data_sets_as_the_hub_does_and_the_board_has_both_stages(exported):
    card = exported / "results" / "smoke" / "card" / "chat"
    front = yaml.safe_load((card / "README.md").read_text().split("---\n")[1])
    results = front["model-index"][0]["results"]
    assert "openai/gsm8k" in {result["dataset"]["type"] for result in results}
    entries = yaml.safe_load((card / ".eval_results" / "lemur.yaml").read_text())
    assert len(entries) == len(results) and all("problems" in entry["notes"] for entry in entries)
    board = sqlite3.connect(exported / "results/smoke/export/trackio/lemur.db")
    names = {name for (name,) in board.execute("select distinct run_name from metrics")}
    assert names == {"smoke-pretrain", "smoke-sft"}


def test_a_second_export_has_nothing_to_do(exported):
    done = snakemake(exported, "--cores", "2", "export", *CONFIG)
    assert done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr


def test_a_run_is_shown_then_sent_then_not_sent_again(exported):
    given = {"HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    with HubServer() as hub:
        words = ["--cores", "1", "publish", *CONFIG, "to=hub", "repository=me/mini"]
        shown = snakemake(exported, *words, HF_ENDPOINT=hub.url, **given)
        assert shown.returncode == 0, shown.stderr[-3000:]
        assert "nothing was sent" in shown.stdout and hub.uploads.commits == []
        assert f"{hub.url}/datasets/me/mini" in shown.stdout and "Apache-2.0" in shown.stdout
        sent = snakemake(exported, *words, "confirm=true", HF_ENDPOINT=hub.url, **given)
        assert sent.returncode == 0, sent.stderr[-3000:]
        model, data = hub.models["me/mini"], hub.datasets["me/mini"]
        assert {"README.md", "config.json", "model.safetensors", ".eval_results/lemur.yaml"} <= set(model)  # fmt: skip
        assert {"croissant.json", "report.html", "ro-crate-metadata.json"} <= set(data)
        described = json.loads(data["croissant.json"])["distribution"]
        assert {one["contentUrl"] for one in described if "contentUrl" in one} <= set(data)
        commits = len(hub.uploads.commits)
        again = snakemake(exported, *words, "confirm=true", HF_ENDPOINT=hub.url, **given)
        assert len(hub.uploads.commits) == commits and "0 files sent" in again.stdout
    logs = "".join(path.read_text() for path in Path(exported, "logs", "publish").glob("*"))
    assert TOKEN not in "".join((shown.stdout, sent.stdout, sent.stderr, again.stderr, logs))


@pytest.mark.parametrize("config, why", [
    ([], "publish needs where to: --config to=zenodo or to=hub"),
    (["to=hub"], "to=hub needs repository=<owner>/<name>"),
    (["to=ftp"], "config: to: 'ftp' is not allowed; did you mean"),
])  # fmt: skip
def test_a_command_that_says_too_little_is_one_line(exported, config, why):
    done = snakemake(exported, "--cores", "1", "publish", *CONFIG, *config)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert why.split("; did")[0].split(" is not")[0] in line
