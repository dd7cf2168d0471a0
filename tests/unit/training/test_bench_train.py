"""The training bench at a tiny size: the arguments that a GPU gets, on this CPU."""

import subprocess
import sys

import pytest
from lemur.core.provenance import ROOT


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_row_that_a_gpu_gives(tmp_path):
    out = tmp_path / "train.md"
    out.write_text("# Training speed\n\n## cuda: a GPU\n\nkept\n")
    command = [sys.executable, str(ROOT / "tests/bench/train.py"), "--out", str(out)]
    command += [
        "--device",
        "cpu",
        "--models",
        "1m",
        "--contexts",
        "64",
        "--precisions",
        "bf16",
        "--batch",
        "128",
    ]
    command += [
        "--compile",
        "both",
        "--deterministic",
        "both",
        "--steps",
        "3",
        "--warm",
        "1",
        "--rounds",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = out.read_text()
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| 1m |")]
    assert [row[4].strip() for row in rows] == ["no", "yes"]
    for row in rows:
        assert row[5].strip() == "1"
        numbers = [float(cell.replace(",", "")) for cell in row[6:10]]
        numbers += [float(cell.split()[0]) for cell in row[10:13]]
        assert all(number > 0 for number in numbers)
        assert all("(one turn)" in cell for cell in row[10:13])
        assert row[14].strip() == "not decided, not decided"
    assert "5,762 tokens/s a GPU for Llama-3-8B on 8 H100" in text
    assert "## cuda: a GPU\n\nkept" in text
    shares = [float(line.split("|")[2]) for line in text.splitlines() if "concatenate |" in line]
    assert shares[0] >= 0.98
