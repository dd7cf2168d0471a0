# Supervised fine-tuning: the pretraining loop on conversations, loss on assistant tokens only.


rule conversations:
    input:
        manifests=DOWNLOADS.sft,
        documents=CORPUS.docstring_documents,
        benchmarks=DOWNLOADS.benchmarks,
        dropped=paths.DROPPED if CORPUS.takes_docstrings else [],
    output:
        conversations=paths.CONVERSATIONS,
        counts=paths.CONVERSATION_COUNTS,
    log:
        "logs/conversations/{recipe}.log",
    resources:
        **asked("conversations"),
    params:
        **stage("conversations"),
        documents=as_is(CORPUS.docstring_words),
        dropped=lambda wildcards, input: f"--dropped {input.dropped}" if input.dropped else "",
    shell:
        script(
            "conversations",
            "5_sft/conversations.py",
            "--manifests {input.manifests} --documents {params.documents}",
            "{params.dropped} --benchmarks {input.benchmarks} --out {output.conversations}",
        )


rule heldout_conversations:
    input:
        conversations=paths.CONVERSATIONS,
        manifests=DOWNLOADS.sft,
        documents=CORPUS.docstring_documents,
        benchmarks=DOWNLOADS.benchmarks,
        dropped=paths.DROPPED if CORPUS.takes_docstrings else [],
    output:
        paths.HELDOUT_CONVERSATIONS,
    log:
        "logs/heldout/{recipe}/conversations.log",
    resources:
        **asked("heldout_conversations"),
    params:
        **stage("heldout_conversations"),
        documents=as_is(CORPUS.docstring_words),
        dropped=lambda wildcards, input: f"--dropped {input.dropped}" if input.dropped else "",
    shell:
        script(
            "heldout_conversations",
            "5_sft/heldout_conversations.py",
            "--conversations {input.conversations} --manifests {input.manifests}",
            "--documents {params.documents} {params.dropped} --benchmarks {input.benchmarks}",
            "--out {output}",
        )


rule sft_tokens:
    input:
        conversations=paths.CONVERSATIONS,
        tokenizer=f"{MODELS.tokenizer}/DONE.json",
    output:
        index=paths.SFT_INDEX,
        realised=paths.SFT_REALISED,
    log:
        "logs/sft_tokens/{recipe}.log",
    resources:
        **asked("sft_tokens"),
    params:
        **stage("sft_tokens"),
        model=f"{MODELS.tokenizer}/model",
    shell:
        script(
            "sft_tokens",
            "5_sft/sft_tokens.py",
            "--conversations {input.conversations} --tokenizer {params.model:q} --out {output.index}",
        )


rule supervised_fine_tuning:
    input:
        model=f"{MODELS.sft_start}/DONE.json",
        index=paths.SFT_INDEX,
        preflight=SHELL.preflight("sft"),
    output:
        done=paths.SFT_DONE,
        metrics=paths.SFT_METRICS,
    log:
        "logs/sft/{recipe}.log",
    benchmark:
        "benchmarks/sft/{recipe}.tsv"
    wildcard_constraints:
        recipe=NOT_ADOPTED + re.escape(RUN.name),
    retries: 1
    threads: REQUESTS.threads("sft")
    resources:
        **asked("supervised_fine_tuning"),
    params:
        **stage("supervised_fine_tuning"),
        model=f"{MODELS.sft_start}/model",
    shell:
        launched(
            "supervised_fine_tuning",
            "5_sft/sft.py",
            "--model {params.model:q} --index {input.index} --out {output.done}",
            SHELL.trackers,
        )


rule preflight_sft:
    input:
        functools.partial(SHELL.preflight_model, part="sft"),
    output:
        paths.SFT_PREFLIGHT,
    log:
        "logs/preflight/{recipe}/sft.log",
    threads: REQUESTS.threads("sft")
    resources:
        **asked("preflight_sft"),
    params:
        **stage("preflight_sft"),
        model=f"--model {MODELS.tokenizer}/model",
    shell:
        launched("preflight_sft", "4_pretrain/preflight.py", "{params.model} --out {output}")
