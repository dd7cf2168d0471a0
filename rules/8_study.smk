# A study's results: scores of all its cells to a table, a verdict and a figure.


rule analyse_study:
    input:
        scores=study_scores(),
        realised=study_mixtures(),
    output:
        analysis="results/{recipe}/study/analysis.json",
        cells="results/{recipe}/study/cells.csv",
        table="results/{recipe}/study/table.md",
        verdict="results/{recipe}/study/verdict.txt",
    log:
        "logs/study/{recipe}/analysis.log",
    resources:
        **asked("analyse_study"),
    params:
        spec=as_is(canonical(study_cells.analysis_spec(STUDY))),
        version=stages.VERSION["study"],
        lock=LOCKS["evaluate"],
    shell:
        script(
            "evaluate",
            "8_figures/study_analysis.py",
            "--scores {input.scores} --realised {input.realised} --out {output.analysis}",
        )


rule draw_study:
    input:
        "results/{recipe}/study/analysis.json",
    output:
        "results/{recipe}/study/study.svg",
    log:
        "logs/study/{recipe}/figure.log",
    resources:
        **asked("draw_study"),
    params:
        spec=as_is(canonical(settings.spec(STYLE, "study", None))),
        version=stages.VERSION["study"],
        lock=LOCKS["figures"],
    shell:
        script("figures", "8_figures/study.py", "--analysis {input} --out {output}")
