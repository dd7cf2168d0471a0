"""What goes wrong in evaluating ends the rule's own command with code 2 and one line on the terminal.

The scripts run in this process, as their files have them: their libraries take seconds to load.
"""

import json
import runpy
import subprocess
import sys

import pytest
from answered import parquet
from completion_server import CompletionServer
from lemur.core.provenance import ROOT
from lemur.evaluation.backends.server_backend import ServerBackend
from lemur.evaluation.spec import BenchmarkSpec
from made_science import PLAIN
from test_spider import DUMP, QUESTIONS
from tiny_benchmarks import SUMS, jsonl, listing

GENERATE, JUDGE = "6_evaluate/generate.py", "6_evaluate/judge.py"


@pytest.fixture
def complaint(monkeypatch, capfd):
    """Runs a script that has to fail; its one line."""

    def run(script, settings, **paths):
        given = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
        monkeypatch.setattr(sys, "argv", [script, "--spec", json.dumps(settings), *given])
        monkeypatch.setattr("lemur.core.command.end_with_run", lambda: None)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(ROOT / "scripts" / script), run_name="__main__")
        found = capfd.readouterr()
        # A progress bar's line may stand before it.
        *before, last = [line for line in found.err.splitlines() if line.strip()]
        assert ended.value.code == 2 and last.startswith("error: "), found.err
        assert not any(line.startswith(("error:", "Traceback")) for line in before), found.err
        assert found.out == "" and len(last) < 1000
        return last.removeprefix("error: ")

    return run


@pytest.fixture
def made(settings, folder, humaneval, tmp_path):
    """Generations that are whole, in a folder of their own."""
    from lemur.evaluation import generation

    out = tmp_path / "made" / "generations.jsonl"
    generation.run(BenchmarkSpec.parse(settings(limit=2)), folder, humaneval, out)
    return out


def changed(path, line, put):
    """A file with one line as ``put`` makes it of what it holds."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = put(lines[line - 1])
    path.write_bytes(b"".join(lines))


def without(name):
    """Takes a setting out of the first line."""

    def put(line):
        head = json.loads(line)
        del head["settings"][name]
        return json.dumps(head).encode() + b"\n"

    return put


@pytest.mark.parametrize(
    ("line", "put", "words"),
    [
        (1, lambda _: b"\n", "line 1: damaged"),
        (1, lambda line: line[: len(line) // 2], "line 1: damaged"),
        (1, without("decoding"), "line 1: damaged (settings: decoding is missing): generate again"),
        (1, lambda line: line.replace(b'"seed": 1', b'"seed": 2'), "made with seed 2, now 1"),
        (2, lambda _: b"[" * 200_000 + b"\n", "line 2: damaged (nested too deeply)"),
        (2, lambda _: b"null\n", "line 2: damaged (None is not a mapping"),
        (2, lambda line: line + line, "line 3: damaged (its key stands there twice)"),
        (3, lambda line: line[:-20], "line 3: damaged"),
        (3, lambda line: b"", "generations.jsonl"),  # the response that is not there
        (
            2,
            lambda line: line.replace(b'"response": "', b'"response": 7, "prompt": "'),
            "is damaged",
        ),
    ],
)
def test_damaged_generations(complaint, settings, humaneval, made, line, put, words):
    changed(made, line, put)
    scores = made.with_name("scores.json")
    told = complaint(JUDGE, settings(limit=2), generations=made, data=humaneval, out=scores)
    assert words in told and not scores.exists()


def test_generations_that_are_no_file(complaint, settings, humaneval, tmp_path):
    for path, words in ((tmp_path / "none.jsonl", "no such file"), (tmp_path, "a folder, where")):
        out = tmp_path / "out" / "scores.json"
        assert words in complaint(JUDGE, settings(), generations=path, data=humaneval, out=out)
        assert not out.exists()


def test_in_a_process_of_its_own(settings, humaneval, tmp_path):
    """As the rule's shell runs it."""
    command = [sys.executable, ROOT / "scripts" / JUDGE, "--spec", json.dumps(settings())]
    command += ["--generations", tmp_path / "none", "--data", humaneval, "--out", tmp_path / "s"]
    done = subprocess.run(
        command, capture_output=True, text=True, env={"PYTHONPATH": str(ROOT / "workflow")}
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path}/none: no such file\n"


def test_missing_data(complaint, settings, folder, humaneval, tmp_path):
    archive = next((humaneval.parent / "files").iterdir())
    kept, out = archive.read_bytes(), tmp_path / "out" / "generations.jsonl"

    def told(data):
        return complaint(GENERATE, settings(), model=folder, data=data, out=out)

    assert "none.json" in told(tmp_path / "none.json")
    assert "none.jsonl: no such file" in told(tmp_path / "none.jsonl").lower()
    archive.write_bytes(kept[:-1] + b"x")
    assert archive.name in told(humaneval)
    archive.unlink()
    assert archive.name in told(humaneval)
    humaneval.write_text("{")
    assert "manifest.json" in told(humaneval)
    archive.write_bytes(kept)
    assert not out.exists()


def test_a_missing_model(complaint, settings, humaneval, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "none", tmp_path / "empty"):
        out = tmp_path / "out" / "generations.jsonl"
        assert str(folder) in complaint(GENERATE, settings(), model=folder, data=humaneval, out=out)
        assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch": "x"}, "batch: 'x' is not a whole number"),
        ({"batch": 0}, "batch: 0 is not at least 1"),
        ({"seed": None}, "seed: None is not a whole number"),
        ({"limit": 1.5}, "limit: "),
        ({"limit": True}, "limit: "),
        ({"shots": -1}, "shots: -1 is not at least 0"),
        ({"shots": 1}, "there are 0 solved examples"),
        ({"decoding": {"max_new_tokens": "many"}}, "decoding: max_new_tokens: 'many'"),
        (
            {"decoding": {"max_new_tokens": 4, "temperature": float("nan")}},
            "decoding: temperature: nan",
        ),
        ({"decoding": {"max_new_tokens": 4, "samples": 0}}, "decoding: samples: 0"),
        ({"decoding": {"max_new_tokens": 4, "stop": 5}}, "decoding: stop: 5"),
        ({"decoding": [1]}, "decoding: [1] is not a mapping"),
        ({"precision": "fp8"}, "precision 'fp8': allowed are bf16, fp32"),
        ({"format": "markdown"}, "format"),
        ({"task": "humanevil"}, "humaneval"),
        ({"backend": {"name": "vlm"}}, "vllm"),
        ({"backend": {"name": "server", "url": "http://[::1/v1", "served": "x"}}, "http://[::1/v1"),
        ({"backend": {"name": "server", "served": "x"}}, "backend: url is missing"),
        ({"available": False, "reason": "it is gone"}, "cannot run: it is gone"),
    ],
    ids=str,
)
def test_odd_options(complaint, settings, folder, humaneval, tmp_path, changes, words):
    out = tmp_path / "out" / "generations.jsonl"
    assert words in complaint(GENERATE, settings(**changes), model=folder, data=humaneval, out=out)
    assert not out.exists()


@pytest.mark.parametrize("given", [5, [], None, {}], ids=str)
def test_settings_that_are_none(complaint, folder, humaneval, tmp_path, given):
    told = complaint(GENERATE, given, model=folder, data=humaneval, out=tmp_path / "o")
    assert told.startswith("--spec: ")


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([(401, "no key")], "HTTP 401: set OPENAI_API_KEY"),
        ([(404, "The model does not exist")] * 2, "HTTP 404"),
        ([(503, "gone")] * 6, "HTTP 503, 6 times: what was generated is kept"),
        (["broken"] * 6, "an answer that is no completion"),
        (["empty"] * 6, "an answer that is no completion"),
        (["cut"] * 6, "no answer"),
    ],
    ids=str,
)
def test_failures_of_a_server(
    complaint, engine, settings, humaneval, tmp_path, monkeypatch, faults, words
):
    monkeypatch.setattr(ServerBackend.__init__, "__defaults__", (lambda _: None, 60.0))
    out = tmp_path / "out" / "generations.jsonl"
    with CompletionServer(engine) as server:
        server.faults = faults
        given = settings(backend={"name": "server", "url": server.url, "served": "tiny"}, batch=1)
        assert words in complaint(GENERATE, given, model="none", data=humaneval, out=out)
    assert not out.exists()
    told = complaint(GENERATE, given, model="none", data=humaneval, out=out)  # it has gone away
    assert "no server answers there" in told


ROW = {"question": "q?", "subject": "anatomy", "choices": list("wxyz"), "answer": 1}
BBH = json.dumps({"examples": [{"input": "1?", "target": "a"}]})
CUT = DUMP[: DUMP.rindex("(3,2,")]
# name: (benchmark, {file: bytes}, what its line names)
DAMAGED = {
    "a dump that ends in a statement": ("spider", {"ic_spider_dbs.sql": CUT.encode()}, "ends in"),
    "a dump that is no text": ("spider", {"ic_spider_dbs.sql": b"\xff\xfe"}, "ic_spider_dbs.sql"),
    "an empty dump": ("spider", {"ic_spider_dbs.sql": b""}, "no database in it"),
    "a dump whose rows do not fit": (
        "spider",
        {"ic_spider_dbs.sql": DUMP.replace("(3,NULL)", "(3)").encode()},
        "database 'shop' cannot be built",
    ),
    "a dump of another shop": (
        "spider",
        {"ic_spider_dbs.sql": DUMP.replace("`shop`", "`shops`").encode()},
        "database 'shop'",
    ),
    "a table without columns": (
        "spider",
        {"ic_spider_dbs.sql": b"USE `shop`;\nCREATE TABLE `owner` (\n) ENGINE=X;"},
        "table 'owner' has no columns",
    ),
    "questions that are no list": ("spider", {"ic_spider_dev.json": b"{}"}, "ic_spider_dev.json"),
    "a question without its query": (
        "spider",
        {"ic_spider_dev.json": json.dumps([{**QUESTIONS[0], "gold": None}]).encode()},
        "problem 0: 'gold'",
    ),
    "a table that is none": ("mmlu", {"test-0.parquet": b"PAR1" * 9}, "test-0.parquet"),
    "a table cut short": ("mmlu", {"test-0.parquet": parquet([ROW])[:-9]}, "test-0.parquet"),
    "an empty table": ("mmlu", {"test-0.parquet": b""}, "test-0.parquet"),
    "a table without a column": (
        "mmlu",
        {"test-0.parquet": parquet([{"question": "q"}])},
        "test-0.parquet: row 0: 'subject'",
    ),
    "three choices": (
        "mmlu",
        {"test-0.parquet": parquet([{**ROW, "choices": list("abc")}])},
        "test-0.parquet: row 0: 'choices'",
    ),
    "a fifth answer": (
        "mmlu",
        {"test-0.parquet": parquet([{**ROW, "answer": 4}])},
        "test-0.parquet: row 0: 'answer'",
    ),
    "no solved examples": ("mmlu", {"dev-0.parquet": None}, "no solved examples of 'anatomy'"),
    "answers cut short": ("bbh", {"navigate.json": BBH[:-5].encode()}, "navigate.json"),
    "no examples": ("bbh", {"navigate.json": b'{"examples": {}}'}, "'examples' must be list"),
    "a target that is a number": (
        "bbh",
        {"navigate.json": BBH.replace('"a"', "1").encode()},
        "navigate.json: example 0: 'target'",
    ),
    "a task that is not known": ("bbh", {"navigates.json": BBH.encode()}, "navigate"),
    "a line cut short": ("ds1000", {"test.jsonl": jsonl([PLAIN])[:-30]}, "test.jsonl"),
    "an empty file": ("ds1000", {"test.jsonl": b""}, "its data holds no problem"),
    "no test": (
        "ds1000",
        {"test.jsonl": jsonl([{**PLAIN, "code_context": "x = 1"}])},
        "test.jsonl: line 1: 'code_context' defines no test_execution",
    ),
    "no number": (
        "ds1000",
        {"test.jsonl": jsonl([{**PLAIN, "metadata": {"library": "Numpy"}}])},
        "test.jsonl: line 1: metadata: 'problem_id'",
    ),
    "a test that is no Python": (
        "ds1000",
        {"test.jsonl": jsonl([{**PLAIN, "code_context": "def test_execution(:\n"}])},
        "test.jsonl: line 1: 'code_context'",
    ),
    "sums without answers": (
        "gsm8k",
        {"test.jsonl": jsonl([{"question": "q", "answer": "no number"}])},
        "no number after",
    ),
}
WHOLE = {
    "spider": {
        "ic_spider_dbs.sql": DUMP.encode(),
        "ic_spider_dev.json": json.dumps(QUESTIONS).encode(),
    },
    "mmlu": {"dev-0.parquet": parquet([ROW]), "test-0.parquet": parquet([ROW])},
    "bbh": {},
    "ds1000": {},
    "gsm8k": {"test.jsonl": jsonl(SUMS)},
}
TASKS = {"bbh": "bbh_cot_fewshot", "gsm8k": "gsm8k_cot"}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_data_of_a_benchmark(complaint, settings, folder, tmp_path, name):
    """By the rule that reads them first, which is asked for before anything is generated."""
    benchmark, files, words = DAMAGED[name]
    files = {file: data for file, data in (WHOLE[benchmark] | files).items() if data is not None}
    out = tmp_path / "out" / "generations.jsonl"
    given = settings(benchmark, task=TASKS.get(benchmark, benchmark))
    data = downloaded(tmp_path / benchmark, files)
    told = complaint(GENERATE, given, model=folder, data=data, out=out)
    assert words in told and not out.exists(), told


def downloaded(folder, files):
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return listing(folder, *files)


def test_a_gold_query_that_does_not_run(complaint, settings, folder, tmp_path):
    from lemur.evaluation import generation

    wrong = json.dumps([{**QUESTIONS[0], "gold": "SELECT x FROM y"}]).encode()
    data = downloaded(tmp_path / "spider", WHOLE["spider"] | {"ic_spider_dev.json": wrong})
    out = tmp_path / "out" / "generations.jsonl"
    generation.run(BenchmarkSpec.parse(settings("spider")), folder, data, out)
    scores = out.with_name("scores.json")
    told = complaint(JUDGE, settings("spider"), generations=out, data=data, out=scores)
    assert "spider/dev/0: its gold query does not run (no such table: y)" in told
    assert not scores.exists()
