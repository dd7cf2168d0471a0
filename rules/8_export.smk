# Files that other tools open (docs/exports.md), all from the same results.


# Prompts are made again, so that neither generations nor verdicts repeat them.
rule benchmark_samples:
    input:
        generations=MODELS.files(paths.GENERATIONS),
        verdicts=MODELS.files(paths.VERDICTS),
        data=MODELS.all_data,
    output:
        EXPORTS.samples,
    log:
        f"logs/export/{NAME}/samples.log",
    resources:
        **asked("benchmark_samples"),
    params:
        **stage("benchmark_samples"),
    shell:
        script(
            "benchmark_samples",
            "6_evaluate/samples.py",
            "--generations {input.generations} --data {input.data} --out {output}",
        )


rule export_scores:
    input:
        scores=MODELS.files(),
        samples=EXPORTS.samples,
    output:
        logs=directory(f"{EXPORTS.folder}/inspect"),
        records=directory(f"{EXPORTS.folder}/every_eval_ever"),
    log:
        f"logs/export/{NAME}/scores.log",
    resources:
        **asked("export_scores"),
    params:
        **stage("export_scores"),
    shell:
        script(
            "export_scores",
            "9_export/scores.py",
            "--scores {input.scores} --samples {input.samples}",
            "--logs {output.logs} --records {output.records}",
        )


rule croissant:
    input:
        documents=CORPUS.documents,
        statistics=CORPUS.statistics,
        datasheet=paths.DATASHEET,
    output:
        paths.CROISSANT,
    log:
        "logs/croissant/{corpus}.log",
    resources:
        **asked("croissant"),
    params:
        **stage("croissant"),
        documents=as_is(CORPUS.words(paths.DOCUMENTS)),
        statistics=as_is(CORPUS.words(paths.STATISTICS)),
    shell:
        script(
            "croissant",
            "9_export/croissant.py",
            "--documents {params.documents} --statistics {params.statistics}",
            "--datasheet {input.datasheet} --out {output}",
        )


rule export_trackio:
    input:
        pretrain=filled(paths.PRETRAIN_METRICS),
        sft=filled(paths.SFT_METRICS),
    output:
        directory(f"{EXPORTS.folder}/trackio"),
    log:
        f"logs/export/{NAME}/trackio.log",
    resources:
        **asked("export_trackio"),
    params:
        **stage("export_trackio"),
    shell:
        script("export_trackio", "9_export/trackio_board.py", "--metrics {input} --out {output}")
