"""The GPU check's goals and page, and that a part which fails or hangs leaves what others found."""

import json
import os
import subprocess
import sys
import time
import types
import zipfile
from pathlib import Path

import pytest
from bench.ratios import Ratio
from gpu import check, report
from gpu.report import ABSENT, MISS, OPEN, PASS, Line, Part
from lemur.core.errors import UserError
from lemur.core.provenance import ROOT

COMMAND = [sys.executable, str(ROOT / "tests" / "gpu" / "check.py")]


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (report.at_least("share", 0.50, 0.50), PASS),
        (report.at_least("share", 0.4999, 0.50), MISS),
        (report.at_least("share", float("nan"), 0.50), MISS),
        (report.at_most("error", 0.01, 0.01), PASS),
        (report.at_most("error", float("nan"), 0.01), MISS),
        (report.ratio("ours / bare", Ratio(1.0, 0.98, 1.02, 5), 0.97), PASS),
        (report.ratio("ours / bare", Ratio(1.0, 0.90, 1.10, 5), 0.97), OPEN),
        (report.ratio("ours / bare", Ratio(0.9, 0.88, 0.92, 5), 0.97), MISS),
        (report.ratio("ours / bare", Ratio(0.9, 0.88, 0.92, 5), None), ""),
        (report.absent("flash", "no such package"), ABSENT),
        (report.holds("bits", False, "other", "same"), MISS),
        (report.fact("tokens/s", "1"), ""),
    ],
)
def test_verdicts(line, verdict):
    assert line.verdict == verdict


def parts(folder):
    made = [Part("machine", folder / "machine.json", state="done", seconds=3.0)]
    made[0].facts = {"device": "1 x a GPU", "versions": {"torch": "2.11.0"}}
    made += [Part("attention", folder / "attention.json", state="done", seconds=4.0),
             Part("cells", folder / "cells.json", state="ended at its limit of 50 s", seconds=50.0)]  # fmt: skip
    made[1].lines = [
        report.at_most("varlen | error", 0.1, 0.01),
        report.absent("flash", "no\npackage"),
    ]
    return made


def test_the_page_says_each_line_and_what_is_missed(tmp_path):
    made = parts(tmp_path)
    assert report.misses(made) == ["cells: ended at its limit of 50 s", "attention: varlen | error"]
    text = report.page(made, "make gpu-check", made[0].facts, tiny=False)
    assert "Device: 1 x a GPU." in text and "Versions: torch 2.11.0." in text
    assert "57 s in all. Lines: 0 pass, 1 miss, 0 not decided, 1 not here." in text
    assert "| varlen \\| error | 0.1 | at most 0.01 | miss |" in text
    assert "| flash | not here: no package |  | not here |" in text
    assert "Tiny sizes" not in text and "Tiny sizes" in report.page(made, "", {}, tiny=True)


def test_what_was_found_is_read_back_and_damage_is_no_end(tmp_path):
    made = parts(tmp_path)[1]
    made.write()
    assert report.read(made.path, "attention") == made
    for text in ("", "[]", '{"lines": 3}', '{"lines": [{"who": 1}], "name": "x"}'):
        made.path.write_text(text)
        found = report.read(made.path, "attention")
        assert (found.lines, found.state) == ([], "wrote nothing")
    assert report.read(tmp_path / "none.json", "x").state == "wrote nothing"


HANGS = """
import json, subprocess, sys, time
name, results = sys.argv[2], sys.argv[sys.argv.index("--results") + 1]
lines = [{"what": "first", "found": "1", "goal": "", "verdict": ""}]
part = {"name": name, "lines": lines, "facts": {}, "state": "under way", "seconds": 0.0}
open(f"{results}/{name}.json", "w").write(json.dumps(part))
child = subprocess.Popen(["sleep", "60"])
open(f"{results}/child", "w").write(str(child.pid))
time.sleep(60)
"""


def test_a_part_that_hangs_is_ended_with_its_children_and_keeps_its_lines(tmp_path, monkeypatch):
    script = tmp_path / "hangs.py"
    script.write_text(HANGS)
    monkeypatch.setattr(check, "__file__", str(script))
    args = types.SimpleNamespace(results=tmp_path, device="cpu", tiny=True)
    found = check.run_part(args, tmp_path, dict(os.environ), "cells", 2.0)
    assert found.state == "ended at its limit of 2 s"
    assert found.lines == [Line("first", "1")]
    assert json.loads((tmp_path / "cells.json").read_text())["state"] == found.state
    child = int((tmp_path / "child").read_text())
    for _ in range(100):  # an orphan's end is seen once init has taken it
        try:
            state = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the child lives on")


def test_failed_parts_leave_a_page_that_says_so(tmp_path):
    """The command itself, where no torch is: parts fail in one line each, or wait for the machine's."""
    out = tmp_path / "gpu.md"
    command = [*COMMAND, "--device", "cpu", "--tiny", "--only", "attention", "losses"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    text = out.read_text()
    assert text.count("failed with code 1: ModuleNotFoundError: No module named 'torch'") == 2
    assert "## attention" in text and "## losses" in text
    assert "missed: losses: failed" in done.stdout and "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "atention"], "error: --only: 'atention', did you mean 'attention'?"),
        (["--wheels", "nowhere"], "error: --wheels nowhere: no wheel is there"),
    ],
)
def test_mistakes_are_one_line(arguments, said, tmp_path):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().startswith(said.split(", did")[0])
    assert "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_wheels_are_unpacked_and_compiled_ones_refused(tmp_path):
    wheel = tmp_path / "liger_kernel-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("liger_kernel/__init__.py", "")
        archive.writestr("liger_kernel-1.dist-info/METADATA", "Name: liger-kernel\nVersion: 1\n")
    check.unpack(tmp_path, tmp_path / "site")
    assert (tmp_path / "site" / "liger_kernel" / "__init__.py").is_file()
    (tmp_path / "flash_attn-1-cp312-cp312-linux_x86_64.whl").write_bytes(b"")
    with pytest.raises(UserError, match="flash_attn-1-cp312.*not a pure Python wheel"):
        check.unpack(tmp_path, tmp_path / "site")


def test_the_parts_fit_the_time_that_is_lent():
    """Eight minutes for all; each begins with its own limit, and none is longer than the whole."""
    correct = ("machine", "attention", "losses", "resume", "decoding", "train-1b")
    assert sum(check.LIMITS[name] for name in correct) <= 480
    assert max(check.LIMITS.values()) < 480


def test_without_a_gpu_no_other_part_begins(tmp_path, monkeypatch):
    """What nothing can be checked on is said once; a first part that is only slow stops nothing."""
    begun = []

    def run_part(args, work, environment, name, limit):
        begun.append(name)
        return Part(name, tmp_path / f"{name}.json", state=state, facts=facts)

    monkeypatch.setattr(check, "run_part", run_part)
    args = types.SimpleNamespace(
        only=None, minutes=8.0, tiny=False, device="cuda", results=tmp_path, out=tmp_path / "gpu.md"
    )
    state, facts = f"failed with code 1: {report.NO_GPU}", {"device": report.NO_GPU}
    assert check.everything(args, tmp_path, {}) == 1
    assert begun == ["machine"]
    assert args.out.read_text().count(f"not here: {report.NO_GPU}") == len(check.LIMITS) - 1
    state, facts, begun[:] = "ended at its limit of 90 s", {}, []
    assert check.everything(args, tmp_path, {}) == 1
    assert begun == list(check.LIMITS)
