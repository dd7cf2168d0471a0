"""`snakemake adopt` as it is typed: what is taken over is not asked for again, whatever else is."""

import json
from pathlib import Path

import pytest
from lemur.config import recipe
from lemur.core import contracts
from lemur.core.files import sha256_of
from lemur.cost.architecture import Architecture, parameters
from lemur.evaluation.verdicts import ProblemVerdict
from snake import planned, snakemake

SMOKE = "recipe=smoke"
TOKENIZER = Path("resources/models/smoke-1m/model/tokenizer.json")


@pytest.fixture
def folder(tmp_path):
    """A run's folder with the tokenizer of its base, and beside it a model of the same shape."""
    base = recipe.resolve("smoke")["base"]
    (tmp_path / TOKENIZER).parent.mkdir(parents=True)
    (tmp_path / TOKENIZER).write_text('{"model": {}}')
    theirs = tmp_path / "their model"
    theirs.mkdir()
    (theirs / "tokenizer.json").write_text('{"model": {}}')
    config = {"model_type": "llama", **base["from"]["random"]["config"]}
    (theirs / "config.json").write_text(json.dumps(config))
    count = parameters(Architecture.read(base["architecture"]))["total"]
    sizes = {f"layers.{layer}.": 1 for layer in range(4)} | {"rest": count - 4}
    described, at = {}, 0
    for name, size in sizes.items():
        described[name] = {"dtype": "F32", "shape": [size], "data_offsets": [at, at + 4 * size]}
        at += 4 * size
    text = json.dumps(described).encode()
    with open(theirs / "model.safetensors", "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)
    return tmp_path


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_is_adopted_is_not_asked_for_again(folder):
    asked = ("--cores", "1", "adopt", "--config", SMOKE, "of=their model")
    done = snakemake(folder, *asked, "as=pretrain", "by=Ada")
    assert done.returncode == 0, done.stderr
    assert "adopted their model as results/smoke/pretrain" in done.stdout
    record = json.loads((folder / "results/smoke/pretrain/DONE.json.prov.json").read_text())
    assert record["spec"]["adopted"] == {"from": "their model", "by": "Ada"}
    # All of its inputs are missing and will be newer, and it is kept all the same.
    plan = planned(folder, "--config", SMOKE)
    assert "continue_pretraining" not in plan
    assert plan["supervised_fine_tuning"] == 1 and plan["pack"] == 1
    # Asked for by its name, what stands there is said in a line: no rule makes it.
    refused = snakemake(folder, "-n", "results/smoke/pretrain/DONE.json", "--config", SMOKE)
    assert refused.returncode and refused.stderr.splitlines()[-1] == (
        "error: results/smoke/pretrain/DONE.json: adopted from their model by Ada: it is there and no "
        "rule makes it: ask for what follows from it, or remove the file to have it made"
    )
    # Its tokens and one score too.
    source = recipe.resolve("smoke")["corpus"]["sources"][0]["name"]
    described = {
        "source": source, "part": 0, "parts": 1, "vocabulary": 20, "dtype": "uint16", "eos": 0,
        "tokenizer_sha256": sha256_of(folder / TOKENIZER), "documents": 1, "tokens": 2,
    }  # fmt: skip
    (folder / "t.json").write_text(json.dumps(described))
    (folder / "t.bin").write_bytes(bytes(4))
    header = "{'descr': '<u8', 'fortran_order': False, 'shape': (2,), }".ljust(117) + "\n"
    offsets = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    (folder / "t.offsets.npy").write_bytes(offsets + bytes(8) + (2).to_bytes(8, "little"))
    score = {
        "benchmark": "gsm8k", "model": "pretrained", "metric": "exact match", "value": 0.5,
        "interval": [0.1, 0.9], "n": 4, "of": 4, "judged": True, "format": "completion", "shots": 0,
    }  # fmt: skip
    shots = next(
        x for x in recipe.resolve("smoke")["evaluate"]["benchmarks"] if x["name"] == "gsm8k"
    )
    (folder / "scores.json").write_text(json.dumps({**score, "shots": shots.get("shots") or 0}))
    verdicts = [ProblemVerdict(f"gsm8k/{number}", "0", "passed") for number in range(4)]
    contracts.write_lines(folder / "verdicts.jsonl", verdicts)
    (folder / "prompt.txt").write_text("?")
    for of, place in (
        ("t.json", f"tokens/{source}/part-0-of-1"),
        ("scores.json", "evaluate/pretrained/gsm8k"),
    ):
        done = snakemake(
            folder, "--cores", "1", "adopt", "--config", SMOKE, f"of={of}", f"as={place}"
        )
        assert done.returncode == 0, done.stderr
    less = planned(folder, "--config", SMOKE)
    assert less["tokenize"] == plan["tokenize"] - 1
    assert less["generate"] == plan["generate"] - 1 and less["judge"] == plan["judge"] - 1
    # Removed, it is as if it had never been adopted.
    (folder / "results/smoke/pretrain/DONE.json").unlink()
    (folder / "results/smoke/pretrain/metrics.jsonl").unlink()
    assert "continue_pretraining" in planned(folder, "--config", SMOKE)


@pytest.mark.long
@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ([], "error: adopt: of and as not given: --config of=<model folder, token file or scores.json>"),
        (["of=their model", "as=sfd"], "error: as=sfd: no such stage (allowed: pretrain, sft,"),
        (["of=theirs", "as=sft"], "error: of=theirs: no such file or folder"),
        (["of=resources", "as=sft"], "error: of=resources: no model folder (config.json is missing)"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(folder, asked, words):
    done = snakemake(folder, "--cores", "1", "adopt", "--config", SMOKE, *asked)
    assert done.returncode
    # As the command says it, and at the end once more with the rule and its log, as every rule's.
    first, *again = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert first.startswith(words), done.stderr
    assert again in ([], [f"{first} [adopt, logs/adopt.log]"]), done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "results").exists()
