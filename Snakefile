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
include: "rules/0_inputs.smk"
include: "rules/0_figures.smk"
include: "rules/1_corpus.smk"
include: "rules/2_mix.smk"
include: "rules/3_tokenize.smk"
include: "rules/4_pretrain.smk"
include: "rules/5_sft.smk"
include: "rules/6_evaluate.smk"
include: "rules/7_agents.smk"
include: "rules/8_figures.smk"


localrules:
    all,
    fetch,
    corpus,
    datasheet,
    mixture,
    mixture_table,
    pretrain,
    sft,
    evaluate,
    foundation,
    figures,
    paper_figures,
    provenance,
    ro_crate,


# Hooks do not fire in a dry run: what .prov.json files point to.
onstart:
    for point in POINTS.values():
        keep_recipe(point, digest(point), asked_for(), configuration_files())


rule all:
    default_target: True
    input:
        default_files(),


rule fetch:
    input:
        every_download(),


rule corpus:
    input:
        of_recipe(*cleaned()),


rule mixture:
    input:
        of_recipe(f"results/{RECIPE['name']}/tokens/realised.json"),


rule datasheet:
    input:
        of_recipe(f"results/corpus/{RECIPE['corpus']['name']}/datasheet.md"),


rule mixture_table:
    input:
        of_recipe(*mixture_tables()),
    log:
        f"logs/mixture_table/{config.get('sweep', RECIPE['name'])}.txt",
    shell:
        "cat {input} | tee {log}"


rule pretrain:
    input:
        of_recipe(f"results/{RECIPE['name']}/pretrain/DONE.json"),


rule sft:
    input:
        of_recipe(f"results/{RECIPE['name']}/sft/DONE.json"),


rule evaluate:
    input:
        scores_of(RECIPE),


rule foundation:
    input:
        FOUNDATION,


rule figures:
    input:
        of_recipe(*paper_figure_files(), *recipe_figure_files(RECIPE)),


rule paper_figures:
    input:
        paper_figure_files(),


rule ro_crate:
    input:
        "results/ro-crate-metadata.json",


rule provenance:
    log:
        "logs/provenance.log",
    params:
        of=OF,
    shell:
        explaining("{log}")
