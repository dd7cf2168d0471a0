# Continued pretraining. Checkpoints lie in an undeclared folder beside the outputs: Snakemake
# removes declared outputs of an interrupted job, and the same command continues from the rest.


rule continue_pretraining:
    input:
        model=f"resources/models/{RECIPE['base']['name']}/DONE.json",
        index="results/{recipe}/tokens/index.json",
    output:
        done="results/{recipe}/pretrain/DONE.json",
        metrics="results/{recipe}/pretrain/metrics.jsonl",
    log:
        "logs/pretrain/{recipe}.log",
    benchmark:
        "benchmarks/pretrain/{recipe}.tsv"
    retries: 1
    threads: RECIPE["pretrain"].get("threads", 2)
    resources:
        mem_mb=training_memory("pretrain"),
    params:
        spec=as_is(canonical(stages.train(RECIPE, "pretrain"))),
        model=f"resources/models/{RECIPE['base']['name']}/model",
        version=stages.VERSION["pretrain"],
        lock=LOCKS["train"],
    shell:
        threaded(
            "train",
            "4_pretrain/pretrain.py",
            "--model {params.model} --index {input.index} --out {output.done}",
        )
