# Download and clean: what looks at one document rewrites or drops it; duplicates are a drop list.


# With a SLURM profile: compute nodes seldom have a network.
localrules:
    download,


rule download:
    output:
        "resources/{folder}/{name}/part-{part}-of-{parts}/manifest.json",
    log:
        "logs/download/{folder}/{name}/part-{part}-of-{parts}.log",
    wildcard_constraints:
        folder="corpora|models|benchmarks|environments",
        name=fetched_names(),
    retries: 1
    resources:
        **asked("download"),
    params:
        spec=download_spec,
        version=stages.VERSION["download"],
    shell:
        script(
            "data",
            "1_corpus/download.py",
            "--part {wildcards.part} --parts {wildcards.parts} --out {output}",
        )


rule generate_mathematics:
    output:
        "resources/corpora/{name}/part-{part}-of-{parts}/manifest.json",
    log:
        "logs/generate_mathematics/{name}/part-{part}-of-{parts}.log",
    wildcard_constraints:
        name=generated_names(),
    resources:
        **asked("generate_mathematics"),
    params:
        spec=lambda wildcards: download_spec(wildcards, "corpora"),
        version=stages.VERSION["download"],
        lock=LOCKS["mathematics"],
    shell:
        on_demand("mathematics", "1_corpus/mathematics.py", "--out {output}")


rule prepare_model:
    input:
        base_manifests,
    output:
        "resources/models/{base}/DONE.json",
    log:
        "logs/prepare_model/{base}.log",
    resources:
        **asked("prepare_model"),
    params:
        spec=lambda wildcards: canonical(model_entry(wildcards.base)),
        manifest=lambda wildcards, input: input[0] if input else "none",
        version=stages.VERSION["model"],
        lock=LOCKS["train"],
    shell:
        script(
            "train",
            "1_corpus/prepare_model.py",
            "--manifest {params.manifest:q} --out {output}",
        )


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
    group:
        shard_group
    resources:
        **asked("clean"),
    params:
        spec=lambda wildcards: canonical(stages.clean(RECIPE, wildcards.source)),
        version=stages.VERSION["clean"],
        lock=LOCKS["data"],
    shell:
        script(
            "data",
            "1_corpus/clean.py",
            "--manifest {input} --part {wildcards.part} --parts {wildcards.parts}",
            "--out {output.documents}",
        )


rule signatures:
    input:
        "results/corpus/{corpus}/{source}/part-{part}-of-{parts}.parquet",
    output:
        "results/corpus/{corpus}/{source}/part-{part}-of-{parts}.npy",
    log:
        "logs/signatures/{corpus}/{source}/part-{part}-of-{parts}.log",
    benchmark:
        "benchmarks/signatures/{corpus}/{source}/part-{part}-of-{parts}.tsv"
    group:
        shard_group
    resources:
        **asked("signatures"),
    params:
        spec=as_is(canonical(stages.signatures(RECIPE))),
        version=stages.VERSION["duplicates"],
        lock=LOCKS["data"],
    shell:
        threaded(
            "data",
            "1_corpus/signatures.py",
            "--documents {input} --out {output}",
        )


rule duplicates:
    input:
        documents=cleaned(),
        signatures=signed(),
    output:
        lists=[
            f"results/corpus/{RECIPE['corpus']['name']}/{source['name']}/duplicates.tsv"
            for source in corpus_sources()
        ],
        facts=f"results/corpus/{RECIPE['corpus']['name']}/duplicates.json",
    log:
        f"logs/duplicates/{RECIPE['corpus']['name']}.log",
    benchmark:
        f"benchmarks/duplicates/{RECIPE['corpus']['name']}.tsv"
    resources:
        **asked("duplicates"),
    params:
        spec=as_is(canonical(stages.duplicates(RECIPE))),
        folder=lambda wildcards, output: Path(output.facts).parent,
        documents=as_is(expanding(DOCUMENTS)),
        signatures=as_is(expanding(SIGNATURES) if signed() else ""),
        version=stages.VERSION["duplicates"],
        lock=LOCKS["data"],
    shell:
        threaded(
            "data",
            "1_corpus/duplicates.py",
            "--documents {params.documents} --signatures {params.signatures}",
            "--out-dir {params.folder:q}",
        )
