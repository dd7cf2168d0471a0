# The mixture: an exact token budget a source, and what must not be trained on.


rule plan_mixture:
    input:
        part_files(STATISTICS),
    output:
        "results/{recipe}/mix/plan.json",
    log:
        "logs/plan_mixture/{recipe}.log",
    wildcard_constraints:
        recipe=MIXED,
    resources:
        **asked("plan_mixture"),
        recipe_digest=point_digest,
    params:
        spec=mixed(stages.plan),
        statistics=as_is(expanding(STATISTICS)),
        version=stages.VERSION["mix"],
    shell:
        name_point(
            script(
                "data",
                "2_mix/plan.py",
                "--statistics {params.statistics} --out {output}",
            )
        )


rule decontaminate:
    input:
        documents=cleaned(),
        benchmarks=benchmark_manifests,
    output:
        "results/{recipe}/mix/dropped.tsv",
    log:
        "logs/decontaminate/{recipe}.log",
    benchmark:
        "benchmarks/decontaminate/{recipe}.tsv"
    wildcard_constraints:
        recipe=MIXED,
    resources:
        **asked("decontaminate"),
        recipe_digest=point_digest,
    params:
        spec=mixed(stages.decontaminate),
        documents=as_is(expanding(DOCUMENTS)),
        version=stages.VERSION["mix"],
        lock=LOCKS["data"],
    shell:
        name_point(
            script(
                "data",
                "2_mix/decontaminate.py",
                "--documents {params.documents} --benchmarks {input.benchmarks} --out {output}",
            )
        )


rule heldout:
    input:
        lambda wildcards: part_files(DOCUMENTS, (wildcards.kind.rpartition("_")[2],)),
    output:
        "results/{recipe}/heldout/{kind}.jsonl",
    log:
        "logs/heldout/{recipe}/{kind}.log",
    resources:
        **asked("heldout"),
    params:
        spec=lambda wildcards: canonical(stages.heldout(RECIPE, wildcards.kind)),
        documents=lambda wildcards: expanding(DOCUMENTS, (wildcards.kind.rpartition("_")[2],)),
        version=stages.VERSION["mix"],
        lock=LOCKS["data"],
    shell:
        script(
            "data",
            "2_mix/heldout.py",
            "--documents {params.documents} --out {output}",
        )


rule write_datasheet:
    input:
        statistics=part_files(STATISTICS),
        documents=cleaned(),
        duplicates=sorted(set(part_files(DUPLICATES))),
        facts=f"results/corpus/{RECIPE['corpus']['name']}/duplicates.json",
        dropped=f"results/{RECIPE['name']}/mix/dropped.tsv",
    output:
        page="results/corpus/{corpus}/datasheet.md",
        content="results/corpus/{corpus}/datasheet.json",
    log:
        "logs/datasheet/{corpus}.log",
    resources:
        **asked("write_datasheet"),
    params:
        spec=as_is(canonical(stages.datasheet(RECIPE))),
        statistics=as_is(expanding(STATISTICS)),
        documents=as_is(expanding(DOCUMENTS)),
        version=stages.VERSION["datasheet"],
    shell:
        script(
            "data",
            "1_corpus/datasheet.py",
            "--statistics {params.statistics} --documents {params.documents}",
            "--duplicates {input.duplicates} --facts {input.facts} --dropped {input.dropped}",
            "--out {output.page}",
        )


rule write_mixture_table:
    input:
        statistics=part_files(STATISTICS),
        documents=cleaned(),
        duplicates=sorted(set(part_files(DUPLICATES))),
        plan="results/{recipe}/mix/plan.json",
        realised="results/{recipe}/tokens/realised.json",
        dropped=f"results/{RECIPE['name']}/mix/dropped.tsv",
    output:
        "results/{recipe}/mix/table.txt",
    log:
        "logs/mixture_table/{recipe}.log",
    wildcard_constraints:
        recipe=MIXED,
    resources:
        **asked("write_mixture_table"),
        recipe_digest=point_digest,
    params:
        spec=mixed(stages.mixture_table),
        statistics=as_is(expanding(STATISTICS)),
        documents=as_is(expanding(DOCUMENTS)),
        version=stages.VERSION["datasheet"],
    shell:
        name_point(
            script(
                "data",
                "2_mix/table.py",
                "--plan {input.plan} --realised {input.realised} --statistics {params.statistics}",
                "--documents {params.documents} --duplicates {input.duplicates}",
                "--dropped {input.dropped} --out {output}",
            )
        )
