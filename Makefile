# The front door. Every target is also one plain command, shown in README.md.
SHELL := /bin/bash
PYTHON ?= $(shell workflow/find-python 2>/dev/null)
CORES ?= $(shell nproc)
SUITE ?= bookworm trixie
# The options before --cores: --resources takes every word up to the next option, targets too.
SNAKEMAKE := workflow/env-run workflow snakemake --resources mem_mb=8000 downloads=4 --cores $(CORES)

# The pinned environments that a target needs; none is named: those that every run needs.
define built
@[ -n "$(PYTHON)" ] || workflow/find-python
@$(PYTHON) workflow/env-build $(1)
endef

# A recipe to its report, and the numbers that matter of it.
define run
@$(SNAKEMAKE) --config recipe=$(1)
@workflow/env-run workflow python scripts/8_figures/summary.py --report results/$(1)/report.html
endef

.DEFAULT_GOAL := help
.PHONY: help setup envs test-envs lock mini smoke fetch figures paper-figures new plan test test-long test-bare test-slurm bench bench-train bench-corpus bench-evaluate bench-agents bench-slurm bench-overhead gpu-check lint format

help: ## list every target
	@awk -F ':.*## ' '/^[a-z%-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install system packages that are missing (root on Debian or Ubuntu; else names them)
	@workflow/system-packages

envs: setup ## build the pinned environments under .envs/ from the locks
	$(call built)

lock: ## resolve what every run needs into hash-pinned locks (UPGRADE=1 takes newer versions; any other environment: workflow/env-lock NAME)
	@$(PYTHON) workflow/env-build --bootstrap >/dev/null
	@workflow/env-lock

mini: envs ## the main job: real model, real corpora, scores and report on 2 CPU cores (about 15 minutes)
	$(call built,session robocodegen)
	$(call run,mini)

smoke: envs ## every rule with a random 1M-parameter model (about 3 minutes)
	$(call built,session robocodegen bfcl)
	$(call run,smoke)

fetch: setup ## all downloads of the default recipe; everything after passes with the network off
	$(call built,workflow data)
	@$(SNAKEMAKE) fetch

figures: setup ## the paper's figures and tables, offline, from reports/paper/
	$(call built,workflow figures)
	@$(SNAKEMAKE) paper_figures --config quiet_plan=true

new: setup ## a project of your own outside the checkout: make new NAME=../mine
	$(call built,workflow)
	@workflow/env-run workflow python -m lemur.config.new_project $(if $(NAME),"$(NAME)",../mine)

plan: setup ## what a recipe costs before it runs: make plan RECIPE=lemur-70b
	$(call built,workflow)
	@workflow/env-run workflow python scripts/4_pretrain/plan.py --recipe "$(or $(RECIPE),mini)"

test-envs: envs
	@workflow/system-packages test
	@$(PYTHON) workflow/env-build inspect session robocodegen bfcl web

test: test-envs ## all checks and tests of at most 15 minutes
	@workflow/env-run workflow python tests/run.py

test-long: test-envs ## everything else: all kill points, fuzzing, every fault, a bare Debian
	@workflow/system-packages test-long
	@$(PYTHON) workflow/env-build formats
	@$(PYTHON) workflow/env-build vllm || echo "vLLM cannot be installed here: its tests will be skipped"
	@$(PYTHON) workflow/env-build alfworld || echo "ALFWorld's planner cannot be built here: its games will be skipped"
	@workflow/env-run workflow python tests/run.py --long
	@$(PYTHON) tests/bare.py --suite $(SUITE) || { [ $$? = 3 ] && echo "test-long: not tried in a bare Debian, for the reason above"; }

test-bare: setup ## make mini and make test in Debians made for it (root, debootstrap; SUITE="bookworm trixie", ONLY=mini or test; about 40 minutes a suite)
	@$(PYTHON) tests/bare.py --suite $(SUITE) $(if $(ONLY),--only $(ONLY))

test-slurm: envs ## smoke and every fault on a SLURM cluster of its own (root on Debian; about 25 minutes)
	@workflow/env-run workflow python tests/run.py --long --only slurm

bench: bench-corpus bench-train bench-evaluate bench-agents ## every measurement against its peers, into reports/bench/

bench-train: envs ## training against a bare PyTorch loop and the Trainer, into reports/bench/train.md (BENCH='--device cuda' on a GPU; until the ratios' intervals are narrow, about 20 minutes)
	@workflow/env-run train python tests/bench/train.py $(BENCH)

bench-corpus: envs ## corpus stages against named peers into reports/bench/corpus.md (RECIPE=mini; at least three turns of all, about 40 minutes)
	@$(PYTHON) workflow/env-build bench
	@workflow/env-run data python tests/bench/corpus.py --recipe $(or $(RECIPE),mini)

bench-evaluate: envs ## generation against lm-eval's own backend and vLLM, and judging, into reports/bench/evaluate.md (at least three turns of all, about 25 minutes)
	@$(PYTHON) workflow/env-build bench-evaluate
	@$(PYTHON) workflow/env-build vllm || echo "vLLM cannot be installed here: the page will say so"
	@$(SNAKEMAKE) resources/models/smollm2-135m-instruct-q4/DONE.json resources/benchmarks/humaneval/part-0-of-1/manifest.json resources/benchmarks/gsm8k/part-0-of-1/manifest.json --config quiet_plan=true
	@workflow/env-run bench-evaluate python tests/bench/evaluate.py --model resources/models/smollm2-135m-instruct-q4/model

bench-agents: envs ## agents' episodes an hour against encoding each turn anew, MINT's own way and Inspect (on vLLM's server), and a step of each world, into reports/bench/agents.md (at least three turns of all, about 40 minutes; BENCH='--limit 4' is shorter)
	@$(PYTHON) workflow/env-build session export
	@$(PYTHON) workflow/env-build vllm || echo "vLLM cannot be installed here: the page will say so"
	@$(SNAKEMAKE) resources/models/smollm2-135m-instruct-q4/DONE.json resources/environments/mint/part-0-of-1/manifest.json resources/environments/intercode_sql/part-0-of-1/manifest.json --config quiet_plan=true
	@workflow/env-run evaluate python tests/bench/agents.py $(BENCH)

bench-slurm: setup ## dry runs of up to 10,000 shards and jobs a minute into reports/bench/scale.md (root on Debian; about 10 minutes)
	$(call built,workflow figures)
	@folder=$$(mktemp -d) && workflow/env-run workflow python tests/bench/slurm_scale.py --out "$$folder/scale.json" && workflow/env-run figures python tests/bench/slurm_report.py "$$folder/scale.json" reports/bench

bench-overhead: envs ## smoke on the test cluster over smoke run locally into reports/bench/slurm.md (root on Debian; about 15 minutes)
	@workflow/env-run workflow python tests/bench/slurm_overhead.py --out reports/bench/slurm.md

gpu-check: ## training and decoding on this machine's GPU with the machine's own python3, at most 8 minutes, into reports/bench/gpu.md (GPU_CHECK='--wheels FOLDER'; GPU_PYTHON=other Python)
	@$(or $(GPU_PYTHON),python3) tests/gpu/check.py $(GPU_CHECK)

clean-%: setup ## remove what a stage made: make clean-sft [RECIPE=mini] [DRY=1: say what would be lost]
	$(call built,workflow)
	@workflow/env-run workflow python -m lemur.trace.clean $* $(if $(RECIPE),--recipe "$(RECIPE)") $(if $(DRY),--dry-run)

lint: setup ## ruff, snakefmt and snakemake --lint
	$(call built,workflow)
	@workflow/env-run workflow python tests/run.py --only lint

format: setup ## rewrite Python and Snakemake files in the project's format
	$(call built,workflow)
	@workflow/env-run workflow ruff check --fix --quiet . ; workflow/env-run workflow ruff format --quiet . && workflow/env-run workflow snakefmt Snakefile rules
