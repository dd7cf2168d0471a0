# Lemur (arXiv 2310.06830) from pinned sources to figures. `snakemake -n` shows what would run;
# `--config recipe=<name>` chooses what (config/recipes), a profile where.
from snakemake.utils import min_version

min_version("9.0")


# Used with `--sdm apptainer` alone: interpreter and system tools as `nix build .#image` makes them.
# Python packages come from the locks under envs/ with it and without.
container: "docker-archive:result"


# The first page of `snakemake --report`.
report: "reports/snakemake/workflow.rst"


include: "rules/0_common.smk"
include: "rules/1_corpus.smk"
include: "rules/2_mix.smk"
include: "rules/3_tokenize.smk"
include: "rules/4_pretrain.smk"
include: "rules/5_sft.smk"
include: "rules/6_evaluate.smk"
include: "rules/7_agents.smk"
include: "rules/8_figures.smk"
include: "rules/8_study.smk"
include: "rules/8_export.smk"
include: "rules/9_targets.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        TARGETS.default,


# Hooks do not fire in a dry run.
onstart:
    START.begin(shell)


onsuccess:
    START.lock.release()


onerror:
    START.fail()
