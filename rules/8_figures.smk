# Figures: the paper's from reports/paper/ alone, a recipe's from its results; then the report.


# With a SLURM profile: what takes seconds is drawn where Snakemake runs.
localrules:
    paper_figure,
    claims_table,
    loss,
    mixture_figure,
    scores_figure,
    action_bits_table,
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
        compared=compared_records(),
    output:
        in_report("results/figures/paper/{figure}"),
    log:
        "logs/figures/paper/{figure}.log",
    wildcard_constraints:
        figure="|".join(map(re.escape, PAPER_FIGURES)),
    resources:
        **asked("paper_figure"),
    params:
        spec=lambda wildcards: figure_spec(Path(wildcards.figure).stem),
        name=lambda wildcards: Path(wildcards.figure).stem,
        arguments=lambda wildcards, input: paper_arguments(wildcards.figure, input),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/{params.name}.py",
            "{params.arguments} --out {output}",
        )


rule claims_table:
    input:
        claims=PAPER / "claims.yaml",
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
        scores=lambda wildcards: [] if wildcards.run == "paper" else scores_of(RECIPE),
    output:
        page=in_report("results/figures/{run}/claims.html"),
        others=multiext("results/figures/{run}/claims", ".md", ".csv", ".tex", ".json"),
    log:
        "logs/figures/{run}/claims.log",
    wildcard_constraints:
        run="|".join(["paper", re.escape(RECIPE["name"])]),
    resources:
        **asked("claims_table"),
    params:
        spec=lambda wildcards: claims_spec(wildcards.run),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/claims.py",
            "--claims {input.claims} --reported {input.reported} --outcomes {input.outcomes}",
            "--scores {input.scores} --out {output.page}",
        )


rule loss:
    input:
        pretrain="results/{recipe}/pretrain/metrics.jsonl",
        sft="results/{recipe}/sft/metrics.jsonl",
        scores=heldout_scores(),
    output:
        figure_output("loss"),
    log:
        "logs/figures/{recipe}/loss.log",
    resources:
        **asked("loss"),
    params:
        spec=as_is(figure_spec("loss")),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/loss.py",
            "--pretrain {input.pretrain} --sft {input.sft} --scores {input.scores} --out {output}",
        )


rule mixture_figure:
    input:
        plan="results/{recipe}/mix/plan.json",
        realised="results/{recipe}/tokens/realised.json",
    output:
        figure_output("mixture"),
    log:
        "logs/figures/{recipe}/mixture.log",
    resources:
        **asked("mixture_figure"),
    params:
        spec=as_is(figure_spec("mixture")),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/mixture.py",
            "--plan {input.plan} --realised {input.realised} --out {output}",
        )


rule scores_figure:
    input:
        lambda wildcards: scores_of_figure(wildcards.figure),
    output:
        figure_output("{figure}"),
    log:
        "logs/figures/{recipe}/{figure}.log",
    wildcard_constraints:
        figure="bits_per_byte|scores",
    resources:
        **asked("scores_figure"),
    params:
        spec=lambda wildcards: figure_spec(wildcards.figure),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/{wildcards.figure}.py",
            "--scores {input} --out {output}",
        )


rule action_bits_table:
    input:
        scores=action_scores(),
        verdicts=[str(Path(path).with_name("verdicts.jsonl")) for path in action_scores()],
    output:
        page=in_report("results/figures/{recipe}/action_bits.html"),
        others=[f"results/figures/{{recipe}}/action_bits.{kind}" for kind in ("md", "csv", "tex")],
    log:
        "logs/figures/{recipe}/action_bits.log",
    resources:
        **asked("action_bits_table"),
    params:
        spec=lambda wildcards: figure_spec("action_bits"),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/action_bits.py",
            "--scores {input.scores} --out {output.page}",
        )


rule foundation_table:
    input:
        scores=scores_of(RECIPE),
        reported=PAPER / "reported.csv",
        dropped=mixture_drops(),
    output:
        page=in_report(FOUNDATION),
        others=FOUNDATION_OTHERS,
    log:
        f"logs/figures/{RECIPE['name']}/foundation.log",
    resources:
        **asked("foundation_table"),
    params:
        spec=as_is(
            canonical(settings.foundation(STYLE, RECIPE, load.catalogue("benchmarks", PROJECT)))
        ),
        dropped=lambda wildcards, input: f"--dropped {input.dropped}" if input.dropped else "",
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/foundation.py",
            "--scores {input.scores} --reported {input.reported} {params.dropped}",
            "--out {output.page}",
        )


rule agents_table:
    input:
        scores=agent_files("scores.json"),
        verdicts=agent_files("verdicts.jsonl"),
        episodes=agent_files("episodes.jsonl"),
        pages=agent_files("pages/index.html"),
    output:
        page=in_report("results/figures/{recipe}/live_agents.html"),
        others=[f"results/figures/{{recipe}}/live_agents.{kind}" for kind in ("md", "csv", "tex")],
    log:
        "logs/figures/{recipe}/live_agents.log",
    resources:
        **asked("agents_table"),
    params:
        spec=lambda wildcards: figure_spec("live_agents"),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/live_agents.py",
            "--scores {input.scores} --out {output.page}",
        )


rule agents_figure:
    input:
        scores=agent_files("scores.json"),
        verdicts=agent_files("verdicts.jsonl"),
        episodes=agent_files("episodes.jsonl"),
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
    output:
        figure_output("{figure}"),
    log:
        "logs/figures/{recipe}/{figure}.log",
    wildcard_constraints:
        figure="live_agents_by_turn|live_agent_radar",
    resources:
        **asked("agents_figure"),
    params:
        spec=lambda wildcards: figure_spec(wildcards.figure),
        arguments=agent_figure_arguments,
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/{wildcards.figure}.py",
            "--scores {input.scores} {params.arguments} --out {output}",
        )


rule capability_table:
    input:
        scores=agent_files("scores.json"),
        verdicts=agent_files("verdicts.jsonl"),
        episodes=agent_files("episodes.jsonl"),
        reported=PAPER / "reported.csv",
        outcomes=PAPER / "mint_outcomes.tsv.gz",
    output:
        page=in_report("results/figures/{recipe}/{figure}.html"),
        others=[f"results/figures/{{recipe}}/{{figure}}.{kind}" for kind in ("md", "csv", "tex")],
    log:
        "logs/figures/{recipe}/{figure}.log",
    wildcard_constraints:
        figure="|".join(settings.CAPABILITIES),
    resources:
        **asked("capability_table"),
    params:
        spec=lambda wildcards: figure_spec(wildcards.figure),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/capability_table.py",
            "--table {wildcards.figure} --scores {input.scores} --reported {input.reported}",
            "--outcomes {input.outcomes} --out {output.page}",
        )


rule model_card:
    input:
        model=model_done,
        scores=scores_of_model,
    output:
        card="results/{recipe}/card/{model}/README.md",
        results="results/{recipe}/card/{model}/.eval_results/lemur.yaml",
    log:
        "logs/card/{recipe}/{model}.log",
    wildcard_constraints:
        model="|".join(TRAINED),
    resources:
        **asked("model_card"),
    params:
        spec=card_spec,
        model=model_folder,
        version=stages.VERSION["card"],
        lock=LOCKS["evaluate"],
    shell:
        script(
            "evaluate",
            "8_figures/model_card.py",
            "--model {params.model:q} --scores {input.scores} --out {output.card}",
            "--results {output.results}",
        )


rule report:
    input:
        figures=report_figures(),
        scores=scores_of(RECIPE),
        metrics=[
            f"results/{RECIPE['name']}/pretrain/metrics.jsonl",
            f"results/{RECIPE['name']}/sft/metrics.jsonl",
        ],
        plan=f"results/{RECIPE['name']}/mix/plan.json",
        realised=f"results/{RECIPE['name']}/tokens/realised.json",
        statistics=part_files(STATISTICS),
        datasheet=f"results/corpus/{RECIPE['corpus']['name']}/datasheet.json",
        cards=model_cards(),
        template=report_files(),
    output:
        page=report(
            REPORT,
            caption="../reports/snakemake/page.rst",
            category="Report",
            labels={"recipe": RECIPE["name"]},
        ),
        summary=REPORT_SUMMARY,
    log:
        f"logs/report/{RECIPE['name']}.log",
    resources:
        **asked("report"),
    params:
        spec=as_is(report_spec()),
        recipes=other_recipes(),
        statistics=as_is(expanding(STATISTICS)),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/report.py",
            "--figures {input.figures} --scores {input.scores} --metrics {input.metrics}",
            "--plan {input.plan} --realised {input.realised} --statistics {params.statistics}",
            "--datasheet {input.datasheet} --recipes {params.recipes:q} --cards {input.cards}",
            "--out {output.page}",
        )


rule index:
    input:
        page=REPORT,
        summary=REPORT_SUMMARY,
    output:
        "results/index.html",
    log:
        "logs/index.log",
    resources:
        **asked("index"),
    params:
        spec=as_is("{}"),
        reports=reports_here(),
        tables=tables_here(),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/index.py",
            "--reports {params.reports:q} --tables {params.tables:q} --out {output}",
        )


rule write_ro_crate:
    input:
        REPORT,
    output:
        "results/ro-crate-metadata.json",
    log:
        f"logs/ro_crate/{RECIPE['name']}.log",
    resources:
        **asked("write_ro_crate"),
    params:
        spec=as_is(canonical({"name": RECIPE["name"], "description": RECIPE["description"]})),
        version=stages.VERSION["figures"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "8_figures/ro_crate.py",
            "--of {input} --out {output}",
        )
