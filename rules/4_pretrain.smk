# Continued pretraining. Checkpoints lie in an undeclared folder beside the outputs: Snakemake
# removes declared outputs of an interrupted job, and the same command continues from the rest.


rule continue_pretraining:
    input:
        model=f"resources/models/{RECIPE['base']['name']}/DONE.json",
        index="results/{recipe}/tokens/index.json",
        preflight=preflight("pretrain"),
    output:
        done="results/{recipe}/pretrain/DONE.json",
        metrics="results/{recipe}/pretrain/metrics.jsonl",
    log:
        "logs/pretrain/{recipe}.log",
    benchmark:
        "benchmarks/pretrain/{recipe}.tsv"
    retries: 1
    threads: plan_resources.threads(RECIPE, "pretrain")
    resources:
        **asked("continue_pretraining"),
    params:
        spec=as_is(canonical(stages.train(RECIPE, "pretrain"))),
        model=f"resources/models/{RECIPE['base']['name']}/model",
        version=stages.VERSION["pretrain"],
        lock=LOCKS["train"],
    shell:
        launched(
            "pretrain",
            "4_pretrain/pretrain.py",
            "--model {params.model:q} --index {input.index} --out {output.done}",
            tracked(),
        )


rule preflight_pretrain:
    input:
        preflight_model("pretrain"),
    output:
        "results/{recipe}/pretrain/preflight.json",
    log:
        "logs/preflight/{recipe}/pretrain.log",
    threads: plan_resources.threads(RECIPE, "pretrain")
    resources:
        **asked("preflight_pretrain"),
    params:
        spec=as_is(preflight_spec("pretrain")),
        model=f"--model resources/models/{RECIPE['base']['name']}/model",
        lock=LOCKS["train"],
    shell:
        launched("pretrain", "4_pretrain/preflight.py", "{params.model} --out {output}")
