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
        every_download(),


rule corpus:
    input:
        documents=unless_scoring_alone(*cleaned()),
        statistics=part_files(STATISTICS),
    log:
        f"logs/corpus/{RECIPE['corpus']['name']}.log",
    params:
        spec=as_is(canonical(stages.datasheet(RECIPE))),
        statistics=as_is(expanding(STATISTICS)),
    shell:
        script("data", "1_corpus/summary.py", "--statistics {params.statistics}")


rule mixture:
    input:
        unless_scoring_alone(f"results/{RECIPE['name']}/tokens/realised.json"),


rule datasheet:
    input:
        unless_scoring_alone(f"results/corpus/{RECIPE['corpus']['name']}/datasheet.md"),


rule mixture_table:
    input:
        unless_scoring_alone(*mixture_tables()),
    log:
        f"logs/mixture_table/{RECIPE['name']}.txt",
    shell:
        "cat {input:q} | tee {log:q}"


rule study:
    input:
        verdict=study_file("verdict.txt"),
        table=study_file("table.md"),
        figure=study_file("study.svg"),
    log:
        f"logs/study/{RECIPE['name']}.txt",
    shell:
        "cat {input.verdict:q} {input.table:q} | tee {log:q}"


# Asked for by name, also while cells are missing: what it reads is what there is when it starts.
rule study_so_far:
    log:
        f"logs/study/{RECIPE['name']}/so_far.log",
    params:
        spec=as_is(canonical(study_cells.analysis_spec(STUDY))),
        scores=as_is(" ".join(there(study_scores()))),
        realised=as_is(" ".join(there(study_mixtures()))),
        out=lambda wildcards: study_report(),
    shell:
        script(
            "evaluate",
            "8_figures/study_analysis.py",
            "--so-far --scores {params.scores} --realised {params.realised} --out {params.out:q}",
        )


rule pretrain:
    input:
        unless_scoring_alone(f"results/{RECIPE['name']}/pretrain/DONE.json"),


rule sft:
    input:
        unless_scoring_alone(f"results/{RECIPE['name']}/sft/DONE.json"),


rule evaluate:
    input:
        scores_of(RECIPE),
    log:
        f"logs/evaluate/{RECIPE['name']}.txt",
    params:
        labels=as_is(canonical(settings.labels(STYLE, RECIPE))),
    shell:
        printing_scores()


rule agents:
    input:
        scores=asked_of_agents("scores.json"),
        pages=agent_files("pages/index.html"),
        figures=agent_figure_files(),
    log:
        f"logs/agents/{RECIPE['name']}.txt",
    shell:
        printing_agents()


rule export:
    input:
        exported(),


rule export_agents:
    input:
        asked_of_agents("episodes.eval"),
        asked_of_agents("trajectories.jsonl"),


rule replay:
    input:
        replay_table,
    log:
        "logs/replay.txt",
    shell:
        "cat {input:q} | tee {log:q}"


rule foundation:
    input:
        FOUNDATION,
        FOUNDATION_OTHERS,


rule figures:
    input:
        unless_scoring_alone(CLAIMS, *paper_figure_files(), *recipe_figure_files(RECIPE)),


rule paper_figures:
    input:
        PAPER_CLAIMS,
        paper_figure_files(),


rule ro_crate:
    input:
        "results/ro-crate-metadata.json",


rule provenance:
    log:
        "logs/provenance.log",
    params:
        of=OF,
    shell:
        explaining()


rule init:
    log:
        "logs/init.log",
    params:
        name=new_project,
    shell:
        making_project()


rule diff:
    log:
        "logs/diff.log",
    params:
        sides=two_sides,
    shell:
        comparing_sides()


rule adopt:
    log:
        "logs/adopt.log",
    params:
        asked=what_to_adopt,
        of=OF,
        stage=config.get("as", ""),
        # Who runs this is asked only where something is adopted: an account may have no name.
        by=lambda wildcards: str(config.get("by") or getpass.getuser()),
    shell:
        adopting()


rule publish:
    input:
        unpack(publish_files),
    log:
        f"logs/publish/{RECIPE['name']}.log",
    params:
        spec=publish_spec,
        arguments=publish_arguments,
    shell:
        publishing()
