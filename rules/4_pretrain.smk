# Continued pretraining. Checkpoints lie in an undeclared folder beside the outputs: Snakemake
# removes declared outputs of an interrupted job, and the same command continues from the rest.


rule continue_pretraining:
    input:
        model=lambda wildcards: f"{start_folder(POINTS[wildcards.recipe])}/DONE.json",
        index="results/{recipe}/tokens/index.json",
        preflight=preflight("pretrain"),
    output:
        done="results/{recipe}/pretrain/DONE.json",
        metrics="results/{recipe}/pretrain/metrics.jsonl",
    log:
        "logs/pretrain/{recipe}.log",
    benchmark:
        "benchmarks/pretrain/{recipe}.tsv"
    wildcard_constraints:
        recipe=NOT_ADOPTED + f"(?:{MIXED})",
    retries: 1
    threads: plan_resources.threads(VIEW, "pretrain")
    resources:
        **asked("continue_pretraining"),
        recipe_digest=point_digest,
    params:
        spec=mixed(lambda recipe: stages.train(recipe, "pretrain")),
        model=lambda wildcards: f"{start_folder(POINTS[wildcards.recipe])}/model",
        version=stages.VERSION["pretrain"],
        lock=LOCKS["train"],
    shell:
        name_point(
            launched(
                "pretrain",
                "4_pretrain/pretrain.py",
                "--model {params.model:q} --index {input.index} --out {output.done}",
                tracked(),
            )
        )


rule preflight_pretrain:
    input:
        preflight_model("pretrain"),
    output:
        "results/{recipe}/pretrain/preflight.json",
    log:
        "logs/preflight/{recipe}/pretrain.log",
    wildcard_constraints:
        recipe=MIXED,
    threads: plan_resources.threads(VIEW, "pretrain")
    resources:
        **asked("preflight_pretrain"),
        recipe_digest=point_digest,
    params:
        spec=mixed(lambda recipe: preflight_spec(recipe, "pretrain")),
        model=lambda wildcards: (
            f"--model resources/models/{POINTS[wildcards.recipe]['base']['name']}/model"
        ),
        lock=LOCKS["train"],
    shell:
        name_point(launched("pretrain", "4_pretrain/preflight.py", "{params.model} --out {output}"))


rule write_checkpoint_model:
    input:
        "results/{recipe}/pretrain/DONE.json",
    output:
        "results/{recipe}/pretrain/step-{step}/DONE.json",
    log:
        "logs/checkpoint_model/{recipe}/{step}.log",
    wildcard_constraints:
        recipe=MIXED,
        step=r"\d+",
    resources:
        **asked("write_checkpoint_model"),
        recipe_digest=point_digest,
    params:
        spec=lambda wildcards: canonical({"step": int(wildcards.step)}),
        lock=LOCKS["train"],
    shell:
        name_point(
            script("train", "4_pretrain/checkpoint_model.py", "--trained {input} --out {output}")
        )
