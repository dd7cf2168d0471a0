"""Dry runs from a checkout: every recipe, the SLURM profile, and mistakes in what is asked for."""

import html
import re
from pathlib import Path

import pytest
from lemur.config import load, recipe
from lemur.core.provenance import ROOT
from snake import planned, reported, snakemake, values

RECIPES = sorted(path.stem for path in (load.CONFIG / "recipes").glob("*.yaml"))


def test_the_default_is_mini_and_complete(tmp_path):
    jobs = planned(tmp_path)
    for rule in ("download", "prepare_model", "clean", "duplicates", "plan_mixture",
                 "decontaminate", "tokenize", "pack", "continue_pretraining", "conversations",
                 "supervised_fine_tuning", "generate", "judge", "report"):  # fmt: skip
        assert jobs.get(rule), rule
    assert jobs == planned(tmp_path, "--config", "recipe=mini")


# The same sources as lemur-70b's, in more shards.
LARGE = {"llama3-8b": [pytest.mark.long]}


@pytest.mark.parametrize("recipe", [pytest.param(r, marks=LARGE.get(r, [])) for r in RECIPES])
def test_every_recipe_dry_runs_and_prints_its_plan(recipe, tmp_path):
    done = snakemake(tmp_path, "--dry-run", "--config", f"recipe={recipe}")
    assert done.returncode == 0, done.stdout + done.stderr
    plan = done.stderr.split("Job stats")[0]
    for word in ("tokens", "parameters", "FLOPs", "memory", "disk"):
        assert word.lower() in plan.lower(), f"{word} is not in the plan:\n{plan}"


def test_the_report_shows_agents_where_the_recipe_has_any(tmp_path):
    """Played by two in four environments; `agents` draws them without training anything."""
    jobs = planned(tmp_path, "--config", "recipe=mini-agents")
    assert (jobs["play"], jobs["judge_episodes"], jobs["episode_pages"]) == (8, 8, 8)
    assert (jobs["agents_table"], jobs["agents_figure"], jobs["report"]) == (1, 2, 1)
    alone = planned(tmp_path, "agents", "--config", "recipe=mini-agents")
    assert alone["episode_pages"] == 8 and alone["agents_figure"] == 2
    assert not {"generate", "continue_pretraining", "report", "export_episodes"} & set(alone)


def test_a_checkout_has_the_slurm_profile():
    done = snakemake(ROOT, "--profile", "slurm", "--dry-run", "--config", "recipe=smoke")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("minutes, groups", [(30, 4), (29, 0)])
def test_the_rules_of_a_shard_are_one_job_where_the_site_has_room(minutes, groups, tmp_path):
    """Each asks for ten minutes: a job of three must not be longer than the site allows."""
    limits = tmp_path / "site.yaml"
    limits.write_text(f"limits: {{cpu_minutes: {minutes}}}\n")
    done = snakemake(
        ROOT, "--profile", "slurm", "--dry-run", "--config", "recipe=smoke", f"site={limits}"
    )
    assert done.stdout.count("Group job shard") == groups, done.stdout + done.stderr


def test_fetch_is_every_download_and_nothing_else(tmp_path):
    whole = planned(tmp_path, "--config", "recipe=smoke")
    fetch = planned(tmp_path, "fetch", "--config", "recipe=smoke")
    assert fetch.pop("fetch") == 1
    assert fetch == {"download": whole["download"]}


@pytest.mark.parametrize("name, games", [("alfworld", True), ("gsm8k", False)])
def test_games_are_downloaded_where_records_of_them_are_executed_again(name, games, tmp_path):
    folder = tmp_path / "records" / name
    folder.mkdir(parents=True)
    done = snakemake(tmp_path, "-n", "-p", "replay", "--config", f"records={folder.parent}")
    assert done.returncode == 0, done.stderr
    assert (" --games " in done.stdout) == games
    assert ("env-build session alfworld;" in done.stdout) == games


def test_paper_figures_need_neither_downloads_nor_training(tmp_path):
    jobs = planned(tmp_path, "paper_figures")
    assert not {"download", "prepare_model", "continue_pretraining", "generate"} & set(jobs)
    assert sum(jobs.values()) > 3


@pytest.mark.long  # tests/e2e/test_smoke.py makes it of a whole run
def test_snakemakes_own_report_carries_captions_and_categories(tmp_path):
    figures = {
        "Figures": "results/figures/paper/overview.svg",
        "Tables": "results/figures/paper/mint_table.html",
    }
    done = snakemake(tmp_path, "--cores", "2", *figures.values())
    assert done.returncode == 0, done.stdout + done.stderr
    categories, results = reported(tmp_path, *figures.values())
    assert categories == {"The paper": {kind: [path] for kind, path in figures.items()}}
    for path in figures.values():
        name = Path(path).stem
        words = (ROOT / "reports" / "captions" / f"{name}.rst").read_text().split()
        caption = " ".join(html.unescape(results[path]["caption"]).split())
        assert " ".join(words) in caption and "system-message" not in caption
        assert f"results/figures/paper/{name}.csv" in caption
        assert results[path]["labels"] == {"figure": name}
    # A mark is no reason to make anything again.
    assert not planned(tmp_path, *figures.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recipe=smok"], "error: no recipe 'smok' in config/recipes; did you mean 'smoke'?"),
        ([values(pretrain__optimizer__lerning_rate=1)], "pretrain.optimizer.lerning_rate: unknown key; did you mean 'learning_rate'?"),
        pytest.param([values(mixture__code_to_text=-1)], "mixture.code_to_text: -1 is too small: more than 0 is allowed", marks=pytest.mark.long),
        pytest.param([values(pretrain__context=16384, pretrain__tokens=65536, pretrain__global_batch_tokens=32768)], "pretrain.context: 16384 is longer than the", marks=pytest.mark.long),
        ([values(base="smollm2-135")], "base: 'smollm2-135' is no model in config/models.yaml, no folder and no owner/name of the hub; did you mean"),
        (["of=config/config.yaml"], "of=config/config.yaml: allowed are paths below results/ and resources/"),
        pytest.param(["of=results/report.html"], "of=results/report.html: no such file; nothing was made here yet", marks=pytest.mark.long),
        pytest.param(["recipes=mini"], "config: recipes: unknown key; did you mean 'recipe'?", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_before_any_job(arguments, message, tmp_path):
    done = snakemake(tmp_path, "--dry-run", "--config", *arguments)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len([line for line in lines if message in line]) == 1, done.stderr
    assert "Traceback" not in done.stderr and len(lines) <= 2, done.stderr
    assert not (tmp_path / "results").exists() and not (tmp_path / "resources").exists()


@pytest.mark.parametrize(
    ("arguments", "tried"),
    [
        (["recipe=smoke"], 0),
        (["recipe=smoke", values(pretrain__compile=True)], 1),
        pytest.param(["recipe=h200"], 2, marks=pytest.mark.long),
        (["recipe=lemur-70b"], 2),
    ],
)
def test_what_is_compiled_or_has_ranks_is_tried_before_it_trains(arguments, tried, tmp_path):
    jobs = planned(tmp_path, "sft", "--config", *arguments)
    assert jobs.get("preflight_pretrain", 0) + jobs.get("preflight_sft", 0) == tried
    assert jobs["prepare_model"] == 1


def test_the_preflight_and_training_keep_kernels_in_one_folder(tmp_path):
    changed = ["--config", "recipe=smoke", values(pretrain__compile=True)]
    shown = snakemake(tmp_path, "--dry-run", "-p", "sft", *changed).stdout
    for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "TORCH_EXTENSIONS_DIR"):
        found = re.findall(rf"{name}=(\S+)", shown)
        assert len(found) == 3 and len(set(found)) == 1, shown[-3000:]
        assert found[0].startswith("$PWD/.kernels/")


def test_released_models_are_scored_without_training(tmp_path):
    jobs = planned(tmp_path, "evaluate", "--config", "recipe=lemur-70b-released")
    many = len(recipe.resolve("lemur-70b-released")["evaluate"]["benchmarks"])
    assert jobs == {"download": 3 + many, "prepare_model": 3, "generate": 3 * many,
                    "judge": 3 * many, "evaluate": 1}  # fmt: skip
    whole = planned(tmp_path, "--config", "recipe=lemur-70b-released")
    assert not {"continue_pretraining", "supervised_fine_tuning", "clean"} & set(whole)


def test_public_models_are_ranked_without_training(tmp_path):
    jobs = planned(tmp_path, "action_ranking", "--config", "recipe=ranking")
    many, players = 10, 6  # of the others the authors' records have the success
    assert jobs["prepare_model"] == jobs["generate"] == jobs["judge"] == many
    assert jobs["play"] == jobs["judge_episodes"] == players
    assert jobs["draw_action_ranking"] == 1 and "continue_pretraining" not in jobs
    refused = snakemake(tmp_path, "-n", "action_ranking", "--config", "recipe=smoke")
    said = "error: recipe 'smoke' does not score actions: add bits_per_byte_recorded_actions to"
    assert refused.returncode and said in refused.stdout + refused.stderr


def test_fine_tuning_may_begin_from_a_released_model(tmp_path):
    start = ["--config", "recipe=lemur-70b-released", 'set={"sft.from": start}']
    jobs = planned(tmp_path, "sft", *start)
    assert jobs["supervised_fine_tuning"] == jobs["prepare_model"] == jobs["conversations"] == 1
    assert not {"continue_pretraining", "clean", "tokenize", "decontaminate"} & set(jobs)


def test_any_model_is_scored_by_name_folder_or_address(tmp_path):
    asked = ["evaluate", "--config", "benchmarks=[humaneval,{name: gsm8k, limit: 4}]"]
    jobs = planned(tmp_path, *asked, "model=some/model")
    assert jobs == {
        "download": 3,
        "prepare_model": 1,
        "generate": 2,
        "judge": 2,
        "evaluate": 1,
    }
    served = planned(tmp_path, *asked, "model=m", "server=http://127.0.0.1:8000/v1")
    assert served == {"download": 2, "generate": 2, "judge": 2, "evaluate": 1}
    entry = "{name: mint, feedback: {model: start}, settings: {sets: [gsm8k]}}"
    played = planned(tmp_path, "agents", *asked[1:], f"environments=[{entry}, bfcl]", "model=m",
                     "server=http://127.0.0.1:8000/v1")  # fmt: skip
    # With the model of the recipe that gives feedback there; nothing is asked of benchmarks.
    wanted = {"prepare_model": 1, "play": 2, "judge_episodes": 2, "agents": 1}
    assert {rule: played.get(rule) for rule in wanted} == wanted
    assert not {"generate", "judge"} & set(played)
    refused = snakemake(tmp_path, "--dry-run", "sft", "--config", "model=some/model")
    assert refused.returncode != 0 and "it scores a model and trains none" in refused.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            ["model=m", "server=http://[::1/v1"],
            "config: server: 'http://[::1/v1' is not an address",
        ),
        ([f"model={'m' * 5000}"], "of 5000 characters: File name too long"),
        (
            ["model=a/b", "benchmarks=[{name: gsm8k, max_new_tokens: many}]"],
            "max_new_tokens: 'many'",
        ),
    ],
    ids=["address", "name", "type"],
)
def test_a_mistake_in_config_is_one_line(asked, words, tmp_path):
    refused = snakemake(tmp_path, "--dry-run", "evaluate", "--config", *asked)
    (line,) = [line for line in refused.stderr.splitlines() if "rror" in line]
    assert refused.returncode != 0 and line.startswith("error: ") and words in line


def test_only_downloads_may_ask_a_hub(tmp_path):
    done = snakemake(tmp_path, "-n", "-p", "--config", "recipe=smoke", "quiet_plan=true")
    calls = [line for line in done.stdout.splitlines() if "env-run" in line]
    assert len(calls) > 40
    for call in calls:
        assert ("HF_HUB_OFFLINE=1" in call) != ("1_corpus/download.py" in call), call


def layout(device, nodes, processes):
    inside = f"{{device: {device}, nodes: {nodes}, processes_per_node: {processes}, zero_stage: 1}}"
    return values(
        pretrain__engine="deepspeed", pretrain__micro_batch_sequences=1, pretrain__parallel=inside
    )


@pytest.mark.parametrize(
    "device, nodes, processes, launcher, asks",
    [
        ("cuda", 1, 1, "env-run train python -m lemur.launch --nodes 1 --processes 1 ", ["cpus_per_task=8", "gres=gpu:1"]),
        ("cuda", 1, 4, "env-run train python -m lemur.launch --nodes 1 --processes 4 ", ["cpus_per_task=32", "gres=gpu:4"]),
        ("cuda", 2, 4, "srun --nodes=2 --ntasks=2 --cpus-per-task=32 --kill-on-bad-exit=1 ", ["gres=gpu:4", "mpi=srun", "nodes=2", "tasks=2", "tasks_per_gpu=-1"]),
    ],
    ids=["one GPU", "one node", "two nodes"],
)  # fmt: skip
def test_training_is_started_as_its_layout_needs(
    device, nodes, processes, launcher, asks, tmp_path
):
    done = snakemake(
        tmp_path, "-n", "-p", "results/smoke/pretrain/DONE.json", "--config", "recipe=smoke",
        "quiet_plan=true", layout(device, nodes, processes),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rule = done.stdout.split("rule continue_pretraining:")[1].split("\n\n")[0].split("\n[")[0]
    call = next(line for line in done.stdout.splitlines() if "4_pretrain/pretrain.py" in line)
    assert launcher in call and f"--nodes {nodes} --processes {processes} " in call
    assert ("srun" in call) == (nodes > 1)
    asked = next(line for line in rule.splitlines() if line.strip().startswith("resources:"))
    assert set(asks) <= set(asked.replace("resources:", "").replace(" ", "").split(",")), asked
