"""What a change reruns, on a finished smoke run: the table of config/README.md, line by line."""

import shutil
import subprocess

import pytest
from checkout import checkout
from lemur.core.provenance import ROOT
from snake import begun, planned, snakemake, values

pytestmark = pytest.mark.timeout(900)


def test_a_second_run_has_nothing_to_do(smoke):
    done = snakemake(smoke.folder, "--cores", "2", "--config", "recipe=smoke")
    assert done.returncode == 0 and "Nothing to be done" in done.stdout + done.stderr


def again(smoke, *config):
    return planned(smoke.folder, "--config", "recipe=smoke", *config)


def test_a_learning_rate_reruns_training_and_what_follows(smoke):
    jobs = again(smoke, values(pretrain__optimizer__learning_rate=0.002))
    assert {"continue_pretraining", "supervised_fine_tuning", "report"} <= set(jobs)
    assert not {"download", "clean", "tokenize", "plan_mixture", "pack", "prepare_model"} & set(
        jobs
    )
    assert jobs["generate"] == 10  # the start is not scored again


# What the README promises of partial reruns: what a dry run would do, whole.
TRAINED = {"generate": 10, "judge": 10, "scores_figure": 2, "foundation_table": 1, "claims_table": 1, "report": 1, "index": 1, "model_card": 2}  # fmt: skip
SCORES = "results/smoke/evaluate/{model}/gsm8k/generations.jsonl"


def test_one_stage_is_it_and_what_follows(smoke):
    assert planned(smoke.folder, "--forcerun", "continue_pretraining", "--config", "recipe=smoke") == {
        "continue_pretraining": 1, "supervised_fine_tuning": 1, "loss": 1, **TRAINED
    }  # fmt: skip


def test_one_benchmark_is_its_generations_and_what_shows_them(smoke):
    files = [SCORES.format(model=model) for model in ("start", "pretrained", "chat")]
    assert planned(smoke.folder, "--forcerun", *files, "--config", "recipe=smoke") == {
        "generate": 3, "judge": 3, "scores_figure": 1, "foundation_table": 1, "claims_table": 1, "report": 1,
        "index": 1, "model_card": 2,
    }  # fmt: skip


def test_one_figure_is_that_alone(smoke):
    figure = "results/figures/smoke/loss.svg"
    assert planned(smoke.folder, "--force", figure, "--config", "recipe=smoke") == {"loss": 1}


def test_one_more_ratio_is_planned_packed_and_trained(smoke):
    # The plan fixes how much of each source is used: nothing is cleaned, compared or tokenized.
    assert again(smoke, values(mixture__code_to_text=3)) == {
        "plan_mixture": 1, "pack": 1, "continue_pretraining": 1, "supervised_fine_tuning": 1,
        "loss": 1, "mixture_figure": 1, **TRAINED,
    }  # fmt: skip


@pytest.mark.long  # test_documented_steps.py adds a benchmark as the page says
def test_one_more_benchmark_is_compared_with_the_corpus_and_scored(smoke, tmp_path):
    """Documents that overlap it would be dropped and training follow. None does: it does not."""
    folder = tmp_path / "copy"
    shutil.copytree(smoke.folder, folder, symlinks=True)
    for model in ("start", "pretrained", "chat"):
        shutil.rmtree(folder / "results" / "smoke" / "evaluate" / model / "gsm8k")
    few = "[{name: bits_per_byte_code}, {name: bits_per_byte_text}, {name: bits_per_byte_conversations}, {name: humaneval, limit: 4, max_new_tokens: 24}]"  # fmt: skip
    compared = ["results/smoke/mix/dropped.tsv", "results/smoke/sft/data/index.json", "results/smoke/heldout/conversations.jsonl"]  # fmt: skip
    # As if gsm8k had not been there; then with it.
    for config in ([values(evaluate__benchmarks=few)], []):
        done = snakemake(
            folder,
            "--cores",
            "2",
            *compared,
            "--config",
            "recipe=smoke",
            "quiet_plan=true",
            *config,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        ran = set(begun(folder))
        assert {"decontaminate", "conversations"} <= ran <= {"decontaminate", "conversations", "heldout_conversations", "sft_tokens"}  # fmt: skip
    assert planned(folder, "--config", "recipe=smoke") == {
        "generate": 3, "judge": 3, "scores_figure": 1, "foundation_table": 1, "claims_table": 1, "report": 1,
        "index": 1, "model_card": 2,
    }  # fmt: skip


def test_one_source_replaced_is_cleaned_and_tokenized_alone(smoke, tmp_path):
    folder = checkout(tmp_path / "lemur")
    for name in ("results", "resources", "logs", "benchmarks", ".snakemake"):
        shutil.copytree(smoke.folder / name, folder / name, symlinks=True)
    corpus = folder / "config" / "corpora" / "smoke.yaml"
    corpus.write_text(corpus.read_text().replace("name: flask-docs", "name: pytest-docs"))
    jobs = planned(folder, "--config", "recipe=smoke")
    # Their committed inputs lie in the copy, under another path: no part of the question.
    for name in (
        "paper_figure",
        "episode_pages",
        "agents_table",
        "agents_figure",
        "capability_table",
    ):
        jobs.pop(name, None)
    assert jobs == {
        "download": 1, "clean": 1, "tokenize": 1, "signatures": 1, "duplicates": 1,
        "plan_mixture": 1, "decontaminate": 1, "heldout": 1, "pack": 1, "continue_pretraining": 1, "conversations": 1,
        "sft_tokens": 1, "supervised_fine_tuning": 1, "loss": 1, "mixture_figure": 1, **TRAINED,
        "write_datasheet": 1, "heldout_conversations": 1, "generate": 12, "judge": 12,
    }  # fmt: skip


def test_clean_says_what_it_cost_and_removes_that_stage_alone(smoke, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(smoke.folder, folder, symlinks=True)

    def clean(*arguments):
        command = [str(ROOT / "workflow" / "env-run"), "workflow", "python", "-m", "lemur.trace.clean"]  # fmt: skip
        done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    told = clean("sft", "--recipe", "smoke", "--dry-run")
    assert "would remove results/smoke/sft" in told and "0.00 GPU-hours" in told
    for script in ("5_sft/conversations.py", "5_sft/sft_tokens.py", "5_sft/sft.py"):
        assert f"1 x scripts/{script}" in told
    assert (folder / "results/smoke/sft/DONE.json").is_file()
    assert "removed results/smoke/sft" in clean("sft", "--recipe", "smoke")
    assert not (folder / "results/smoke/sft").exists()
    # What is finished stays finished: Snakemake makes a missing step again when it is asked for.
    assert planned(folder, "--config", "recipe=smoke") == {}
    assert planned(folder, "sft", "--config", "recipe=smoke") == {
        "sft": 1, "conversations": 1, "sft_tokens": 1, "supervised_fine_tuning": 1
    }  # fmt: skip


def test_a_colour_reruns_its_figure_and_the_report_alone(smoke):
    assert again(
        smoke, "style={figures: {loss: {colours: {pretrain: ['#123456', '#abcdef']}}}}"
    ) == {"loss": 1, "report": 1, "index": 1}


def test_a_larger_limit_generates_and_judges_that_benchmark_alone(smoke):
    jobs = again(smoke, values(evaluate__benchmarks__humaneval__limit=5))
    assert jobs["generate"] == jobs["judge"] == 3
    assert not {"continue_pretraining", "clean", "tokenize"} & set(jobs)
