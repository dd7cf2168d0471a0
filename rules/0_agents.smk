# What agents play with, and what is printed of it.


def player_done(wildcards):
    """DONE.json of a model that plays; nothing for the known solutions."""
    return [] if wildcards.model == "gold" else model_done(wildcards)


def played(wildcards):
    """The recipe's entry that a job plays."""
    return stages.environment(RECIPE, wildcards.environment)


def environment_data(wildcards):
    """Its download; nothing where a package that it needs holds the data."""
    entry = played(wildcards)
    if "data" not in entry:
        return []
    return manifests("environments", {"name": entry["environment"]})


def environment_locks(wildcards):
    """The locks of what is built when an environment is played."""
    return [locked(name) for name in ("evaluate", *played(wildcards)["needs"])]


def building(wildcards):
    """Shell text that builds it."""
    names = played(wildcards)["needs"]
    return f"{BUILD} {' '.join(names)} &&" if names else ""


def replayed():
    """The environment whose records are executed again, and their folder."""
    name = str(config.get("environment", "mint"))
    try:
        known = load.catalogue("environments")
    except UserError as error:
        sys.exit(f"error: {error}")
    if name not in known:
        sys.exit(f"error: environment '{name}'{nearest(name, known)}")
    return name, known[name], config.get("records")


def replay_table(wildcards):
    """What `snakemake replay` prints; refused where no records are named."""
    name, _, records = replayed()
    if records is None:
        sys.exit("error: replay needs recorded episodes: --config records=<folder>")
    return f"results/replay/{name}/replay.txt"


def agent_files(name):
    """The file ``name`` of every player in every environment; none where the recipe has no agents."""
    part = RECIPE.get("agents", {"environments": [], "models": []})
    return [
        f"results/{RECIPE['name']}/agents/{model}/{item['name']}/{name}"
        for item in part["environments"]
        for model in part["models"]
    ]


def asked_of_agents(name):
    """The same, refused where the recipe names no agents: what a target asks for."""

    def files(wildcards):
        if "agents" not in RECIPE:
            sys.exit(
                f"error: recipe '{RECIPE['name']}' names no agents: add the key `agents` "
                "(config/README.md)"
            )
        return agent_files(name)

    return files


def episode_templates():
    """What the pages of episodes are made with."""
    names = ("episode.html.j2", "episodes.html.j2", "tables.html.j2", "report.css")
    return [ROOT / "reports" / "template" / name for name in names]


def printing_agents():
    """Shell text that prints the success rates of all players in all environments, as a table."""
    table = shlex.quote(str(SCRIPTS / "7_agents" / "table.py"))
    # The page is drawn where figures.yaml has the table in a section.
    pages = [shlex.quote(path) for path in agent_figure_files() if path.endswith(".html")]
    opened = " ".join(f"--opened {path}" for path in pages)
    return f"{RUN} figures python {table} --scores {{input.scores:q}} {opened} | tee {{log:q}}"
