"""Write docs/one-document.md from a finished smoke run: one_document.py FOLDER >docs/one-document.md

FOLDER is the working directory of the run. Runs in the environment "data". Every excerpt is read from
the run's own files; nothing that a model answered is shown, since that differs between processors.
"""

import hashlib
import json
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pyarrow.parquet as parquet
from lemur.tokenization.packed import PackedDataset
from tokenizers import Tokenizer

SOURCE, MEMBER = "virtualenvwrapper", "virtualenvwrapper-6.1.1/tests/test_project_cd.sh"
PROBLEM = "HumanEval/34"


def block(text: str, language: str = "json") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def shown(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


def lines(text: str, count: int) -> str:
    """The first lines of a text, and how many follow."""
    every = text.splitlines()
    return "\n".join([*every[:count], f"... ({len(every) - count} lines more)"])


def short(digest: str) -> str:
    return f"{digest[:12]}..."


def json_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def corpus(folder: Path) -> tuple[list[str], int]:
    """From the archive to a row of the cleaned corpus, and that row's number."""
    part = folder / "resources" / "corpora" / SOURCE / "part-0-of-1"
    manifest = json.loads((part / "manifest.json").read_text())
    (file,) = manifest["files"]
    with tarfile.open(part / file["path"]) as archive:
        text = archive.extractfile(MEMBER).read().decode()
        members = len(archive.getnames())
    cleaned = folder / "results" / "corpus" / "smoke" / SOURCE / "part-0-of-1.parquet"
    table = parquet.read_table(cleaned)
    number = table.column("path").to_pylist().index(MEMBER)
    row = table.slice(number, 1).to_pylist()[0]
    assert row["text"] == text and row["id"] == hashlib.sha256(text.encode()).hexdigest()
    for name in (f"corpus/smoke/{SOURCE}/duplicates.tsv", "smoke/mix/dropped.tsv"):
        assert row["id"] not in (folder / "results" / name).read_text()
    statistics = json.loads(cleaned.with_suffix(".stats.json").read_text())
    dropped = {reason: counts["files"] for reason, counts in statistics["dropped"].items()}
    file = {**file, "sha256": short(file["sha256"])}
    row = {**row, "id": short(row["id"]), "text": f"{row['text'][:40]}..."}
    return [
        "## The archive",
        f"`config/sources.yaml` pins the source `{SOURCE}`: package, version, file, size and SHA-256. The rule\n"
        f"`download` fetches it, compares the hash and writes `resources/corpora/{SOURCE}/part-0-of-1/manifest.json`:",
        block(shown({**manifest, "files": [file]})),
        f"The archive has {members} members. It is never unpacked onto the disk; its members are read one after\n"
        f"the other. The one followed here is `{MEMBER}`:",
        block(lines(text, 9), "text"),
        "## A row of the cleaned corpus",
        f"The rule `clean` looks at every member. Of this archive {statistics['documents']} stayed; the others are counted by the\n"
        "reason for which they were dropped, in `part-0-of-1.stats.json` and in the datasheet:",
        block(shown(dropped)),
        "What stays is a row of `results/corpus/smoke/virtualenvwrapper/part-0-of-1.parquet`:",
        block(shown(row)),
        "`id` is the SHA-256 of the text. `heldout` is decided by the identity of the document alone, so that a\n"
        "document is held out in every recipe or in none; those that are held out are never trained on and make\n"
        "up the text on which bits per byte are measured.",
        "The rules `signatures` and `duplicates` compare it with every other document of the corpus (MinHash of\n"
        "shingles, then their true similarity), and `decontaminate` with every problem of the benchmarks that\n"
        "the recipe asks. What is dropped by them stands in two lists that are read when sequences are packed;\n"
        "this row is in neither.",
    ], number  # fmt: skip


def tokens(folder: Path, number: int) -> list[str]:
    """From the row to its place in a batch."""
    name = "results/tokens/smoke/smoke-1m/virtualenvwrapper/part-0-of-1"
    tokenizer = Tokenizer.from_file(str(folder / "resources/models/smoke-1m/model/tokenizer.json"))
    offsets = np.load(folder / f"{name}.offsets.npy")
    begin, end = (int(offset) for offset in offsets[number : number + 2])
    ids = np.fromfile(folder / f"{name}.bin", "<u2")[begin:end]
    pieces = [tokenizer.decode([token], skip_special_tokens=False) for token in ids[:10].tolist()]
    index = folder / "results" / "smoke" / "tokens" / "index.json"
    dataset = PackedDataset(index)
    files = json.loads(index.read_text())["files"]
    file = next(place for place, path in enumerate(files) if SOURCE in path)
    segments = dataset.segments
    place = next(
        place
        for place, (of_file, start, _) in enumerate(segments.tolist())
        if of_file == file and start == begin
    )
    sequence = int(np.searchsorted(dataset.sequences, place, side="right")) - 1
    first, last = (int(bound) for bound in dataset.sequences[sequence : sequence + 2])
    inside = [
        {"file": files[of_file].split("/")[-2], "start": start, "length": length}
        for of_file, start, length in segments[first:last].tolist()
    ]
    batch = dataset[sequence]
    before = sum(entry["length"] for entry in inside[: place - first])
    assert before >= 2
    window = slice(before - 3, before + 5)
    arrays = {name: batch[name][window].tolist() for name in ("input_ids", "labels", "segment_ids", "position_ids")}  # fmt: skip
    return [
        "## Tokens",
        f"The rule `tokenize` encodes every row once for each tokenizer and appends its ids, as 16-bit numbers with\n"
        f"an end-of-text token after each document, to `{name}.bin`. Row {number} is the tokens\n"
        f"{begin:,} to {end:,}, as `part-0-of-1.offsets.npy` says. The first ten, and what each stands for:",
        block(f"{json.dumps(ids[:10].tolist())}\n{json.dumps(pieces)}"),
        "## A packed sequence",
        "The rule `pack` draws documents of each source until the mixture's tokens are reached (10 of code to 1 of\n"
        "text), in an order that the recipe's seed decides, and writes no token again: a sequence is a list of\n"
        "segments, each a run of tokens in one of the files above. "
        f"The document begins in sequence {sequence},\n"
        "after the end of another:",
        block(shown(inside)),
        "## A batch",
        "Training reads that sequence as four arrays of the context's length. Around the document's first token:",
        block(shown_arrays(arrays)),
        "`labels` are the next tokens, and -100 (not trained on) at the end of a document, so that none is\n"
        "predicted from the one before; `segment_ids` keep attention inside a document; `position_ids` begin\n"
        "at 0 in each.",
    ]  # fmt: skip


def shown_arrays(arrays: dict[str, list[int]]) -> str:
    return "{\n" + ",\n".join(f' "{name}": {values}' for name, values in arrays.items()) + "\n}"


def problem(folder: Path) -> list[str]:
    """One HumanEval problem from the wheel to a cell of the table."""
    part = folder / "resources" / "benchmarks" / "humaneval" / "part-0-of-1"
    manifest = json.loads((part / "manifest.json").read_text())
    (file,) = manifest["files"]
    with ZipFile(part / file["path"]) as wheel:
        names = [name for name in wheel.namelist() if name.endswith((".jsonl", ".jsonl.gz"))]
    own = folder / "results" / "smoke" / "evaluate" / "pretrained" / "humaneval"
    settings, *records = json_lines(own / "generations.jsonl")
    (record,) = [entry for entry in records if entry["document"] == PROBLEM]
    (verdict,) = [entry for entry in json_lines(own / "verdicts.jsonl") if entry["document"] == PROBLEM]  # fmt: skip
    score = json.loads((own / "scores.json").read_text())
    low, high = score["interval"]
    assert verdict["prompt_sha256"] == record["prompt"]
    asked = {key: settings["settings"][key] for key in ("benchmark", "format", "shots", "decoding")}
    answered = {key: record[key] for key in ("document", "choice", "repeat")} | {"prompt": short(record["prompt"])}  # fmt: skip
    kept = {key: score[key] for key in ("benchmark", "model", "metric", "n", "of", "interval_method")}  # fmt: skip
    return [
        "# One problem, from its wheel to a cell of a table",
        f"HumanEval's problems come from a wheel (`{Path(file['path']).name}`, member `{names[0]}`), pinned and\n"
        f"verified as above. The recipe asks {score['n']} of {score['of']}, the first of an order that depends on the benchmark\n"
        f"alone; the first of these is `{PROBLEM}`. The prompt that the model reads is kept word for word in `prompt.txt`:",
        block((own / "prompt.txt").read_text().strip("\n"), "python"),
        "The rule `generate` writes one line an answer to `results/smoke/evaluate/pretrained/humaneval/generations.jsonl`,\n"
        "after a first line that says how it was asked. With the same settings, model and data, answers that are\n"
        "there already are never asked again:",
        block(shown(asked)),
        block(shown(answered)),
        "(and `response`, its number of tokens and why it ended: what a model writes differs between kinds of\n"
        "processors, so that this page leaves it out). The rule `judge` runs the answer with the problem's tests in the\n"
        "sandbox and writes a verdict with the same prompt's hash; a random model's answers do not parse:",
        block(shown({key: verdict[key] for key in ("document", "verdict")} | {"prompt_sha256": short(verdict["prompt_sha256"])})),
        "`scores.json` counts verdicts:",
        block(shown({**kept, "value": score["value"], "verdicts": {key: count for key, count in score["verdicts"].items() if count}})),
        "and the cell of the table and the report is that value with its interval:",
        block(f"HumanEval   pretrained   {score['value']:.1%}   {low:.1%} to {high:.1%}   {score['n']} of {score['of']} problems", "text"),
        "Beside every file lies `<file>.prov.json`: the rule, its inputs with their hashes, the recipe's digest and the\n"
        "commit. `snakemake --cores 1 provenance --config of=results/figures/mini/loss.svg` prints such a chain, from a figure back to\n"
        "the archives' hashes.",
    ]  # fmt: skip


def page(folder: Path) -> str:
    found, number = corpus(folder)
    opening = [
        "# One document, from its archive to a training batch",
        "What each stage makes of one file, with excerpts of the files that `make smoke` writes. A test makes this\n"
        "page again from a smoke run and compares it. What each field means: [formats.md](formats.md).",
    ]
    return "\n\n".join([*opening, *found, *tokens(folder, number), *problem(folder)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(Path(sys.argv[1])))
