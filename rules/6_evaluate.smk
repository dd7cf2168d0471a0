# Generation and judging are two rules: a new judge replays what was generated.


# A job that has loaded a model goes on with what this run asks it; its other jobs take over what is ready.
rule generate:
    input:
        model=model_done,
        data=benchmark_data,
    output:
        "results/{recipe}/evaluate/{model}/{benchmark}/generations.jsonl",
    log:
        "logs/generate/{recipe}/{model}/{benchmark}.log",
    benchmark:
        "benchmarks/generate/{recipe}/{model}/{benchmark}.tsv"
    wildcard_constraints:
        recipe=MIXED,
    threads: plan_resources.threads(VIEW, "evaluate")
    resources:
        **asked("generate"),
        recipe_digest=point_digest,
    params:
        spec=lambda w: canonical(stages.generate(POINTS[w.recipe], w.model, w.benchmark)),
        model=model_folder,
        version=stages.VERSION["generate"],
        lock=LOCKS[backend_environment()],
    shell:
        name_point(
            threaded(
                backend_environment(),
                "6_evaluate/generate.py",
                "--model {params.model:q} --data {input.data}",
                f"--planned {PLANNED} --out {{output}}",
            )
        )


rule judge:
    input:
        generations="results/{recipe}/evaluate/{model}/{benchmark}/generations.jsonl",
        data=benchmark_data,
    output:
        scores=scores_in_report("results/{recipe}/evaluate/{model}/{benchmark}/scores.json"),
        verdicts="results/{recipe}/evaluate/{model}/{benchmark}/verdicts.jsonl",
        prompt="results/{recipe}/evaluate/{model}/{benchmark}/prompt.txt",
    log:
        "logs/judge/{recipe}/{model}/{benchmark}.log",
    wildcard_constraints:
        recipe=NOT_ADOPTED + f"(?:{MIXED})",
    resources:
        **asked("judge"),
        recipe_digest=point_digest,
    params:
        spec=lambda w: canonical(stages.judge(POINTS[w.recipe], w.model, w.benchmark)),
        version=stages.VERSION["judge"],
        lock=LOCKS["evaluate"],
        environment=judged_in,
    shell:
        name_point(
            script(
                "evaluate",
                "6_evaluate/judge.py",
                "--generations {input.generations} --data {input.data} --out {output.scores}",
            )
        )
