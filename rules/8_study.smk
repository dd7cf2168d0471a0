# A study's results: scores of all its cells to a table, a verdict and a figure.


rule analyse_study:
    input:
        scores=STUDY.scores,
        realised=STUDY.mixtures,
    output:
        analysis=f"{paths.STUDY}/analysis.json",
        cells=f"{paths.STUDY}/cells.csv",
        table=f"{paths.STUDY}/table.md",
        verdict=f"{paths.STUDY}/verdict.txt",
    log:
        "logs/study/{recipe}/analysis.log",
    resources:
        **asked("analyse_study"),
    params:
        **stage("analyse_study"),
    shell:
        script(
            "analyse_study",
            "8_figures/study_analysis.py",
            "--scores {input.scores} --realised {input.realised} --out {output.analysis}",
        )


rule draw_study:
    input:
        f"{paths.STUDY}/analysis.json",
    output:
        f"{paths.STUDY}/study.svg",
    log:
        "logs/study/{recipe}/figure.log",
    resources:
        **asked("draw_study"),
    params:
        **stage("draw_study"),
    shell:
        script("draw_study", "8_figures/study.py", "--analysis {input} --out {output}")
