"""A project outside the checkout, with sources that are files of this machine, by the command.

Its folder has a blank and an umlaut in its name; the command is given in the checkout.
"""

import json
import re

import pytest
from checkout import call
from lemur.core.provenance import ROOT

PROSE = "The {} fox is quick and it jumps over the lazy dog that sleeps in the green garden of a house.\n"
RIDDLES = ROOT / "tests" / "unit" / "evaluation" / "riddles"
CODE = (
    'def add_{0}(left, right):\n    """Return the sum of both."""\n    return left + right + {0}\n'
)
FILES = {
    "mine.yaml": """
extends: smoke
corpus: mine
evaluate: {benchmarks: [{name: bits_per_byte_code}, {name: humaneval, limit: 2}, {name: quiz, limit: 1}, {name: riddles}]}
sft: {sources: [{name: dialogue, format: own, examples: 2}]}
agents: {models: [gold], batch: 1, precision: fp32, environments: [{name: guess, limit: 1}]}
""",
    "corpora/mine.yaml": """
sources: [{name: notes}, {name: programs}, {name: flask-docs}]
cleaning: {min_bytes: 20, max_bytes: 100_000, redact: [], filters: {code: [], text: [{measure: shouting, path: ../measures/shouting, most: 0.5, source: a choice of my own}]}}
deduplication: {jaccard: 0.85, shingle: 5, permutations: 256, bands: 32}
heldout: {share: 0.05}
""",
    "sources.yaml": """
sources:
  notes: {kind: text, from: {path: my notes}, licence: own}
  programs: {kind: code, from: {path: "programs/**/*.py"}, licence: MIT}
  flask-docs: {max_mb: 0.5}
  dialogue: {kind: sft, path: dialogue, from: {path: dialogue/said.txt}, licence: own}
""",
    "benchmarks.yaml": """
benchmarks:
  humaneval: {description: a description of my own}
  quiz:
    description: questions of my own
    task: gsm8k_cot
    data: {from: {path: quiz.jsonl}}
    shots: 0
    metric: exact match
    judge: lm-eval
    decoding: {temperature: 0, max_new_tokens: 16}
  riddles:
    description: riddles of my own
    path: riddles
    data: {from: {path: riddles.jsonl}}
    shots: 0
    metric: pass@1
    judge: sandbox
    decoding: {temperature: 0, max_new_tokens: 16}
""",
    "riddles/riddles.yaml": (RIDDLES / "riddles.yaml").read_text(),
    "riddles/__init__.py": (RIDDLES / "__init__.py").read_text(),
    "riddles.jsonl": '{"question": "One and one?", "number": 2}\n',
    "measures/shouting/__init__.py": """
from lemur.corpus.measures import OwnMeasure


class MEASURE(OwnMeasure):
    def value(self, document):
        return sum(letter.isupper() for letter in document.text) / len(document.text)
""",
    "dialogue/said.txt": "hello\tgood day\nno answer\nand you?\twell, thanks\n",
    "dialogue/__init__.py": """
from lemur.data.manifest import read_manifest
from lemur.sft.instructions import Skipped
from lemur.sft.reader import Reader


class READER(Reader):
    def conversations(self, manifest):
        for file in read_manifest(manifest):
            for line in file.check(manifest).read_text().splitlines():
                asked, tab, answered = line.partition("\\t")
                roles = (("user", asked), ("assistant", answered))
                yield (
                    [{"role": role, "content": text} for role, text in roles]
                    if tab
                    else Skipped("no answer")
                )
""",
    "environments.yaml": """
environments:
  guess: {description: Guess a number, skill: none, path: guessing, needs: [], settings: {}}
""",
    "figures.yaml": "start_labels: {smoke-1m: my start}\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own") / "mein Projekt für Räume"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in ("my notes", "programs/inner", "guessing"):
        (folder / name).mkdir(parents=True)
    for number in range(6):
        text = "".join(PROSE.format(f"{number} {line}") for line in range(9))
        (folder / "my notes" / f"{number}.txt").write_text(text)
        (folder / "programs" / "inner" / f"{number}.py").write_text(CODE.format(number) * 3)
    (folder / "my notes" / "old.txt").write_bytes("größe und mehr davon\n".encode("latin-1") * 9)
    (folder / "my notes" / "loud.txt").write_text("STOP SHOUTING NOW, PLEASE. " * 9)
    (folder / "quiz.jsonl").write_text('{"question": "1+1?", "answer": "#### 2"}\n')
    return folder


def snakemake(project, *targets, config=(), options=("--cores", "2")):
    asked = ("--config", f"recipe={project / 'mine.yaml'}", "quiet_plan=true", *config)
    return call(ROOT, *options, *targets, *asked)


def planned(done):
    assert done.returncode == 0, done.stderr[-3000:]
    return set(re.findall(r"^(?:local)?rule (\w+):$", done.stdout, re.M))


CLEANED = [f"results/corpus/mine/{name}/part-0-of-1.stats.json" for name in ("notes", "programs")]


def test_ones_own_files_are_read_and_what_a_change_reruns(project):
    done = snakemake(project, *CLEANED)
    assert done.returncode == 0, done.stderr[-3000:]
    notes, programs = (json.loads((project / path).read_text()) for path in CLEANED)
    assert (notes["documents"], notes["dropped"]["not_text"]["files"]) == (6, 1)
    assert notes["dropped"]["shouting"]["files"] == 1  # by a measure of the project's own
    assert (programs["documents"], programs["licences"]["MIT"]["documents"]) == (6, 6)
    assert list(notes["licences"]) == ["LicenseRef-Own"]
    assert "sources/notes: my notes: first use: 8 files" in done.stderr
    lock = json.loads((project / "local.lock.json").read_text())
    assert [file["path"] for file in lock["sources/programs"]["files"]][0] == "inner/0.py"
    (project / "my notes" / "2.txt").touch()
    (project / "programs" / "inner" / "2.py").touch()
    (project / "my notes" / "3.txt").write_text(PROSE.format("changed") * 9)
    done = snakemake(project, *CLEANED, options=("-n",))
    assert planned(done) == {"download", "clean"}, done.stdout
    assert not re.search(r"^    wildcards: .*source=programs", done.stdout, re.M)
    told = [line for line in done.stderr.splitlines() if line.startswith("sources/")]
    assert told == ["sources/notes: my notes: 1 changed (3.txt) since local.lock.json, read again: 8 files, 0.01 MB"]  # fmt: skip


def test_everything_beside_the_recipe_is_taken(project):
    """One dry run of all: downloads, figures and the agents' environment are the project's."""
    done = snakemake(project, "all", "agents", options=("-n", "-p"))
    assert {"download", "clean", "generate", "play", "report"} <= planned(done)
    assert '"my start"' in done.stdout or "my start" in done.stdout
    assert f'"path":"{project}/guessing"' in done.stdout
    assert f'"path":"{project}/riddles"' in done.stdout
    assert f'"path":"{project}/dialogue"' in done.stdout
    assert re.search(r'"from":\{"path":"quiz.jsonl"\},.*resources/benchmarks/quiz/', done.stdout)
    assert str(ROOT / "results") not in done.stdout
    assert "resources/corpora/flask-docs/part-0-of-1/manifest.json" in done.stdout


@pytest.mark.long
def test_results_go_elsewhere_where_the_user_says_so(project, tmp_path):
    done = snakemake(project, *CLEANED, options=("--cores", "2", "--directory", str(tmp_path)))
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / CLEANED[0]).is_file()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_base_that_is_a_folder_of_this_machine(project):
    """Made by a first recipe, then the start of a second; the hub's cache links to such files too."""
    done = snakemake(project, "resources/models/smoke-1m/DONE.json")
    assert done.returncode == 0, done.stderr[-3000:]
    made = project / "resources" / "models" / "smoke-1m" / "model"
    mine = project / "models" / "ours 1"
    mine.mkdir(parents=True)
    for path in made.iterdir():
        (mine / path.name).symlink_to(path)
    again = ('set={"base": "models/ours 1"}',)
    done = snakemake(project, options=("-n",), config=again)
    assert {"download", "prepare_model", "continue_pretraining"} <= planned(done)
    (path,) = set(re.findall(r"resources/models/[^/ ]*ours[^/ ]*/DONE.json", done.stdout))
    done = snakemake(project, path, config=again)
    assert done.returncode == 0, done.stderr[-3000:]
    facts = json.loads((project / path).read_text())
    assert (facts["dtype"], facts["kind"], facts["from"]) == (
        "float32",
        "unknown",
        {"path": "models/ours 1"},
    )
    weights = [folder / "model.safetensors" for folder in (made, (project / path).parent / "model")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    (mine / "config.json").unlink()
    (mine / "config.json").write_text('{"model_type": "gpt2"}')
    done = snakemake(project, options=("-n",), config=again)
    line = "base: models/ours 1: config.json: model_type 'gpt2' cannot be trained here (allowed: llama, mistral, qwen2, qwen3)"
    assert done.returncode and line in done.stderr and "Traceback" not in done.stderr


MISTAKES = [
    ("mine.yaml", "corpus: mine", "corpus: mein", "no corpus 'mein' in config/corpora or "),
    ("mine.yaml", "extends: smoke", "extends: smok", "no recipe 'smok' in config/recipes or "),
    ("sources.yaml", "my notes", "my nots", "sources/notes: from.path: my nots: no such file or folder"),
    ("sources.yaml", "licence: MIT", "licens: MIT", "sources.programs.licens: unknown key; did you mean 'licence'?"),
    ("sources.yaml", "from: {path: my notes}", "status: exact, from: {index: pypi, package: a, version: 1.0.0, file: b}", "sources.notes.licence: own is for files of this machine"),
    ("sources.yaml", "sources:", "source:", "sources: missing (a mapping of names to entries)"),
    ("benchmarks.yaml", "quiz.jsonl", "quiz.json", "benchmarks/quiz: from.path: quiz.json: no such file or folder"),
    ("figures.yaml", "smoke-1m", "smoke-2m", "start_labels: no model 'smoke-2m'"),
]  # fmt: skip


@pytest.mark.parametrize("name, old, new, line", [
    pytest.param(*mistake, marks=[pytest.mark.long] if number else []) for number, mistake in enumerate(MISTAKES)
])  # fmt: skip
def test_a_mistake_is_one_line(project, name, old, new, line):
    text = (project / name).read_text()
    assert old in text
    (project / name).write_text(text.replace(old, new, 1))
    done = snakemake(project, options=("-n",))
    (project / name).write_text(text)
    said = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode and "Traceback" not in done.stderr and len(said) == 1, done.stderr
    assert line in said[0]


@pytest.mark.long
@pytest.mark.parametrize("given, line", [
    ("none/mine.yaml", "error: recipe: none/mine.yaml: no such file (seen from "),
    ("tests/", "error: recipe: tests/ is a folder: name the recipe's file in it"),
    ("./Makefile", "error: recipe: ./Makefile: a recipe's file ends in .yaml"),
])  # fmt: skip
def test_a_path_that_is_none(given, line):
    done = call(ROOT, "-n", "--config", f"recipe={given}")
    assert done.returncode and "Traceback" not in done.stderr
    assert [said for said in done.stderr.splitlines() if said.startswith(line)], done.stderr
