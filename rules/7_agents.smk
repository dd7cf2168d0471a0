# Agents: models play environments, episodes are judged by a rule of its own.


rule play:
    input:
        model=player_done,
        teacher=teacher_done,
        data=environment_data,
        games=environment_games,
    output:
        "results/{recipe}/agents/{model}/{environment}/episodes.jsonl",
    log:
        "logs/play/{recipe}/{model}/{environment}.log",
    benchmark:
        "benchmarks/play/{recipe}/{model}/{environment}.tsv"
    threads: player_threads
    resources:
        **asked("play"),
    params:
        spec=lambda w: canonical(stages.play(RECIPE, w.model, w.environment)),
        model=model_folder,
        teacher=lambda w, input: folder_beside(input.teacher),
        data=lambda w, input: input.data or "none",
        games=lambda w, input: with_games(input),
        build=needed_environments,
        version=stages.VERSION["play"],
        lock=environment_locks(backend_environment()),
    shell:
        BUILD_NEEDED
        + threaded(
            backend_environment(),
            "7_agents/play.py",
            "--model {params.model:q} --teacher {params.teacher:q} --data {params.data:q}",
            "{params.games} --out {output}",
        )


rule judge_episodes:
    input:
        episodes="results/{recipe}/agents/{model}/{environment}/episodes.jsonl",
        data=environment_data,
        games=environment_games,
    output:
        scores="results/{recipe}/agents/{model}/{environment}/scores.json",
        verdicts="results/{recipe}/agents/{model}/{environment}/verdicts.jsonl",
    log:
        "logs/judge_episodes/{recipe}/{model}/{environment}.log",
    resources:
        **asked("judge_episodes"),
    params:
        spec=lambda w: canonical(stages.play(RECIPE, w.model, w.environment)),
        data=lambda w, input: input.data or "none",
        games=lambda w, input: with_games(input),
        build=needed_environments,
        version=stages.VERSION["judge_episodes"],
        lock=environment_locks("evaluate"),
    shell:
        BUILD_NEEDED
        + script(
            "evaluate",
            "7_agents/judge.py",
            "--episodes {input.episodes} --data {params.data:q} {params.games} --out {output.scores}",
        )


rule episode_pages:
    input:
        episodes="results/{recipe}/agents/{model}/{environment}/episodes.jsonl",
        verdicts="results/{recipe}/agents/{model}/{environment}/verdicts.jsonl",
        data=environment_data,
        games=environment_games,
        template=episode_templates(),
    output:
        "results/{recipe}/agents/{model}/{environment}/pages/index.html",
    log:
        "logs/episode_pages/{recipe}/{model}/{environment}.log",
    resources:
        **asked("episode_pages"),
    params:
        spec=lambda w: canonical(stages.play(RECIPE, w.model, w.environment)),
        data=lambda w, input: input.data or "none",
        games=lambda w, input: with_games(input),
        build=needed_environments,
        version=stages.VERSION["episode_pages"],
        lock=environment_locks("evaluate"),
    shell:
        BUILD_NEEDED
        + script(
            "evaluate",
            "7_agents/pages.py",
            "--episodes {input.episodes} --verdicts {input.verdicts} --data {params.data:q}",
            "{params.games} --out {output}",
        )


rule export_episodes:
    input:
        episodes="results/{recipe}/agents/{model}/{environment}/episodes.jsonl",
        verdicts="results/{recipe}/agents/{model}/{environment}/verdicts.jsonl",
        data=environment_data,
        games=environment_games,
    output:
        inspect="results/{recipe}/agents/{model}/{environment}/episodes.eval",
        atif="results/{recipe}/agents/{model}/{environment}/trajectories.jsonl",
    log:
        "logs/export_episodes/{recipe}/{model}/{environment}.log",
    resources:
        **asked("export_episodes"),
    params:
        spec=lambda w: canonical(stages.play(RECIPE, w.model, w.environment)),
        data=lambda w, input: input.data or "none",
        games=lambda w, input: with_games(input),
        build=needed_environments,
        version=stages.VERSION["export_episodes"],
        lock=environment_locks("export"),
    shell:
        BUILD_NEEDED
        + on_demand(
            "export",
            "7_agents/export.py",
            "--episodes {input.episodes} --verdicts {input.verdicts} --data {params.data:q}",
            "{params.games} --out {output.inspect} --trajectories {output.atif}",
        )


rule replay_records:
    input:
        replay_data,
    output:
        made="results/replay/{environment}/replay.json",
        table="results/replay/{environment}/replay.txt",
        differences="results/replay/{environment}/differences.tsv",
    log:
        "logs/replay/{environment}.log",
    threads: plan_resources.threads(VIEW, "evaluate")
    resources:
        **asked("replay_records"),
    params:
        spec=lambda w: canonical(
            {"environment": w.environment, "batch": 4, "limit": config.get("sample")}
        ),
        records=lambda w: str(replayed()[2]),
        data=lambda w, input: list(input)[:1] or "none",
        games=lambda w, input: "".join(f"--games {shlex.quote(str(path))}" for path in input[1:]),
        build=lambda w: " ".join(replayed()[1]["needs"]),
        version=stages.VERSION["replay"],
        lock=lambda w: [locked(name) for name in ("evaluate", *replayed()[1]["needs"])],
    shell:
        BUILD_NEEDED
        + script(
            "evaluate",
            "7_agents/replay.py",
            "--records {params.records:q} --data {params.data:q} {params.games} --out {output.made} --table {output.table} --differences {output.differences}",
        )


# The paper's agent outcomes, counted again from the recorded trajectories and compared with the
# committed table: only with --config from_records=true (mirror or network; 60 MB).


localrules:
    fetch_records,


rule fetch_records:
    output:
        "resources/records/mint/manifest.json",
    log:
        "logs/fetch_records.log",
    retries: 1
    resources:
        **asked("fetch_records"),
    params:
        spec=as_is(records_spec()),
        version=stages.VERSION["download"],
        lock=LOCKS["data"],
    shell:
        script(
            "data",
            "1_corpus/download.py",
            "--part 0 --parts 1 --out {output}",
        )


rule count_records:
    input:
        "resources/records/mint/manifest.json",
    output:
        "results/agents/mint_outcomes.tsv",
    log:
        "logs/count_records.log",
    resources:
        **asked("count_records"),
    params:
        spec=as_is(canonical({"records": str(PAPER / "mint_records.tsv")})),
        version=stages.VERSION["agents"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "7_agents/count.py",
            "--manifest {input} --out {output}",
        )


rule compare_records:
    input:
        recount="results/agents/mint_outcomes.tsv",
        committed=PAPER / "mint_outcomes.tsv.gz",
    output:
        "results/agents/compared.json",
    log:
        "logs/compare_records.log",
    resources:
        **asked("compare_records"),
    params:
        spec=as_is("{}"),
        version=stages.VERSION["agents"],
        lock=LOCKS["figures"],
    shell:
        script(
            "figures",
            "7_agents/compare.py",
            "--recount {input.recount} --committed {input.committed} --out {output}",
        )
