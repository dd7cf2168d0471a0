"""make bench-corpus: the corpus stages against named peers, in one run on the same real files.

    python tests/bench/corpus.py --recipe mini --out reports/bench/corpus.md

The files are what the recipe's sources would read, written once as parquet. Rates are MB (10^6
bytes) of text a second of processor time of whole processes, held to one thread each.
"""

import argparse
import csv
import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib import metadata
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lemur.config import recipe as recipes
from lemur.config import stages
from lemur.core.files import write_text
from lemur.mixture.benchmark_texts import chosen_problems

from bench import inputs, truth
from bench.corpus_memory import measure_text, memory, summed
from bench.corpus_stages import Stages
from bench.measured import ROOT, Cost, run, run_all
from bench.ratios import Pace, Ratio, described, in_turns, processor, ratio

PEERS = ROOT / "tests" / "bench" / "peers.py"
OURS = ("rensa", "fastokens", "tokenizers", "pyarrow", "numpy")
PACE = Pace(most=6, within=0.1)
THEIRS = ("datatrove", "spacy", "rensa", "fastokens", "tokenizers")


def peer(*arguments: object) -> tuple[Cost, dict]:
    cost, printed = run("bench", PEERS, *arguments)
    return cost, json.loads(printed.rsplit("RESULT ", 1)[1].splitlines()[0])


def _said(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


def _turns(sides: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Processor seconds of each side and turn, until all ratios to "ours" are narrow."""

    def judged(found: dict[str, list[float]]) -> list[Ratio]:
        others = [seconds for name, seconds in found.items() if name != "ours"]
        return [ratio(seconds, found["ours"], PACE.within) for seconds in others]

    return in_turns(sides, judged, PACE, _said)


def _walls(turns: dict[str, list[dict[str, Cost]]]) -> Ratio:
    """How many times quicker two workers are than one."""
    one, two = ([summed(costs).wall for costs in turns[name]] for name in ("one", "two"))
    return ratio(one, two, PACE.within)


def tokenization(ours: Stages, tokenizer: Path) -> list[str]:
    size = measure_text(ours.documents)
    # What one start costs (imports, both tokenizers, the proof of equal ids) on a part of hardly a text.
    tiny = ours.out / "tiny" / "code" / "part-0-of-1.parquet"
    tiny.parent.mkdir(parents=True)
    pq.write_table(pq.read_table(ours.documents[0]).slice(0, 1), tiny)
    where, arguments = ours.tokenize()[0]
    arguments = [tiny if x == ours.documents[0] else x for x in arguments]
    arguments += ["--out", ours.out / "tiny" / "out.json"]
    starts: list[float] = []

    def encoded(library: str) -> float:
        made = peer(library, tokenizer, *ours.documents)[1]
        if library == "tokenizers":
            whole = b"".join(path.read_bytes() for path in ours.tokens())
            if hashlib.sha256(whole).hexdigest() != made["sha256"]:
                raise SystemExit("bench: ids differ from those of Hugging Face tokenizers")
        return made["seconds"]

    def own() -> float:
        # In every turn anew: a machine that slows down starts more slowly too.
        starts.append(run(where, *arguments)[0].processor)
        cost = run_all(1, ours.tokenizing()).processor
        return max(1e-9, cost - starts[-1] * len(ours.documents))

    sides = {"ours": own, "fastokens": partial(encoded, "fastokens")}
    sides["tokenizers"] = partial(encoded, "tokenizers")
    found = _turns(sides)
    alone, slow = (ratio(found[name], found["ours"], PACE.within) for name in list(sides)[1:])
    between = ratio(found["tokenizers"], found["fastokens"], PACE.within)
    rates = {name: size / median(seconds) for name, seconds in found.items()}
    start = median(starts)
    cost = median(found["ours"]) + start * len(ours.documents)
    return [
        "## Tokenization",
        "",
        f"{size:.1f} MB of cleaned documents in {len(ours.documents)} parts. The ids of all of them "
        "are exactly those of Hugging Face `tokenizers` (sha256 of all token files).",
        "",
        "| | MB/s a core | against fastokens alone | against Hugging Face tokenizers |",
        "|---|---|---|---|",
        f"| this project: read, encode, check, write | {rates['ours']:.1f} | {alone} | {slow} |",
        f"| fastokens, encoding texts in memory | {rates['fastokens']:.1f} | 1 | {between} |",
        f"| Hugging Face tokenizers, encode_batch_fast | {rates['tokenizers']:.1f} | "
        f"{1 / between.middle:.2f} | 1 |",
        "",
        described([alone, slow], PACE),
        "",
        f"Starting (imports, loading both tokenizers, the proof) costs {start:.2f} s a part and is "
        f"left out of the first row; with it, {size / cost:.1f} MB/s on these small parts.",
        "",
    ]


def near(ours: Stages, folder: Path, benchmarks: Path, tokenizer: Path) -> list[str]:
    size = measure_text(ours.documents)
    jobs = [*ours.sign(), ours.duplicates()]
    kinds = [ours.out / "corpus" / kind for kind in inputs.KINDS]
    dropped: dict[str, int] = {}

    def own() -> float:
        cost = run_all(1, jobs).processor
        dropped["this project: read, sign, band, check, cluster, write"] = _dropped(ours)
        return cost

    def rensa() -> float:
        cost, made = peer("rensa", *ours.documents)
        dropped["rensa: sign and query its index"] = made["dropped"]
        return cost.processor

    def datatrove() -> float:
        work = folder / "datatrove-near"
        shutil.rmtree(work, ignore_errors=True)
        cost, made = peer("minhash", work, benchmarks, tokenizer, *kinds)
        dropped["datatrove: its four MinHash steps up to the list"] = made["removed"]
        return cost.processor

    found = _turns({"ours": own, "rensa": rensa, "datatrove": datatrove})
    rows = list(zip(dropped, found.values(), dropped.values(), strict=True))
    made = [ratio(seconds, found["ours"], PACE.within) for seconds in list(found.values())[1:]]
    settings = ours.recipe["corpus"]["deduplication"]
    lines = [
        "## Near-duplicates",
        "",
        f"{size:.1f} MB of cleaned documents, one core, {settings['permutations']} permutations in "
        f"{settings['bands']} bands, shingles of {settings['shingle']} words and operators.",
        "",
        "| | processor s | MB/s | times this project's | documents dropped |",
        "|---|---|---|---|---|",
    ]
    for (name, seconds, count), times in zip(rows, ["1", *map(str, made)], strict=True):
        spent = median(seconds)
        lines.append(f"| {name} | {spent:.1f} | {size / spent:.1f} | {times} | {count} |")
    return [*lines, "", described(made, PACE), "", *_quality(ours), ""]


def _rows(ours: Stages) -> list[tuple[str, dict[str, str]]]:
    return [
        (kind, row)
        for kind in inputs.KINDS
        for row in csv.DictReader(
            (ours.out / "corpus" / kind / "duplicates.tsv").open(), delimiter="\t"
        )
    ]


def _dropped(ours: Stages) -> int:
    return len(_rows(ours))


def _quality(ours: Stages) -> list[str]:
    """Recall and precision over all pairs of documents, by the exact index."""
    settings = ours.recipe["corpus"]["deduplication"]
    sets = truth.shingles(ours.documents, settings["shingle"])
    joined = [p for p in truth.pairs(sets, settings["jaccard"])]
    number, names = 0, {}
    for path in ours.documents:
        rows = pq.read_table(path, columns=["path"])["path"].to_pylist()
        part = int(path.stem.split("-")[1])
        for row, name in enumerate(rows):
            names[path.parent.name, part, row] = names[path.parent.name, name] = number
            number += 1
    found = []
    for kind, row in _rows(ours):
        a = names[kind, int(row["part"]), int(row["row"])]
        b = names[row["kept_source"], row["kept_path"]]
        found.append((a, b))
    real, told = truth.roots(number, joined), truth.roots(number, found)
    recall = sum(told[a] == told[b] for a, b in joined) / max(1, len(joined))
    precision = sum(real[a] == real[b] for a, b in found) / max(1, len(found))
    return [
        f"Against the exact Jaccard index of all pairs of the {number:,} documents: {len(joined)} "
        f"pairs reach {settings['jaccard']}; of them {recall:.4f} are in one cluster here (recall), "
        f"and {precision:.4f} of the documents dropped here hang together with the one kept by such "
        "pairs (precision).",
    ]


def pipeline(
    ours: Stages, folder: Path, benchmarks: Path, tokenizer: Path, share: int
) -> list[str]:
    size = measure_text(sorted(ours.source.glob("*/*/files/*.parquet")))
    found = in_turns(
        {"one": lambda: ours.whole(1), "two": lambda: ours.whole(2)},
        lambda turns: [_walls(turns)],
        PACE,
        _said,
    )
    scaling = _walls(found)
    one, both = (
        sorted(found[name], key=lambda costs: summed(costs).wall)[len(found[name]) // 2]
        for name in ("one", "two")
    )
    total, both = summed(one), summed(both)
    part = folder / "share"
    for kind in inputs.KINDS:
        rows = inputs.rows_of(ours.source / kind)[::share]
        inputs.write(part / kind / "part-0-of-1", [rows])
    small = measure_text(sorted(part.glob("*/*/files/*.parquet")))
    own = Stages(ours.recipe, part, folder / "share-out", ours.model, ours.benchmarks)
    kinds = [part / kind for kind in inputs.KINDS]

    def datatrove() -> float:
        shutil.rmtree(folder / "datatrove", ignore_errors=True)
        return peer("whole", folder / "datatrove", benchmarks, tokenizer, *kinds)[0].processor

    shares = _turns({"ours": lambda: summed(own.whole(1)).processor, "datatrove": datatrove})
    against = ratio(shares["datatrove"], shares["ours"], PACE.within)
    own_cost, theirs = median(shares["ours"]), median(shares["datatrove"])
    lines = [
        "## Clean, deduplicate, decontaminate, tokenize",
        "",
        f"{size:.1f} MB of documents as read.",
        "",
        "| stage, one worker | processor s | MB/s a core |",
        "|---|---|---|",
    ]
    for name, cost in one.items():
        lines.append(f"| {name} | {cost.processor:.1f} | {size / cost.processor:.1f} |")
    return [
        *lines,
        f"| all, starting of processes included | {total.processor:.1f} | "
        f"{size / total.processor:.1f} |",
        "",
        f"Two workers: {both.wall:.1f} s, {size / both.wall:.1f} MB/s; one: {total.wall:.1f} s, "
        f"{size / total.wall:.1f} MB/s; two give {scaling} times one on this "
        f"machine's {os.cpu_count()} processors. Goals: 10 MB/s on two, "
        f"{'reached' if size / both.wall >= 10 else 'missed'}; 1.7 times one, "
        f"{scaling.verdict(1.7)}. {described([scaling, against], PACE)}",
        "",
        f"datatrove's equivalent (its Gopher filters for text, StarCoder's rules as a LambdaFilter "
        "for code, PIIFormatter, MinHash, NGramsDecontFilter, DocumentTokenizer; no language "
        f"identification, no licences, no secrets) on a {share}th of the same documents "
        f"({small:.1f} MB): {theirs:.1f} s of processor time, {small / theirs:.2f} MB/s a core. This "
        f"project on the same: {own_cost:.1f} s, {small / own_cost:.1f} MB/s a core, {against} times "
        "its rate.",
        "",
    ]


def about(recipe: str, command: str) -> list[str]:
    printed = run(
        "bench",
        "-c",
        "import json; from importlib.metadata import version; "
        f"print(json.dumps({{n: version(n) for n in {THEIRS!r}}}))",
    )[1]
    ours = ", ".join(f"{name} {metadata.version(name)}" for name in OURS)
    theirs = ", ".join(
        f"{name} {version}" for name, version in json.loads(printed.splitlines()[-1]).items()
    )
    return [
        "# Corpus stages against their peers",
        "",
        f"`{command}`",
        "",
        f"Recipe {recipe}. Python {platform.python_version()}; here: {ours}; peers: {theirs}. "
        f"{processor()}. Every process is held to one thread; rates are "
        "million bytes of text a second of processor time. They swing from run to run where a "
        "machine is shared; ratios are of sides that took turns.",
        "",
    ]


def fetch(recipe: dict) -> Path:
    """Download and prepare what is measured, through the pipeline's own rules."""
    sources = recipe["corpus"]["sources"]
    wanted = [
        f"resources/corpora/{source['name']}/part-{part}-of-{source.get('parts', 1)}/manifest.json"
        for source in sources
        for part in range(source.get("parts", 1))
    ]
    for item in stages.downloaded_benchmarks(recipe):
        wanted.append(f"resources/benchmarks/{item['name']}/part-0-of-1/manifest.json")
    wanted.append(f"resources/models/{recipe['base']['name']}/DONE.json")
    options = ["--cores", os.cpu_count(), "--quiet", "all", "--config", f"recipe={recipe['name']}"]
    command = [ROOT / "workflow" / "env-run", "workflow", "snakemake", *wanted, *options]
    subprocess.run([*map(str, command), "quiet_plan=true"], cwd=ROOT, check=True)
    return ROOT / "resources"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="mini")
    parser.add_argument("--resources", type=Path, help="already fetched (default: fetch now)")
    parser.add_argument("--out", type=Path, default=ROOT / "reports" / "bench" / "corpus.md")
    parser.add_argument("--share", type=int, default=8, help="datatrove's whole gets 1/SHARE")
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 500], help="MB, for memory")
    parser.add_argument("--only", nargs="+", default=["whole", "tokens", "near", "memory"])
    args = parser.parse_args()
    recipe = recipes.resolve(args.recipe, {})
    args.resources = args.resources or fetch(recipe)
    models = args.resources / "models" / recipe["base"]["name"] / "model"
    wanted = [item["name"] for item in stages.downloaded_benchmarks(recipe)]
    benchmarks = [
        args.resources / "benchmarks" / name / "part-0-of-1" / "manifest.json" for name in wanted
    ]
    lines = about(args.recipe, f"python tests/bench/corpus.py {shlex.join(sys.argv[1:])}")
    with tempfile.TemporaryDirectory(prefix="lemur-bench.") as name:
        folder = Path(name)
        source, tokenizer = folder / "in", models / "tokenizer.json"
        inputs.made(recipe, args.resources / "corpora", source)
        problems: dict[str, list[str]] = {}
        for problem in chosen_problems(benchmarks, wanted):
            problems.setdefault(problem.benchmark, []).extend(problem.statements)
        listed = folder / "benchmarks.json"
        listed.write_text(json.dumps(problems))
        ours = Stages(recipe, source, folder / "out", models, benchmarks)
        sections = {
            "whole": lambda: pipeline(ours, folder, listed, tokenizer, args.share),
            "tokens": lambda: tokenization(ours, tokenizer),
            "near": lambda: near(ours, folder, listed, tokenizer),
            "memory": lambda: memory(recipe, source, folder, ours, args.sizes),
        }
        if {"tokens", "near"} & set(args.only) and "whole" not in args.only:
            ours.whole(2)
        for section in (name for name in sections if name in args.only):
            print(f"bench: {section}", file=sys.stderr, flush=True)
            lines += sections[section]()
            # What is measured is kept, whatever becomes of the rest.
            write_text(args.out, "\n".join(lines).rstrip() + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
