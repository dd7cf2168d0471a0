# How training is launched, and what is tried before it.


def launched(stage, path, *arguments):
    """Shell text that trains: as one process, as ranks of one node, or through srun on several."""
    nodes, processes = plan_resources.ranks(VIEW, stage)
    grace = max(plan_resources.grace_seconds(point, stage) for point in VIEWS.values())
    launch = f"-m lemur.launch --nodes {nodes} --processes {processes} --grace {grace}"
    done = f"--out results/{{wildcards.recipe}}/{stage}/DONE.json"
    called = f"-- {shlex.quote(str(SCRIPTS / path))}"
    spec = f"--spec {{params.spec:q}} --recipe-digest {RECIPE_DIGEST} --log {{log}}"
    # Most SLURM_ variables are gone here, so srun is told the layout again.
    srun = f"srun --nodes={nodes} --ntasks={nodes} --cpus-per-task={{resources.cpus_per_task}}"
    start = [srun, "--kill-on-bad-exit=1"] if nodes > 1 else []
    # The shell and tee must outlive a warning that is meant for the training process.
    parts = [
        f"trap '' TERM USR1; {OFFLINE} {KERNELS} OMP_NUM_THREADS={{threads}}",
        *start,
        RUN,
        "train python",
    ]
    return " ".join([*parts, launch, quoted(done), called, quoted(spec, *arguments), LOG])


def tracked():
    """Arguments for the trackers that somebody asked for, here or for the whole site."""
    return " ".join(f"--track {name}" for name in config.get("track", SITE.get("track", [])))


def preflight(stage):
    """What must have been tried before many ranks train or kernels are compiled; else nothing."""
    nodes, processes = plan_resources.ranks(VIEW, stage)
    wanted = nodes * processes > 1 or plan_resources.compiles(VIEW, stage)
    return [f"results/{{recipe}}/{stage}/preflight.json"] if wanted else []


def preflight_model(stage):
    """The base where its kernels are compiled: what later stages start from has the same shape."""
    compiles = plan_resources.compiles(VIEW, stage)
    return lambda wildcards: (
        [f"resources/models/{POINTS[wildcards.recipe]['base']['name']}/DONE.json"]
        if compiles
        else []
    )


def preflight_spec(recipe, stage):
    planned = VIEWS[recipe["name"]]
    compiled = plan_resources.compiles(planned, stage)
    return {
        "stage": stage,
        "device": recipe[stage]["parallel"]["device"],
        "nodes": recipe[stage]["parallel"]["nodes"],
        "processes_per_node": recipe[stage]["parallel"]["processes_per_node"],
        "disk_bytes": plan_resources.disk_needed(planned, stage),
        "clock_seconds": 30,
        "timeout_seconds": 300,
        "training": stages.train(recipe, stage) if compiled else None,
    }
