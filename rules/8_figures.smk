# Figures: the paper's from reports/paper/ alone, a recipe's from its results; then the report.


# With a SLURM profile: what takes seconds is drawn where Snakemake runs.
localrules:
    paper_figure,
    claims_table,
    loss,
    mixture_figure,
    scores_figure,
    action_bits_table,
    draw_action_ranking,
    foundation_table,
    agents_table,
    agents_figure,
    capability_table,
    model_card,
    report,
    index,


rule paper_figure:
    input:
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
        compared=FIGURES.compared_records,
    output:
        in_report(f"{paths.PAPER_FIGURES}/{{figure}}"),
    log:
        "logs/figures/paper/{figure}.log",
    wildcard_constraints:
        figure="|".join(map(re.escape, figure_files.PAPER_FIGURES)),
    resources:
        **asked("paper_figure"),
    params:
        **stage("paper_figure"),
        name=lambda wildcards: Path(wildcards.figure).stem,
        arguments=figure_files.paper_arguments,
    shell:
        script(
            "paper_figure",
            "8_figures/{params.name}.py",
            "{params.arguments} --out {output}",
        )


rule claims_table:
    input:
        claims=PAPER / "claims.yaml",
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
        scores=FIGURES.claims_scores,
    output:
        page=in_report(paths.CLAIMS.replace("{recipe}", "{run}")),
        others=multiext(
            paths.CLAIMS.replace("{recipe}", "{run}").removesuffix(".html"),
            ".md",
            ".csv",
            ".tex",
            ".json",
        ),
    log:
        "logs/figures/{run}/claims.log",
    wildcard_constraints:
        run=FIGURES.runs_of_claims,
    resources:
        **asked("claims_table"),
    params:
        **stage("claims_table"),
    shell:
        script(
            "claims_table",
            "8_figures/claims.py",
            "--claims {input.claims} --reported {input.reported} --outcomes {input.outcomes}",
            "--scores {input.scores} --out {output.page}",
        )


rule loss:
    input:
        pretrain=paths.PRETRAIN_METRICS,
        sft=paths.SFT_METRICS,
        scores=FIGURES.heldout_scores,
    output:
        in_report(f"{paths.FIGURES}/loss.svg"),
    log:
        "logs/figures/{recipe}/loss.log",
    resources:
        **asked("loss"),
    params:
        **stage("loss"),
    shell:
        script(
            "loss",
            "8_figures/loss.py",
            "--pretrain {input.pretrain} --sft {input.sft} --scores {input.scores} --out {output}",
        )


rule mixture_figure:
    input:
        plan=paths.PLAN,
        realised=paths.REALISED,
    output:
        in_report(f"{paths.FIGURES}/mixture.svg"),
    log:
        "logs/figures/{recipe}/mixture.log",
    resources:
        **asked("mixture_figure"),
    params:
        **stage("mixture_figure"),
    shell:
        script(
            "mixture_figure",
            "8_figures/mixture.py",
            "--plan {input.plan} --realised {input.realised} --out {output}",
        )


rule scores_figure:
    input:
        FIGURES.scores_of_figure,
    output:
        in_report(f"{paths.FIGURES}/{{figure}}.svg"),
    log:
        "logs/figures/{recipe}/{figure}.log",
    wildcard_constraints:
        figure="bits_per_byte|scores",
    resources:
        **asked("scores_figure"),
    params:
        **stage("scores_figure"),
    shell:
        script(
            "scores_figure",
            "8_figures/{wildcards.figure}.py",
            "--scores {input} --out {output}",
        )


rule action_bits_table:
    input:
        scores=FIGURES.action_scores,
        verdicts=[str(Path(path).with_name("verdicts.jsonl")) for path in FIGURES.action_scores],
    output:
        page=in_report(f"{paths.FIGURES}/action_bits.html"),
        others=figure_files.others(f"{paths.FIGURES}/action_bits"),
    log:
        "logs/figures/{recipe}/action_bits.log",
    resources:
        **asked("action_bits_table"),
    params:
        **stage("action_bits_table"),
    shell:
        script(
            "action_bits_table",
            "8_figures/action_bits.py",
            "--scores {input.scores} --out {output.page}",
        )


rule draw_action_ranking:
    input:
        scores=FIGURES.ranking_scores,
        verdicts=[str(Path(path).with_name("verdicts.jsonl")) for path in FIGURES.action_scores],
        played=AGENTS.files(),
        played_verdicts=AGENTS.files(paths.EPISODE_VERDICTS),
        episodes=AGENTS.files(paths.EPISODES),
        outcomes=PAPER / "mint_outcomes.tsv.gz",
    output:
        figure=f"{paths.FIGURES}/action_ranking.svg",
        others=multiext(f"{paths.FIGURES}/action_ranking", ".csv", ".txt"),
    log:
        "logs/figures/{recipe}/action_ranking.log",
    resources:
        **asked("draw_action_ranking"),
    params:
        **stage("draw_action_ranking"),
    shell:
        script(
            "draw_action_ranking",
            "8_figures/action_ranking.py",
            "--scores {input.scores} --played {input.played} --outcomes {input.outcomes}",
            "--out {output.figure}",
        )


rule foundation_table:
    input:
        scores=MODELS.files(),
        reported=PAPER / "reported.csv",
        dropped=FIGURES.mixture_drops,
    output:
        page=in_report(FIGURES.foundation),
        others=FIGURES.foundation_others,
    log:
        f"logs/figures/{NAME}/foundation.log",
    resources:
        **asked("foundation_table"),
    params:
        **stage("foundation_table"),
        dropped=lambda wildcards, input: f"--dropped {input.dropped}" if input.dropped else "",
    shell:
        script(
            "foundation_table",
            "8_figures/foundation.py",
            "--scores {input.scores} --reported {input.reported} {params.dropped}",
            "--out {output.page}",
        )


rule agents_table:
    input:
        scores=AGENTS.files(),
        verdicts=AGENTS.files(paths.EPISODE_VERDICTS),
        episodes=AGENTS.files(paths.EPISODES),
        pages=AGENTS.files(paths.EPISODE_PAGES),
    output:
        page=in_report(f"{paths.FIGURES}/live_agents.html"),
        others=figure_files.others(f"{paths.FIGURES}/live_agents"),
    log:
        "logs/figures/{recipe}/live_agents.log",
    resources:
        **asked("agents_table"),
    params:
        **stage("agents_table"),
    shell:
        script(
            "agents_table",
            "8_figures/live_agents.py",
            "--scores {input.scores} --out {output.page}",
        )


rule agents_figure:
    input:
        scores=AGENTS.files(),
        verdicts=AGENTS.files(paths.EPISODE_VERDICTS),
        episodes=AGENTS.files(paths.EPISODES),
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
    output:
        in_report(f"{paths.FIGURES}/{{figure}}.svg"),
    log:
        "logs/figures/{recipe}/{figure}.log",
    wildcard_constraints:
        figure="live_agents_by_turn|live_agent_radar",
    resources:
        **asked("agents_figure"),
    params:
        **stage("agents_figure"),
        arguments=figure_files.agent_arguments,
    shell:
        script(
            "agents_figure",
            "8_figures/{wildcards.figure}.py",
            "--scores {input.scores} {params.arguments} --out {output}",
        )


rule capability_table:
    input:
        scores=AGENTS.files(),
        verdicts=AGENTS.files(paths.EPISODE_VERDICTS),
        episodes=AGENTS.files(paths.EPISODES),
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
    output:
        page=in_report(f"{paths.FIGURES}/{{figure}}.html"),
        others=figure_files.others(f"{paths.FIGURES}/{{figure}}"),
    log:
        "logs/figures/{recipe}/{figure}.log",
    wildcard_constraints:
        figure="|".join(figure_files.CAPABILITIES),
    resources:
        **asked("capability_table"),
    params:
        **stage("capability_table"),
    shell:
        script(
            "capability_table",
            "8_figures/capability_table.py",
            "--table {wildcards.figure} --scores {input.scores} --reported {input.reported}",
            "--outcomes {input.outcomes} --out {output.page}",
        )


rule model_card:
    input:
        model=MODELS.done,
        scores=MODELS.scores_of_model,
    output:
        card=paths.CARD,
        results=paths.CARD_RESULTS,
    log:
        "logs/card/{recipe}/{model}.log",
    wildcard_constraints:
        model="|".join(MODELS.TRAINED),
    resources:
        **asked("model_card"),
    params:
        **stage("model_card"),
        model=model_folder,
    shell:
        script(
            "model_card",
            "8_figures/model_card.py",
            "--model {params.model:q} --scores {input.scores} --out {output.card}",
            "--results {output.results}",
        )


rule report:
    input:
        figures=FIGURES.in_report,
        scores=MODELS.files(),
        metrics=[
            filled(paths.PRETRAIN_METRICS),
            filled(paths.SFT_METRICS),
        ],
        plan=filled(paths.PLAN),
        realised=filled(paths.REALISED),
        statistics=CORPUS.statistics,
        datasheet=filled(paths.DATASHEET),
        cards=MODELS.cards,
        template=figure_files.report_templates(),
    output:
        page=report_marks.page_in_report(FIGURES),
        summary=FIGURES.report_summary,
    log:
        f"logs/report/{NAME}.log",
    resources:
        **asked("report"),
    params:
        **stage("report"),
        recipes=FIGURES.other_recipes,
        statistics=as_is(CORPUS.words(paths.STATISTICS)),
    shell:
        script(
            "report",
            "8_figures/report.py",
            "--figures {input.figures} --scores {input.scores} --metrics {input.metrics}",
            "--plan {input.plan} --realised {input.realised} --statistics {params.statistics}",
            "--datasheet {input.datasheet} --recipes {params.recipes:q} --cards {input.cards}",
            "--out {output.page}",
        )


rule index:
    input:
        page=FIGURES.report,
        summary=FIGURES.report_summary,
    output:
        paths.INDEX_PAGE,
    log:
        "logs/index.log",
    resources:
        **asked("index"),
    params:
        **stage("index"),
        reports=FIGURES.reports_here,
        tables=FIGURES.tables_here,
    shell:
        script(
            "index",
            "8_figures/index.py",
            "--reports {params.reports:q} --tables {params.tables:q} --out {output}",
        )


rule write_ro_crate:
    input:
        FIGURES.report,
    output:
        paths.CRATE,
    log:
        f"logs/ro_crate/{NAME}.log",
    resources:
        **asked("write_ro_crate"),
    params:
        **stage("write_ro_crate"),
    shell:
        script(
            "write_ro_crate",
            "8_figures/ro_crate.py",
            "--of {input} --out {output}",
        )
