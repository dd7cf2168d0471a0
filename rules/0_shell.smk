# What runs: environments and their locks, and the shell text that starts a script.


@functools.cache
def locked(environment):
    """What rules depend on of the lock that an environment is built from (lemur.dag.locks)."""
    return locks.fingerprint(locks.path_of(ROOT, environment), bool(config.get("strict_locks")))


# Environments whose locks hold packages that no number depends on.
NUMBERED = sorted(path.parent.name for path in (ROOT / "envs").glob("*/numbers.in"))
LOCKS = {name: locked(name) for name in ("data", "train", "evaluate", "figures", "mathematics")}


def drifted_locks():
    """Lines on locks that changed since this folder's results were made and leave them as they are."""
    if config.get("strict_locks"):
        return []
    lines = [locks.drift(locks.path_of(ROOT, name), Path("results")) for name in NUMBERED]
    return [line for line in lines if line]


if workflow.is_main_process and not ANSWERS:
    for line in drifted_locks():
        print(line, file=sys.stderr, flush=True)


# Kernels that are compiled when first called: once, by the preflight, wherever a home may be read-only.
KERNELS = " ".join(
    f"{name}=$PWD/.kernels/{LOCKS['train'][:12]}/{folder}"
    for name, folder in (
        ("TORCHINDUCTOR_CACHE_DIR", "inductor"),
        ("TRITON_CACHE_DIR", "triton"),
        ("TORCH_EXTENSIONS_DIR", "extensions"),
    )
)


# What Snakemake fills in for a job's files and wildcards, each of which may be a path.
FILES = re.compile(r"\{((?:input|output|log|wildcards)[^{}:]*)\}")


def quoted(*arguments):
    """Arguments as shell text in which every file's name is one word, whatever it holds."""
    return FILES.sub(r"{\1:q}", " ".join(arguments))


def script(environment, path, *arguments):
    """Shell text that runs a script in an environment with its slice of the recipe."""
    spec = f"--spec {{params.spec:q}} --recipe-digest {RECIPE_DIGEST} --log {{log}}"
    # Only what downloads may ask a hub: libraries otherwise try it first, also for local folders.
    offline = [] if Path(path).name == "download.py" else [OFFLINE]
    call = [RUN, environment, "python", shlex.quote(str(SCRIPTS / path))]
    # Where an answer is printed, nothing else is: libraries write there too.
    output = ["1>&2"] if ANSWERS else []
    return " ".join([*offline, *call, quoted(spec, *arguments), *output, LOG])


def threaded(environment, path, *arguments):
    """The same, for work whose thread pools must keep to the rule's threads."""
    pools = "OMP_NUM_THREADS={threads} RAYON_NUM_THREADS={threads}"
    return f"{pools} {script(environment, path, *arguments)}"


def on_demand(environment, path, *arguments):
    """The same in an environment that few recipes need, built when one does."""
    return f"{BUILD} {environment} && {script(environment, path, *arguments)}"


def mixed(stage):
    """The stage's slice of the recipe, or of the cell of a study, that a job is of."""
    return lambda wildcards: canonical(stage(POINTS[wildcards.recipe]))


def name_point(text):
    """Shell text of ``script`` whose record names the recipe of that cell.

    The digest is a resource, since a changed param would run the job again.
    """
    return text.replace(RECIPE_DIGEST, "{resources.recipe_digest}")


def point_digest(wildcards):
    return digest(POINTS[wildcards.recipe])
