# Download and clean: what looks at one document rewrites or drops it; duplicates are a drop list.


# With a SLURM profile: compute nodes seldom have a network.
localrules:
    download,


rule download:
    output:
        paths.MANIFEST,
    log:
        "logs/download/{folder}/{name}/part-{part}-of-{parts}.log",
    wildcard_constraints:
        folder="corpora|models|benchmarks|environments",
        name=DOWNLOADS.fetched_names,
    retries: 1
    resources:
        **asked("download"),
    params:
        **stage("download"),
    shell:
        script(
            "download",
            "1_corpus/download.py",
            "--part {wildcards.part} --parts {wildcards.parts} --out {output}",
        )


rule generate_mathematics:
    output:
        paths.CORPUS_MANIFEST,
    log:
        "logs/generate_mathematics/{name}/part-{part}-of-{parts}.log",
    wildcard_constraints:
        name=DOWNLOADS.generated_names,
    resources:
        **asked("generate_mathematics"),
    params:
        **stage("generate_mathematics"),
    shell:
        script("generate_mathematics", "1_corpus/mathematics.py", "--out {output}")


rule prepare_model:
    input:
        DOWNLOADS.base,
    output:
        paths.BASE,
    log:
        "logs/prepare_model/{base}.log",
    resources:
        **asked("prepare_model"),
    params:
        **stage("prepare_model"),
        manifest=lambda wildcards, input: input[0] if input else "none",
    shell:
        script(
            "prepare_model",
            "1_corpus/prepare_model.py",
            "--manifest {params.manifest:q} --out {output}",
        )


rule clean:
    input:
        paths.SOURCE_MANIFEST,
    output:
        documents=paths.DOCUMENTS,
        statistics=paths.STATISTICS,
    log:
        "logs/clean/{corpus}/{source}/part-{part}-of-{parts}.log",
    benchmark:
        "benchmarks/clean/{corpus}/{source}/part-{part}-of-{parts}.tsv"
    group:
        REQUESTS.shard_group
    resources:
        **asked("clean"),
    params:
        **stage("clean"),
    shell:
        script(
            "clean",
            "1_corpus/clean.py",
            "--manifest {input} --part {wildcards.part} --parts {wildcards.parts}",
            "--out {output.documents}",
        )


rule signatures:
    input:
        paths.DOCUMENTS,
    output:
        paths.SIGNATURES,
    log:
        "logs/signatures/{corpus}/{source}/part-{part}-of-{parts}.log",
    benchmark:
        "benchmarks/signatures/{corpus}/{source}/part-{part}-of-{parts}.tsv"
    group:
        REQUESTS.shard_group
    resources:
        **asked("signatures"),
    params:
        **stage("signatures"),
    shell:
        threaded(
            "signatures",
            "1_corpus/signatures.py",
            "--documents {input} --out {output}",
        )


rule duplicates:
    input:
        documents=CORPUS.documents,
        signatures=CORPUS.signatures,
    output:
        lists=CORPUS.duplicates,
        facts=filled(paths.DUPLICATE_FACTS),
    log:
        f"logs/duplicates/{CORPUS_NAME}.log",
    benchmark:
        f"benchmarks/duplicates/{CORPUS_NAME}.tsv"
    resources:
        **asked("duplicates"),
    params:
        **stage("duplicates"),
        folder=lambda wildcards, output: Path(output.facts).parent,
        documents=as_is(CORPUS.words(paths.DOCUMENTS)),
        signatures=as_is(CORPUS.words(paths.SIGNATURES) if CORPUS.signatures else ""),
    shell:
        threaded(
            "duplicates",
            "1_corpus/duplicates.py",
            "--documents {params.documents} --signatures {params.signatures}",
            "--out-dir {params.folder:q}",
        )
