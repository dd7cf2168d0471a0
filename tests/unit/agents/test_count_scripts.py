"""The command lines: count, then compare; a difference is one line and a code that is not zero."""

import json
import subprocess
import sys

from lemur.agents import outcomes
from lemur.core.files import sha256_of
from lemur.core.provenance import ROOT

SCRIPTS = ROOT / "scripts" / "7_agents"


def call(name, *arguments, cwd):
    return subprocess.run(
        [sys.executable, SCRIPTS / f"{name}.py", *map(str, arguments)],
        cwd=cwd, env={"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, text=True,
    )  # fmt: skip


def test_count_then_compare(tmp_path):
    path = "data/outputs/m/F=None/max5_p2+tool+cd/reasoning/math/results.jsonl"
    file = tmp_path / "mirror/o/r/c" / path
    file.parent.mkdir(parents=True)
    counts = {"propose_solution": 1, "use_tool": 0, "invalid_action": 0}
    state = {
        "success": True,
        "terminate_reason": "task_success",
        "agent_action_count": counts,
        "token_counter": {"completion_tokens": 9},
    }
    file.write_text(json.dumps({"state": state, "task": {"task_id": 7}}) + "\n")
    record = {"repository": "o/r", "commit": "c", "path": path, "sha256": sha256_of(file)}
    (tmp_path / "spec.json").write_text(json.dumps({"records": [record]}))
    done = call(
        "count", "--spec", "@spec.json", "--manifest", "mirror", "--out", "new.tsv", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.tsv.prov.json").is_file()
    pair = ("--spec", "{}", "--recount", "new.tsv", "--committed")
    same = call("compare", *pair, "new.tsv", "--out", "compared.json", cwd=tmp_path)
    assert same.returncode == 0, same.stderr
    assert json.loads((tmp_path / "compared.json").read_text())["episodes"] == 1
    lost = outcomes.Outcome("m", "none", "reasoning", "math", 0, 0, "wrong twice", 2, 0, 9)
    outcomes.write(tmp_path / "old.tsv", [lost])
    other = call("compare", *pair, "old.tsv", "--out", "other.json", cwd=tmp_path)
    assert other.returncode == 2
    assert other.stderr.count("\n") == 1 and "1 of 1 episodes differ" in other.stderr
    assert not (tmp_path / "other.json").exists()
