# Generation and judging are two rules: a new judge replays what was generated.


# A job that has loaded a model goes on with what this run asks it; its other jobs take over what is ready.
# Models are asked when nothing else is to do: the data of all benchmarks is there then, and each model
# is loaded once. A study's cells are scored as they come.
rule generate:
    input:
        model=MODELS.done,
        data=MODELS.data,
    output:
        paths.GENERATIONS,
    log:
        "logs/generate/{recipe}/{model}/{benchmark}.log",
    benchmark:
        "benchmarks/generate/{recipe}/{model}/{benchmark}.tsv"
    wildcard_constraints:
        recipe=CELLS,
    priority: STUDY.scored_first(-1)
    threads: REQUESTS.threads("evaluate")
    resources:
        **asked("generate"),
    params:
        **stage("generate"),
        model=model_folder,
    shell:
        threaded(
            "generate",
            "6_evaluate/generate.py",
            "--model {params.model:q} --data {input.data}",
            f"--planned {shell_text.PLANNED} --out {{output}}",
        )


rule judge:
    input:
        generations=paths.GENERATIONS,
        data=MODELS.data,
    output:
        scores=report_marks.scores_in_report(paths.SCORES),
        verdicts=paths.VERDICTS,
        prompt=paths.PROMPT,
    log:
        "logs/judge/{recipe}/{model}/{benchmark}.log",
    wildcard_constraints:
        recipe=NOT_ADOPTED + f"(?:{CELLS})",
    priority: STUDY.scored_first(0)
    resources:
        **asked("judge"),
    params:
        **stage("judge"),
        environment=MODELS.judged_in,
    shell:
        script(
            "judge",
            "6_evaluate/judge.py",
            "--generations {input.generations} --data {input.data} --out {output.scores}",
        )
