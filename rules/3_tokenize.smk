# Token files a source and tokenizer, shared by all recipes; packing is an index into them.


rule tokenize:
    input:
        documents=paths.DOCUMENTS,
        tokenizer=lambda wildcards: f"{tokenizer_model(wildcards)}/DONE.json",
    output:
        facts=paths.TOKENS,
        tokens=paths.TOKEN_NUMBERS,
        offsets=paths.TOKEN_OFFSETS,
    log:
        "logs/tokenize/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.log",
    benchmark:
        "benchmarks/tokenize/{corpus}/{tokenizer}/{source}/part-{part}-of-{parts}.tsv"
    wildcard_constraints:
        corpus=adopted.passed_over(RUN.adopted, paths.TOKENIZED)
        + re.escape(RUN.recipe["corpus"]["name"]),
    group:
        REQUESTS.shard_group
    resources:
        **asked("tokenize"),
    params:
        **stage("tokenize"),
        model=lambda wildcards: f"{tokenizer_model(wildcards)}/model",
    shell:
        threaded(
            "tokenize",
            "3_tokenize/tokenize.py",
            "--documents {input.documents} --tokenizer {params.model:q} --out {output.facts}",
        )


rule pack:
    input:
        plan=paths.PLAN,
        dropped=filled(paths.DROPPED),
        duplicates=CORPUS.sorted_duplicates,
        documents=CORPUS.documents,
        tokens=CORPUS.tokens,
    output:
        index=paths.INDEX,
        realised=paths.REALISED,
        segments=paths.SEGMENTS,
        sequences=paths.SEQUENCES,
    log:
        "logs/pack/{recipe}.log",
    wildcard_constraints:
        recipe=CELLS,
    resources:
        **asked("pack"),
    params:
        **stage("pack"),
        documents=as_is(CORPUS.words(paths.DOCUMENTS)),
        tokens=CORPUS.token_words,
    shell:
        script(
            "pack",
            "3_tokenize/pack.py",
            "--plan {input.plan} --dropped {input.dropped} --duplicates {input.duplicates}",
            "--documents {params.documents} --tokens {params.tokens} --out {output.index}",
        )
