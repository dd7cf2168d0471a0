"""Scripts of the tests run in vLLM's environment, where it is built (workflow/env-build vllm)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lemur.core.provenance import ROOT

RUN = ROOT / "workflow" / "env-run"


def answered(script: str, asked: Any, work: Path, *options: str) -> Any:
    """What tests/``script`` writes for ``asked``; skips where the environment is not built."""
    built = subprocess.run([RUN, "vllm", "true"], capture_output=True, text=True)
    if built.returncode:
        pytest.skip(f"network: vLLM is not installed here ({built.stderr.strip()})")
    (work / "asked.json").write_text(json.dumps(asked))
    files = [str(work / "asked.json"), str(work / "answers.json")]
    command = [RUN, "vllm", "python", *options, str(ROOT / "tests" / script), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, cwd=work)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads((work / "answers.json").read_text())
