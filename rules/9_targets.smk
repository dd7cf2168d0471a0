import getpass


# What a user asks for by name: targets that only gather files, and the two that print.
localrules:
    fetch,
    corpus,
    datasheet,
    mixture,
    mixture_table,
    study,
    study_so_far,
    pretrain,
    sft,
    evaluate,
    agents,
    action_ranking,
    export,
    export_agents,
    replay,
    foundation,
    figures,
    paper_figures,
    provenance,
    ro_crate,
    init,
    diff,
    publish,


rule fetch:
    input:
        DOWNLOADS.all,


rule corpus:
    input:
        documents=TARGETS.unless_scoring_alone(*CORPUS.documents),
        statistics=CORPUS.statistics,
    log:
        f"logs/corpus/{CORPUS_NAME}.log",
    params:
        **stage("corpus"),
        statistics=as_is(CORPUS.words(paths.STATISTICS)),
    shell:
        script("corpus", "1_corpus/summary.py", "--statistics {params.statistics}")


rule mixture:
    input:
        TARGETS.unless_scoring_alone(filled(paths.REALISED)),


rule datasheet:
    input:
        TARGETS.unless_scoring_alone(filled(paths.DATASHEET_PAGE)),


rule mixture_table:
    input:
        TARGETS.unless_scoring_alone(*STUDY.tables),
    log:
        f"logs/mixture_table/{NAME}.txt",
    shell:
        "cat {input:q} | tee {log:q}"


rule study:
    input:
        verdict=STUDY.file("verdict.txt"),
        table=STUDY.file("table.md"),
        figure=STUDY.file("study.svg"),
    log:
        f"logs/study/{NAME}.txt",
    shell:
        "cat {input.verdict:q} {input.table:q} | tee {log:q}"


# Asked for by name, also while cells are missing: what it reads is what there is when it starts.
rule study_so_far:
    log:
        f"logs/study/{NAME}/so_far.log",
    params:
        **stage("study_so_far"),
        scores=as_is(study_files.existing(STUDY.scores)),
        realised=as_is(study_files.existing(STUDY.mixtures)),
        out=STUDY.report,
    shell:
        script(
            "study_so_far",
            "8_figures/study_analysis.py",
            "--so-far --scores {params.scores} --realised {params.realised} --out {params.out:q}",
        )


rule pretrain:
    input:
        TARGETS.unless_scoring_alone(filled(paths.PRETRAIN_DONE)),


rule sft:
    input:
        TARGETS.unless_scoring_alone(filled(paths.SFT_DONE)),


rule evaluate:
    input:
        MODELS.files(),
    log:
        f"logs/evaluate/{NAME}.txt",
    params:
        labels=as_is(FIGURES.labels),
    shell:
        targets.printing_scores()


rule agents:
    input:
        scores=AGENTS.wanted,
        pages=AGENTS.files(paths.EPISODE_PAGES),
        figures=FIGURES.agent_files,
    log:
        f"logs/agents/{NAME}.txt",
    shell:
        targets.printing_agents(FIGURES)


rule action_ranking:
    input:
        text=filled(f"{paths.FIGURES}/action_ranking.txt"),
        figure=filled(f"{paths.FIGURES}/action_ranking.svg"),
    log:
        f"logs/action_ranking/{NAME}.txt",
    shell:
        "cat {input.text:q} | tee {log:q}"


rule export:
    input:
        EXPORTS.all,


rule export_agents:
    input:
        AGENTS.wanted_exports,


rule replay:
    input:
        AGENTS.replay_table,
    log:
        "logs/replay.txt",
    shell:
        "cat {input:q} | tee {log:q}"


rule foundation:
    input:
        FIGURES.foundation,
        FIGURES.foundation_others,


rule figures:
    input:
        TARGETS.unless_scoring_alone(FIGURES.claims, *FIGURES.paper, *FIGURES.recipe_files),


rule paper_figures:
    input:
        paths.CLAIMS.format(recipe="paper"),
        FIGURES.paper,


rule ro_crate:
    input:
        paths.CRATE,


rule provenance:
    log:
        "logs/provenance.log",
    params:
        of=RUN.explained,
    shell:
        targets.explaining()


rule init:
    log:
        "logs/init.log",
    params:
        name=TARGETS.new_project,
    shell:
        targets.making_project()


rule diff:
    log:
        "logs/diff.log",
    params:
        sides=TARGETS.two_sides,
    shell:
        targets.comparing_sides()


rule adopt:
    log:
        "logs/adopt.log",
    params:
        asked=TARGETS.what_to_adopt,
        of=RUN.explained,
        stage=config.get("as", ""),
        # Who runs this is asked only where something is adopted: an account may have no name.
        by=lambda wildcards: str(config.get("by") or getpass.getuser()),
    shell:
        targets.adopting()


rule publish:
    input:
        unpack(EXPORTS.publish_files),
    log:
        f"logs/publish/{NAME}.log",
    params:
        spec=EXPORTS.publish_spec,
        arguments=EXPORTS.publish_arguments,
    shell:
        targets.publishing()
