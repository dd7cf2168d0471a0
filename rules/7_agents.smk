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
