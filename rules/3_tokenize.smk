# Token files a source and tokenizer, shared by all recipes; packing is an index into them.


rule tokenize:
    input:
        documents="results/corpus/{corpus}/{source}/part-{part}-of-{parts}.parquet",
        tokenizer=lambda wildcards: f"{tokenizer_model(wildcards)}/DONE.json",
    output:
        facts="results/tokens/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.json",
        tokens="results/tokens/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.bin",
        offsets="results/tokens/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.offsets.npy",
    log:
        "logs/tokenize/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.log",
    benchmark:
        "benchmarks/tokenize/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.tsv"
    wildcard_constraints:
        corpus=adopted.passed_over(ADOPTED, "results/tokens") + re.escape(RECIPE["corpus"]["name"]),
    group:
        shard_group
    resources:
        **asked("tokenize"),
    params:
        spec=lambda wildcards: canonical(stages.token_files(wildcards.tokenizer)),
        model=lambda wildcards: f"{tokenizer_model(wildcards)}/model",
        version=stages.VERSION["tokenize"],
        lock=LOCKS["data"],
    shell:
        threaded(
            "data",
            "3_tokenize/tokenize.py",
            "--documents {input.documents} --tokenizer {params.model:q} --out {output.facts}",
        )


rule pack:
    input:
        plan="results/{recipe}/mix/plan.json",
        dropped=f"results/{RECIPE['name']}/mix/dropped.tsv",
        duplicates=sorted(set(part_files(DUPLICATES))),
        documents=cleaned(),
        tokens=lambda wildcards: part_files(TOKENS, recipe=POINTS[wildcards.recipe]),
    output:
        index="results/{recipe}/tokens/index.json",
        realised="results/{recipe}/tokens/realised.json",
        segments="results/{recipe}/tokens/segments.npy",
        sequences="results/{recipe}/tokens/sequences.npy",
    log:
        "logs/pack/{recipe}.log",
    wildcard_constraints:
        recipe=MIXED,
    resources:
        **asked("pack"),
        recipe_digest=point_digest,
    params:
        spec=mixed(stages.pack),
        documents=as_is(expanding(DOCUMENTS)),
        tokens=lambda wildcards: expanding(TOKENS, recipe=POINTS[wildcards.recipe]),
        version=stages.VERSION["pack"],
        lock=LOCKS["data"],
    shell:
        name_point(
            script(
                "data",
                "3_tokenize/pack.py",
                "--plan {input.plan} --dropped {input.dropped} --duplicates {input.duplicates}",
                "--documents {params.documents} --tokens {params.tokens} --out {output.index}",
            )
        )
