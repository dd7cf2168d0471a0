# Supervised fine-tuning: the pretraining loop on conversations, loss on assistant tokens only.


rule conversations:
    input:
        manifests=sft_manifests,
        documents=docstring_documents,
        benchmarks=benchmark_manifests,
        dropped="results/{recipe}/mix/dropped.tsv" if takes_docstrings() else [],
    output:
        conversations="results/{recipe}/sft/data/conversations.jsonl",
        counts="results/{recipe}/sft/data/sources.json",
    log:
        "logs/conversations/{recipe}.log",
    resources:
        **asked("conversations"),
    params:
        spec=as_is(canonical(stages.conversations(RECIPE))),
        documents=as_is(expanding(DOCUMENTS, ("code",)) if takes_docstrings() else ""),
        dropped=lambda wildcards, input: f"--dropped {input.dropped}" if input.dropped else "",
        version=stages.VERSION["sft"],
        lock=LOCKS["data"],
    shell:
        script(
            "data",
            "5_sft/conversations.py",
            "--manifests {input.manifests} --documents {params.documents}",
            "{params.dropped} --benchmarks {input.benchmarks} --out {output.conversations}",
        )


rule sft_tokens:
    input:
        conversations="results/{recipe}/sft/data/conversations.jsonl",
        tokenizer=f"resources/models/{RECIPE['base']['name']}/DONE.json",
    output:
        index="results/{recipe}/sft/data/index.json",
        realised="results/{recipe}/sft/data/realised.json",
    log:
        "logs/sft_tokens/{recipe}.log",
    resources:
        **asked("sft_tokens"),
    params:
        spec=as_is(canonical(stages.sft_tokens(RECIPE))),
        model=f"resources/models/{RECIPE['base']['name']}/model",
        version=stages.VERSION["sft"],
        lock=LOCKS["data"],
    shell:
        script(
            "data",
            "5_sft/sft_tokens.py",
            "--conversations {input.conversations} --tokenizer {params.model:q} --out {output.index}",
        )


rule supervised_fine_tuning:
    input:
        model=sft_start("DONE.json"),
        index="results/{recipe}/sft/data/index.json",
        preflight=preflight("sft"),
    output:
        done="results/{recipe}/sft/DONE.json",
        metrics="results/{recipe}/sft/metrics.jsonl",
    log:
        "logs/sft/{recipe}.log",
    benchmark:
        "benchmarks/sft/{recipe}.tsv"
    wildcard_constraints:
        recipe=NOT_ADOPTED + re.escape(RECIPE["name"]),
    retries: 1
    threads: plan_resources.threads(VIEW, "sft")
    resources:
        **asked("supervised_fine_tuning"),
    params:
        spec=as_is(canonical(stages.train(RECIPE, "sft"))),
        model=sft_start("model"),
        version=stages.VERSION["sft"],
        lock=LOCKS["train"],
    shell:
        launched(
            "sft",
            "5_sft/sft.py",
            "--model {params.model:q} --index {input.index} --out {output.done}",
            tracked(),
        )


rule preflight_sft:
    input:
        preflight_model("sft"),
    output:
        "results/{recipe}/sft/preflight.json",
    log:
        "logs/preflight/{recipe}/sft.log",
    threads: plan_resources.threads(VIEW, "sft")
    resources:
        **asked("preflight_sft"),
    params:
        spec=as_is(canonical(preflight_spec(RECIPE, "sft"))),
        model=f"--model resources/models/{RECIPE['base']['name']}/model",
        lock=LOCKS["train"],
    shell:
        launched("sft", "4_pretrain/preflight.py", "{params.model} --out {output}")
