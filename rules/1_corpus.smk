# Download and clean: what looks at one document rewrites or drops it; duplicates are a drop list.


rule download:
    output:
        "resources/{folder}/{name}/part-{part}-of-{parts}/manifest.json",
    log:
        "logs/download/{folder}/{name}/part-{part}-of-{parts}.log",
    params:
        spec=download_spec,
        version=stages.VERSION["download"],
    wildcard_constraints:
        folder="corpora|models|benchmarks",
        name="[^/]+",
    resources:
        mem_mb=1000,
    retries: 1
    shell:
        script("data", "1_corpus/download.py")
        + "--part {wildcards.part} --parts {wildcards.parts} --out {output} "
        + LOG


rule prepare_model:
    input:
        base_manifests,
    output:
        "resources/models/{tokenizer}/DONE.json",
    log:
        "logs/prepare_model/{tokenizer}.log",
    params:
        spec=canonical(RECIPE["base"]),
        manifest=lambda wildcards, input: input[0] if input else "none",
        version=stages.VERSION["model"],
        lock=LOCKS["train"],
    resources:
        mem_mb=4000,
    shell:
        script("train", "1_corpus/prepare_model.py")
        + "--manifest {params.manifest} --out {output} "
        + LOG


rule clean:
    input:
        "resources/corpora/{source}/part-{part}-of-{parts}/manifest.json",
    output:
        documents="results/corpus/{corpus}/{source}/part-{part}-of-{parts}.parquet",
        statistics="results/corpus/{corpus}/{source}/part-{part}-of-{parts}.stats.json",
    log:
        "logs/clean/{corpus}/{source}/part-{part}-of-{parts}.log",
    benchmark:
        "benchmarks/clean/{corpus}/{source}/part-{part}-of-{parts}.tsv"
    params:
        spec=lambda wildcards: canonical(stages.clean(RECIPE, wildcards.source)),
        version=stages.VERSION["clean"],
        lock=LOCKS["data"],
    resources:
        mem_mb=2000,
    shell:
        script("data", "1_corpus/clean.py")
        + "--manifest {input} --part {wildcards.part} --parts {wildcards.parts} "
        + "--out {output.documents} "
        + LOG


rule duplicates:
    input:
        cleaned(),
    output:
        [
            f"results/corpus/{RECIPE['corpus']['name']}/{source['name']}/duplicates.tsv"
            for source in corpus_sources()
        ],
    log:
        f"logs/duplicates/{RECIPE['corpus']['name']}.log",
    params:
        spec=canonical(stages.duplicates(RECIPE)),
        folder=f"results/corpus/{RECIPE['corpus']['name']}",
        documents=expanding(DOCUMENTS),
        version=stages.VERSION["clean"],
        lock=LOCKS["data"],
    resources:
        mem_mb=4000,
    shell:
        script("data", "1_corpus/duplicates.py")
        + "--documents {params.documents} --out-dir {params.folder} "
        + LOG
