# The mixture: an exact token budget a source, and what must not be trained on.


rule plan_mixture:
    input:
        part_files("results/corpus/{corpus}/{source}/{name}.stats.json"),
    output:
        "results/{recipe}/mix/plan.json",
    log:
        "logs/plan_mixture/{recipe}.log",
    params:
        spec=canonical(stages.plan(RECIPE)),
        version=stages.VERSION["mix"],
    resources:
        mem_mb=1000,
    shell:
        script("data", "2_mix/plan.py") + "--statistics {input} --out {output} " + LOG


rule decontaminate:
    input:
        documents=cleaned_of(RECIPE),
        benchmarks=benchmark_manifests,
    output:
        "results/{recipe}/mix/dropped.tsv",
    log:
        "logs/decontaminate/{recipe}.log",
    benchmark:
        "benchmarks/decontaminate/{recipe}.tsv"
    params:
        spec=canonical(stages.decontaminate(RECIPE)),
        version=stages.VERSION["mix"],
        lock=LOCKS["data"],
    resources:
        mem_mb=4000,
    shell:
        script("data", "2_mix/decontaminate.py")
        + "--documents {input.documents} --benchmarks {input.benchmarks} --out {output} "
        + LOG


rule heldout:
    input:
        cleaned_of(RECIPE),
    output:
        "results/{recipe}/heldout/{kind}.jsonl",
    log:
        "logs/heldout/{recipe}/{kind}.log",
    params:
        spec=lambda wildcards: canonical(stages.heldout(RECIPE, wildcards.kind)),
        version=stages.VERSION["mix"],
        lock=LOCKS["data"],
    resources:
        mem_mb=2000,
    shell:
        script("data", "2_mix/heldout.py") + "--documents {input} --out {output} " + LOG
