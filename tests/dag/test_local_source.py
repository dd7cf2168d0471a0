"""A folder and a glob of this machine as sources, by the command that reads a corpus."""

import re

import pytest
from checkout import call, checkout

PROSE = "The {} fox is quick and it jumps over the lazy dog that sleeps in the green garden of a house.\n"
CODE = (
    'def add_{0}(left, right):\n    """Return the sum of both."""\n    return left + right + {0}\n'
)
SOURCES = """
  notes:
    kind: text
    from: {path: "../my notes"}
    licence: own
  programs:
    kind: code
    from: {path: ../programs/**/*.py}
    licence: MIT
"""
CORPUS = """
sources: [{name: notes}, {name: programs}]
cleaning: {min_bytes: 20, max_bytes: 100_000, redact: [], filters: {code: [], text: []}}
deduplication: {jaccard: 0.85, shingle: 5, permutations: 256, bands: 32}
heldout: {share: 0.05}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("local") / "räume 1")
    with open(folder / "config" / "sources.yaml", "a") as file:
        file.write(SOURCES)
    (folder / "config" / "corpora" / "smoke.yaml").write_text(CORPUS)
    (folder / "my notes").mkdir()
    (folder / "programs" / "inner").mkdir(parents=True)
    for number in range(6):
        text = "".join(PROSE.format(f"{number} {line}") for line in range(9))
        (folder / "my notes" / f"{number}.txt").write_text(text)
        (folder / "programs" / "inner" / f"{number}.py").write_text(CODE.format(number) * 3)
    (folder / "my notes" / "old.txt").write_bytes("größe und mehr davon\n".encode("latin-1") * 9)
    return folder


def corpus(folder, *options):
    asked = ("corpus", "--config", "recipe=smoke", "quiet_plan=true")
    return call(folder, "--cores", "2", *options, *asked)


def planned(done):
    return set(re.findall(r"^(?:local)?rule (\w+):$", done.stdout, re.M))


def test_a_corpus_of_ones_own_files_and_what_a_change_reruns(folder):
    done = corpus(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert re.search(r"^notes +text +7 +6 .* not text 1$", done.stdout, re.M), done.stdout
    assert re.search(r"^programs +code +6 +6 ", done.stdout, re.M), done.stdout
    assert "sources/notes: my notes: first use: 7 files" in done.stderr
    assert (folder / "config" / "local.lock.json").is_file()
    (folder / "my notes" / "3.txt").touch()
    done = corpus(folder, "-n")
    assert planned(done) == {"corpus"} and "sources/" not in done.stderr, done.stdout
    (folder / "my notes" / "3.txt").write_text(PROSE.format("changed") * 9)
    done = corpus(folder, "-n")
    assert planned(done) == {"corpus", "download", "clean"}, done.stdout
    assert not re.search(r"^    wildcards: .*source=programs", done.stdout, re.M)
    told = [line for line in done.stderr.splitlines() if line.startswith("sources/")]
    assert told == ["sources/notes: my notes: 1 changed (3.txt) since local.lock.json, read again: 7 files, 0.01 MB"]  # fmt: skip


@pytest.mark.parametrize("change, line", [
    (("../my notes", "../nots"), "error: sources/notes: from.path: nots: no such file or folder"),
    pytest.param(("programs/**/*.py", "programs/**/*.rs"), "error: sources/programs: from.path: programs/**/*.rs: no file is there to be read", marks=pytest.mark.long),
    pytest.param(("*.py}\n    licence: MIT\n", "*.py}\n"), "error: config/sources.yaml: sources.programs.licence: missing", marks=pytest.mark.long),
    pytest.param(('{path: "../my notes"}', "{index: pypi, package: a, version: 1.0.0, file: b}\n    status: exact"),
                 "error: config/sources.yaml: sources.notes.licence: own is for files of this machine", marks=pytest.mark.long),
])  # fmt: skip
def test_a_mistake_is_one_line(folder, change, line):
    file = folder / "config" / "sources.yaml"
    text = file.read_text()
    file.write_text(text.replace(*change))
    done = corpus(folder, "-n")
    file.write_text(text)
    assert done.returncode and "Traceback" not in done.stderr
    assert [said for said in done.stderr.splitlines() if said][-1].startswith(line), done.stderr
