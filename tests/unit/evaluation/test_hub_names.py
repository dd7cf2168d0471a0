"""The hub's names of data sets, as lm-eval itself loads them."""

from pathlib import Path

import lm_eval
import pytest
import yaml
from lemur.core.provenance import ROOT

TASKS = Path(lm_eval.__file__).parent / "tasks"
BENCHMARKS = yaml.safe_load((ROOT / "config" / "benchmarks.yaml").read_text())["benchmarks"]


@pytest.mark.parametrize(
    ("benchmark", "task", "config"),
    [
        ("humaneval", "humaneval/humaneval.yaml", None),
        ("gsm8k", "gsm8k/gsm8k.yaml", "main"),
        ("gsm8k_paper", "gsm8k/gsm8k.yaml", "main"),
        ("mbpp", "mbpp/mbpp.yaml", "full"),
    ],
)
def test_a_data_set_is_called_as_lm_eval_calls_it(benchmark, task, config):
    said = (TASKS / task).read_text()
    hub = BENCHMARKS[benchmark]["hub"]
    assert f"dataset_path: {hub['dataset']}\n" in said
    assert f"test_split: {hub['split']}\n" in said
    assert config is None or (hub["config"] == config and f"dataset_name: {config}\n" in said)


@pytest.mark.parametrize(("benchmark", "folder"), [("bbh_cot_fewshot", "bbh"), ("mmlu", "mmlu")])
def test_a_data_set_of_many_tasks_is_called_so_in_one_of_them(benchmark, folder):
    name = BENCHMARKS[benchmark]["hub"]["dataset"]
    assert any(
        f"dataset_path: {name}\n" in path.read_text() for path in (TASKS / folder).rglob("*y*ml")
    )
