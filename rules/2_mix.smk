# The mixture: an exact token budget a source, and what must not be trained on.


rule plan_mixture:
    input:
        CORPUS.statistics,
    output:
        paths.PLAN,
    log:
        "logs/plan_mixture/{recipe}.log",
    wildcard_constraints:
        recipe=CELLS,
    resources:
        **asked("plan_mixture"),
    params:
        **stage("plan_mixture"),
        statistics=as_is(CORPUS.words(paths.STATISTICS)),
    shell:
        script(
            "plan_mixture",
            "2_mix/plan.py",
            "--statistics {params.statistics} --out {output}",
        )


rule decontaminate:
    input:
        documents=CORPUS.documents,
        benchmarks=DOWNLOADS.benchmarks,
    output:
        paths.DROPPED,
    log:
        "logs/decontaminate/{recipe}.log",
    benchmark:
        "benchmarks/decontaminate/{recipe}.tsv"
    wildcard_constraints:
        recipe=CELLS,
    resources:
        **asked("decontaminate"),
    params:
        **stage("decontaminate"),
        documents=as_is(CORPUS.words(paths.DOCUMENTS)),
    shell:
        script(
            "decontaminate",
            "2_mix/decontaminate.py",
            "--documents {params.documents} --benchmarks {input.benchmarks} --out {output}",
        )


rule heldout:
    input:
        CORPUS.heldout,
    output:
        paths.HELDOUT,
    log:
        "logs/heldout/{recipe}/{kind}.log",
    resources:
        **asked("heldout"),
    params:
        **stage("heldout"),
        documents=CORPUS.heldout_words,
    shell:
        script(
            "heldout",
            "2_mix/heldout.py",
            "--documents {params.documents} --out {output}",
        )


rule write_datasheet:
    input:
        statistics=CORPUS.statistics,
        documents=CORPUS.documents,
        duplicates=CORPUS.sorted_duplicates,
        facts=filled(paths.DUPLICATE_FACTS),
        dropped=filled(paths.DROPPED),
    output:
        page=paths.DATASHEET_PAGE,
        content=paths.DATASHEET,
    log:
        "logs/datasheet/{corpus}.log",
    resources:
        **asked("write_datasheet"),
    params:
        **stage("write_datasheet"),
        statistics=as_is(CORPUS.words(paths.STATISTICS)),
        documents=as_is(CORPUS.words(paths.DOCUMENTS)),
    shell:
        script(
            "write_datasheet",
            "1_corpus/datasheet.py",
            "--statistics {params.statistics} --documents {params.documents}",
            "--duplicates {input.duplicates} --facts {input.facts} --dropped {input.dropped}",
            "--out {output.page}",
        )


rule write_mixture_table:
    input:
        statistics=CORPUS.statistics,
        documents=CORPUS.documents,
        duplicates=CORPUS.sorted_duplicates,
        plan=paths.PLAN,
        realised=paths.REALISED,
        dropped=filled(paths.DROPPED),
    output:
        paths.MIXTURE_TABLE,
    log:
        "logs/mixture_table/{recipe}.log",
    wildcard_constraints:
        recipe=CELLS,
    resources:
        **asked("write_mixture_table"),
    params:
        **stage("write_mixture_table"),
        statistics=as_is(CORPUS.words(paths.STATISTICS)),
        documents=as_is(CORPUS.words(paths.DOCUMENTS)),
    shell:
        script(
            "write_mixture_table",
            "2_mix/table.py",
            "--plan {input.plan} --realised {input.realised} --statistics {params.statistics}",
            "--documents {params.documents} --duplicates {input.duplicates}",
            "--dropped {input.dropped} --out {output}",
        )
