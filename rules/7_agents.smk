# Agents: models play environments, episodes are judged by a rule of its own.


rule play:
    input:
        model=AGENTS.player,
        teacher=AGENTS.teacher,
        data=AGENTS.data,
        games=AGENTS.games,
    output:
        paths.EPISODES,
    log:
        "logs/play/{recipe}/{model}/{environment}.log",
    benchmark:
        "benchmarks/play/{recipe}/{model}/{environment}.tsv"
    threads: AGENTS.threads
    resources:
        **asked("play"),
    params:
        **stage("play"),
        model=model_folder,
        teacher=agent_files.teacher_folder,
        data=agent_files.data_or_none,
        games=agent_files.with_games,
    shell:
        threaded(
            "play",
            "7_agents/play.py",
            "--model {params.model:q} --teacher {params.teacher:q} --data {params.data:q}",
            "{params.games} --out {output}",
        )


rule judge_episodes:
    input:
        episodes=paths.EPISODES,
        data=AGENTS.data,
        games=AGENTS.games,
    output:
        scores=paths.EPISODE_SCORES,
        verdicts=paths.EPISODE_VERDICTS,
    log:
        "logs/judge_episodes/{recipe}/{model}/{environment}.log",
    resources:
        **asked("judge_episodes"),
    params:
        **stage("judge_episodes"),
        data=agent_files.data_or_none,
        games=agent_files.with_games,
    shell:
        script(
            "judge_episodes",
            "7_agents/judge.py",
            "--episodes {input.episodes} --data {params.data:q} {params.games} --out {output.scores}",
        )


rule episode_pages:
    input:
        episodes=paths.EPISODES,
        verdicts=paths.EPISODE_VERDICTS,
        data=AGENTS.data,
        games=AGENTS.games,
        template=agent_files.episode_templates(),
    output:
        paths.EPISODE_PAGES,
    log:
        "logs/episode_pages/{recipe}/{model}/{environment}.log",
    resources:
        **asked("episode_pages"),
    params:
        **stage("episode_pages"),
        data=agent_files.data_or_none,
        games=agent_files.with_games,
    shell:
        script(
            "episode_pages",
            "7_agents/pages.py",
            "--episodes {input.episodes} --verdicts {input.verdicts} --data {params.data:q}",
            "{params.games} --out {output}",
        )


rule export_episodes:
    input:
        episodes=paths.EPISODES,
        verdicts=paths.EPISODE_VERDICTS,
        data=AGENTS.data,
        games=AGENTS.games,
    output:
        inspect=paths.EPISODE_LOG,
        atif=paths.TRAJECTORIES,
    log:
        "logs/export_episodes/{recipe}/{model}/{environment}.log",
    resources:
        **asked("export_episodes"),
    params:
        **stage("export_episodes"),
        data=agent_files.data_or_none,
        games=agent_files.with_games,
    shell:
        script(
            "export_episodes",
            "7_agents/export.py",
            "--episodes {input.episodes} --verdicts {input.verdicts} --data {params.data:q}",
            "{params.games} --out {output.inspect} --trajectories {output.atif}",
        )


rule replay_records:
    input:
        AGENTS.replay_data,
    output:
        made=f"{paths.REPLAYED}/replay.json",
        table=f"{paths.REPLAYED}/replay.txt",
        differences=f"{paths.REPLAYED}/differences.tsv",
    log:
        "logs/replay/{environment}.log",
    threads: REQUESTS.threads("evaluate")
    resources:
        **asked("replay_records"),
    params:
        **stage("replay_records"),
        records=lambda w: str(AGENTS.replayed[2]),
        data=agent_files.replayed_data,
        games=agent_files.replayed_games,
    shell:
        script(
            "replay_records",
            "7_agents/replay.py",
            "--records {params.records:q} --data {params.data:q} {params.games} --out {output.made} --table {output.table} --differences {output.differences}",
        )


# The paper's agent outcomes, counted again from the recorded trajectories and compared with the
# committed table: only with --config from_records=true (mirror or network; 60 MB).


localrules:
    fetch_records,


rule fetch_records:
    output:
        paths.RECORDS_MANIFEST,
    log:
        "logs/fetch_records.log",
    retries: 1
    resources:
        **asked("fetch_records"),
    params:
        **stage("fetch_records"),
    shell:
        script(
            "fetch_records",
            "1_corpus/download.py",
            "--part 0 --parts 1 --out {output}",
        )


rule count_records:
    input:
        paths.RECORDS_MANIFEST,
    output:
        paths.RECOUNT,
    log:
        "logs/count_records.log",
    resources:
        **asked("count_records"),
    params:
        **stage("count_records"),
    shell:
        script(
            "count_records",
            "7_agents/count.py",
            "--manifest {input} --out {output}",
        )


rule compare_records:
    input:
        recount=paths.RECOUNT,
        committed=PAPER / "mint_outcomes.tsv.gz",
    output:
        paths.COMPARED,
    log:
        "logs/compare_records.log",
    resources:
        **asked("compare_records"),
    params:
        **stage("compare_records"),
    shell:
        script(
            "compare_records",
            "7_agents/compare.py",
            "--recount {input.recount} --committed {input.committed} --out {output}",
        )
