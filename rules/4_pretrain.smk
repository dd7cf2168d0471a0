# Continued pretraining. Checkpoints lie in an undeclared folder beside the outputs: Snakemake
# removes declared outputs of an interrupted job, and the same command continues from the rest.


rule continue_pretraining:
    input:
        model=MODELS.start_done,
        index=paths.INDEX,
        preflight=SHELL.preflight("pretrain"),
    output:
        done=paths.PRETRAIN_DONE,
        metrics=paths.PRETRAIN_METRICS,
    log:
        "logs/pretrain/{recipe}.log",
    benchmark:
        "benchmarks/pretrain/{recipe}.tsv"
    wildcard_constraints:
        recipe=NOT_ADOPTED + f"(?:{CELLS})",
    retries: 1
    threads: REQUESTS.threads("pretrain")
    resources:
        **asked("continue_pretraining"),
    params:
        **stage("continue_pretraining"),
        model=MODELS.start_model,
    shell:
        launched(
            "continue_pretraining",
            "4_pretrain/pretrain.py",
            "--model {params.model:q} --index {input.index} --out {output.done}",
            SHELL.trackers,
        )


rule preflight_pretrain:
    input:
        functools.partial(SHELL.preflight_model, part="pretrain"),
    output:
        paths.PRETRAIN_PREFLIGHT,
    log:
        "logs/preflight/{recipe}/pretrain.log",
    wildcard_constraints:
        recipe=CELLS,
    threads: REQUESTS.threads("pretrain")
    resources:
        **asked("preflight_pretrain"),
    params:
        **stage("preflight_pretrain"),
        model=lambda wildcards: f"--model {MODELS.base_model(wildcards)}",
    shell:
        launched("preflight_pretrain", "4_pretrain/preflight.py", "{params.model} --out {output}")


rule write_checkpoint_model:
    input:
        paths.PRETRAIN_DONE,
    output:
        paths.CHECKPOINT_MODEL,
    log:
        "logs/checkpoint_model/{recipe}/{step}.log",
    wildcard_constraints:
        recipe=CELLS,
        step=r"\d+",
    resources:
        **asked("write_checkpoint_model"),
    params:
        **stage("write_checkpoint_model"),
    shell:
        script(
            "write_checkpoint_model",
            "4_pretrain/checkpoint_model.py",
            "--trained {input} --out {output}",
        )
