# Files that other tools open (docs/exports.md), all from the same results.


# Prompts are made again, so that neither generations nor verdicts repeat them.
rule benchmark_samples:
    input:
        generations=scored_files("generations.jsonl"),
        verdicts=scored_files("verdicts.jsonl"),
        data=scored_data,
    output:
        SAMPLES,
    log:
        f"logs/export/{RECIPE['name']}/samples.log",
    resources:
        **asked("benchmark_samples"),
    params:
        spec=as_is(samples_spec()),
        version=stages.VERSION["samples"],
        lock=LOCKS["evaluate"],
    shell:
        script(
            "evaluate",
            "6_evaluate/samples.py",
            "--generations {input.generations} --data {input.data} --out {output}",
        )


rule export_scores:
    input:
        scores=scores_of(RECIPE),
        samples=SAMPLES,
    output:
        logs=directory(f"{EXPORT}/inspect"),
        records=directory(f"{EXPORT}/every_eval_ever"),
    log:
        f"logs/export/{RECIPE['name']}/scores.log",
    resources:
        **asked("export_scores"),
    params:
        spec=as_is(export_spec()),
        version=stages.VERSION["export"],
        lock=locked("formats"),
    shell:
        on_demand(
            "formats",
            "9_export/scores.py",
            "--scores {input.scores} --samples {input.samples}",
            "--logs {output.logs} --records {output.records}",
        )


rule croissant:
    input:
        documents=cleaned(),
        statistics=part_files(STATISTICS),
        datasheet="results/corpus/{corpus}/datasheet.json",
    output:
        "results/corpus/{corpus}/croissant.json",
    log:
        "logs/croissant/{corpus}.log",
    resources:
        **asked("croissant"),
    params:
        spec=as_is(canonical(stages.datasheet(RECIPE))),
        documents=as_is(expanding(DOCUMENTS)),
        statistics=as_is(expanding(STATISTICS)),
        version=stages.VERSION["export"],
        lock=locked("formats"),
    shell:
        on_demand(
            "formats",
            "9_export/croissant.py",
            "--documents {params.documents} --statistics {params.statistics}",
            "--datasheet {input.datasheet} --out {output}",
        )


rule export_trackio:
    input:
        pretrain=f"results/{RECIPE['name']}/pretrain/metrics.jsonl",
        sft=f"results/{RECIPE['name']}/sft/metrics.jsonl",
    output:
        directory(f"{EXPORT}/trackio"),
    log:
        f"logs/export/{RECIPE['name']}/trackio.log",
    resources:
        **asked("export_trackio"),
    params:
        spec=as_is(canonical({"recipe": RECIPE["name"]})),
        version=stages.VERSION["export"],
        lock=locked("formats"),
    shell:
        on_demand("formats", "9_export/trackio_board.py", "--metrics {input} --out {output}")
