"""The steps of docs/how-to, done one after the other as they stand there, in a checkout of their own."""

import json
import re
import shutil

import pytest
from checkout import call, checkout
from lemur.core.provenance import ROOT
from lemur.dag import locks
from snake import job_counts

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def mine(smoke, tmp_path):
    """A checkout in which the smoke recipe has run."""
    folder = checkout(tmp_path / "lemur")
    for name in ("results", "resources", "logs", ".snakemake"):
        shutil.copytree(smoke.folder / name, folder / name, symlinks=True)
    return folder


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1))


def entry(path, name):
    """The lines of one entry of a catalogue."""
    return re.search(rf"^  {name}:.*\n(?:(?:   .*)?\n)+?(?=  \S|\Z)", path.read_text(), re.M).group(
        0
    )


def jobs(done):
    """{rule: jobs} of a dry run's table."""
    assert done.returncode == 0, done.stderr[-3000:]
    return job_counts(done.stdout)


def test_add_a_source(mine):
    sources, corpus = mine / "config" / "sources.yaml", mine / "config" / "corpora" / "smoke.yaml"
    sources.write_text(sources.read_text() + "\n" + entry(sources, "flask-docs").replace("flask-docs", "my-docs"))  # fmt: skip
    change(corpus, "  - {name: flask-docs}\n", "  - {name: flask-docs}\n  - {name: my-docs}\n")
    asked = ("corpus", "--config", "recipe=smoke")
    assert jobs(call(mine, "-n", *asked)) == {"download": 1, "clean": 1, "corpus": 1}
    done = call(mine, "--cores", "2", *asked)
    assert done.returncode == 0, done.stderr[-3000:]
    (statistics,) = (mine / "results" / "corpus" / "smoke" / "my-docs").glob("*.stats.json")
    assert json.loads(statistics.read_text())["source"] == "my-docs"
    later = jobs(call(mine, "-n", "datasheet", "--config", "recipe=smoke"))
    assert later["duplicates"] == later["write_datasheet"] == 1


def test_add_a_base_model(mine):
    models, figures = mine / "config" / "models.yaml", mine / "config" / "figures.yaml"
    models.write_text(models.read_text() + "\n" + entry(models, "smoke-1m").replace("smoke-1m", "mine-1m"))  # fmt: skip
    (mine / "config" / "recipes" / "mine.yaml").write_text("extends: smoke\nbase: mine-1m\n")
    change(figures, "start_labels:\n", "start_labels:\n  mine-1m: start (mine)\n")
    done = call(mine, "-n", "-p", "--config", "recipe=mine")
    assert "plan of recipe 'mine'" in done.stderr and "mine-1m" in done.stderr
    # Cleaned sources are there already; what a tokenizer or a model makes is not.
    assert "clean" not in jobs(done) and jobs(done)["prepare_model"] == 1
    (drawn,) = [line for line in done.stdout.splitlines() if "8_figures/bits_per_byte.py" in line]
    assert '"start (mine)"' in drawn


def test_change_a_lock(mine):
    """What no number depends on keeps the results and is said; anything else makes them again."""
    lock = locks.path_of(mine, "train")
    tracker, library = (re.search(rf"^{name}==\S+", lock.read_text(), re.M)[0] for name in ("wandb", "torch"))  # fmt: skip
    change(lock, tracker, "wandb==99.0")
    asked = ("-n", "--config", "recipe=smoke")
    done = call(mine, *asked)
    assert "continue_pretraining" not in jobs(done)
    assert f"(wandb {tracker.removeprefix('wandb==')} -> 99.0): results are kept" in done.stderr
    done = call(mine, *asked, "strict_locks=true")
    assert jobs(done)["continue_pretraining"] == 1 and "results are kept" not in done.stderr
    change(lock, library, "torch==99.0")
    done = call(mine, *asked)
    assert jobs(done)["continue_pretraining"] == 1 and "results are kept" not in done.stderr


RIDDLES = ROOT / "tests" / "unit" / "evaluation" / "riddles"
ENTRY = """
  riddles:
    description: riddles of my own
    path: ../riddles
    data: {from: {path: ../riddles.jsonl}}
    shots: 0
    metric: pass@1
    judge: sandbox
    decoding: {temperature: 0, max_new_tokens: 8}
"""


def add_riddles(folder):
    """A benchmark of one's own: its folder, its data and its entry, named in the smoke recipe."""
    shutil.copytree(RIDDLES, folder / "riddles")
    asked = [{"question": f"Two and {number}?", "number": 2 + number} for number in (0, 1)]
    (folder / "riddles.jsonl").write_text("".join(json.dumps(one) + "\n" for one in asked))
    benchmarks, recipe = folder / "config" / "benchmarks.yaml", folder / "config" / "recipes" / "smoke.yaml"  # fmt: skip
    benchmarks.write_text(benchmarks.read_text() + ENTRY)
    line = "    - {name: gsm8k, limit: 2, max_new_tokens: 16, shots: 1}\n"
    change(recipe, line, line + "    - {name: riddles}\n")


def test_add_a_benchmark(mine):
    add_riddles(mine)
    # Documents that overlap it come first: none does that did not, and nothing is trained again.
    files = ("mix/dropped.tsv", "sft/data/index.json", "heldout/conversations.jsonl")
    compared = tuple(f"results/smoke/{file}" for file in files)
    done = call(mine, "--cores", "2", *compared, "--config", "recipe=smoke")
    assert done.returncode == 0, done.stderr[-3000:]
    planned = jobs(call(mine, "-n", "--config", "recipe=smoke"))
    assert planned["generate"] == planned["judge"] == 3
    assert "continue_pretraining" not in planned
    assert not {"clean", "tokenize", "signatures"} & set(planned)
    scores = mine / "results" / "smoke" / "evaluate" / "start" / "riddles" / "scores.json"
    done = call(mine, "--cores", "2", str(scores.relative_to(mine)), "--config", "recipe=smoke")
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(scores.read_text())
    assert (found["n"], found["of"], found["judged"]) == (2, 2, True)
    assert "digits" in found["beside"]  # what its own judge adds


@pytest.mark.long
def test_an_added_benchmark_stands_in_the_table_and_in_the_report(mine):
    add_riddles(mine)
    for targets in (("results/smoke/mix/dropped.tsv", "results/smoke/sft/data/index.json"), ()):
        done = call(mine, "--cores", "2", *targets, "--config", "recipe=smoke")
        assert done.returncode == 0, done.stderr[-3000:]
    printed = call(mine, "--cores", "2", "evaluate", "--config", "recipe=smoke").stdout
    assert sum(line.split()[:1] == ["riddles"] for line in printed.splitlines()) == 3, printed
    assert "riddles" in (mine / "results" / "smoke" / "report.html").read_text()
    assert "riddles" in (mine / "results" / "figures" / "smoke" / "scores.svg").read_text()


MODULE = '''
"""Tokens of each source."""

import json

from lemur.figures.inputs import write_csv
from lemur.figures.style import Style, canvas, save


def write(spec, realised, out):
    """Draw them."""
    style = Style.parse(spec)
    figure = canvas(style, 2.0)
    sources = json.loads(realised.read_text())["sources"]
    figure.subplots().barh([one["name"] for one in sources], [one["tokens"] for one in sources])
    save(figure, out, style, "Tokens", "Tokens of each source.", {})
    write_csv(out, ("source", "tokens"), [(one["name"], one["tokens"]) for one in sources])
'''

SCRIPT = '''
"""Draw the tokens of each source."""

from lemur.figures import sizes
from lemur.figures.script import Read, draw

REALISED = Read("realised", "realised.json of the packing")

if __name__ == "__main__":
    draw(__doc__, sizes.write, REALISED)
'''

RULE = """

rule sizes:
    input:
        paths.REALISED,
    output:
        in_report(f"{paths.FIGURES}/sizes.svg"),
    log:
        "logs/figures/{recipe}/sizes.log",
    resources:
        **asked("sizes"),
    params:
        **stage("sizes"),
    shell:
        script("sizes", "8_figures/sizes.py", "--realised {input} --out {output}")
"""


def test_add_a_figure(mine):
    (mine / "workflow" / "lemur" / "figures" / "sizes.py").write_text(MODULE.lstrip())
    (mine / "scripts" / "8_figures" / "sizes.py").write_text(SCRIPT.lstrip())
    (mine / "reports" / "captions" / "sizes.rst").write_text("Tokens of each source.\n")
    schema = mine / "workflow" / "schemas" / "figures.schema.json"
    described = json.loads(schema.read_text())
    described["properties"]["figures"]["properties"]["sizes"] = {"type": "object", "description": "tokens of each source"}  # fmt: skip
    schema.write_text(json.dumps(described))
    figures = mine / "config" / "figures.yaml"
    change(figures, "figures:\n", "figures:\n  sizes: {}\n")
    stages = mine / "workflow" / "lemur" / "dag" / "stage.py"
    change(stages, '    "loss": ', '    "sizes": _figure("sizes"),\n    "loss": ')
    asked = mine / "workflow" / "lemur" / "cost" / "resources.py"
    change(asked, '    "loss": ', '    "sizes": Work(700),\n    "loss": ')
    rules = mine / "rules" / "8_figures.smk"
    rules.write_text(rules.read_text() + RULE)
    # Its place comes last: until then the report does not ask for it.
    assert "sizes" not in jobs(call(mine, "-n", "-F", "figures", "--config", "recipe=smoke"))
    change(figures, "figures: [mixture, loss]", "figures: [mixture, loss, sizes]")
    assert jobs(call(mine, "-n", "figures", "--config", "recipe=smoke"))["sizes"] == 1
    drawn = "results/figures/smoke/sizes.svg"
    done = call(mine, "--cores", "2", drawn, "--config", "recipe=smoke")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "dbt-adapters" in (mine / drawn).read_text()


@pytest.mark.parametrize("old, new, message", [
    ("figures: [mixture, loss]", "figures: [mixture, los]", "report.sections.1.figures: no figure 'los' in figures; did you mean 'loss'?"),
    ("  smoke-1m: start", "  smok-1m: start", "start_labels: no model 'smok-1m' in config/models.yaml; did you mean 'smoke-1m'?"),
    ("      humaneval: [", "      humanevl: [", "differs: no benchmark 'humanevl' in config/benchmarks.yaml; did you mean"),
    ("  loss:\n", "  los:\n", "figures.los: unknown key; did you mean 'loss'?"),
])  # fmt: skip
def test_a_misspelt_name_is_refused_with_the_nearest(tmp_path, old, new, message):
    folder = checkout(tmp_path / "lemur")
    change(folder / "config" / "figures.yaml", old, new)
    done = call(folder, "-n")
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode and len(said) == 1 and message in said[0], done.stderr
