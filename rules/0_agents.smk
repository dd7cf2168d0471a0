# What agents play with, and what is printed of it.


def player_done(wildcards):
    """DONE.json of a model that plays; nothing for the known solutions."""
    return [] if wildcards.model == "gold" else model_done(wildcards)


def teacher_done(wildcards):
    """DONE.json of the model that gives feedback there; nothing where none does or a server has it."""
    name = stages.teacher(RECIPE, wildcards.environment)
    return model_done(SimpleNamespace(recipe=wildcards.recipe, model=name)) if name else []


def player_threads(wildcards):
    """A model's, also of one that only teaches; known solutions are said by one."""
    computes = wildcards.model != "gold" or stages.teacher(RECIPE, wildcards.environment)
    return plan_resources.threads(VIEW, "evaluate") if computes else 1


def played(wildcards):
    """The recipe's entry that a job plays."""
    return stages.environment(RECIPE, wildcards.environment)


def environment_data(wildcards):
    """Its download; nothing where a package that it needs holds the data."""
    entry = played(wildcards)
    if "data" not in entry or entry["shipped"]:
        return []
    return manifests("environments", {"name": entry["environment"]})


def environment_games(wildcards):
    """Another environment's download, whose games are played too."""
    entry = played(wildcards)
    return manifests("environments", {"name": entry["games"]}) if "games" in entry else []


def with_games(files):
    """The option that names it."""
    return f"--games {shlex.quote(str(files.games))}" if files.games else ""


def environment_locks(environment):
    """The locks of what is built when a script in ``environment`` opens what is played."""
    return lambda wildcards: [locked(name) for name in (environment, *played(wildcards)["needs"])]


def needed_environments(wildcards):
    """The environments that are built before it is played. Names alone: where the checkout lies is no
    reason to play again."""
    return " ".join(played(wildcards)["needs"])


# Shell text that builds what the param `build` names.
BUILD_NEEDED = f'{{{{ [ -z "{{params.build}}" ] || {BUILD} {{params.build}}; }}}} && '


def agent_downloads():
    """What the recipe's agents play with, as far as it does not come with the project."""
    listed = RECIPE.get("agents", {}).get("environments", [])
    names = [entry["environment"] for entry in listed if "data" in entry and not entry["shipped"]]
    names += [entry["games"] for entry in listed if "games" in entry]
    return [
        path for name in dict.fromkeys(names) for path in manifests("environments", {"name": name})
    ]


def replayed():
    """The environment whose records are executed again, and their folder."""
    name = str(config.get("environment", "mint"))
    try:
        known = load.catalogue("environments", PROJECT)
    except UserError as error:
        sys.exit(f"error: {error}")
    if name not in known:
        sys.exit(f"error: environment '{name}'{nearest(name, known)}")
    records = config.get("records")
    return name, recorded_parts(known[name], records), records


def recorded_parts(entry, records):
    """An entry with what the sets need that are played in a folder of records, by their folders."""
    folders = {path.name for path in Path(str(records)).rglob("*") if path.is_dir()}
    chosen = {
        setting: [value for value in values if value in folders]
        for setting, values in entry.get("parts", {}).items()
    }
    return with_parts(entry, chosen)


def replay_data(wildcards):
    """The downloads of the environment whose records are executed again: its own, and its games'."""
    entry = replayed()[1]
    names = [wildcards.environment] if "data" in entry else []
    return [
        path
        for name in (*names, *([entry["games"]] if "games" in entry else []))
        for path in manifests("environments", {"name": name})
    ]


def replay_table(wildcards):
    """What `snakemake replay` prints; refused where no records are named."""
    name, _, records = replayed()
    if records is None:
        sys.exit("error: replay needs recorded episodes: --config records=<folder>")
    return f"results/replay/{name}/replay.txt"


def played_by_default():
    """scores.json of all players, where the recipe names some; of a model that is scored alone those
    in the environments that the command names."""
    asked = "model" not in config or "environments" in config
    return agent_files("scores.json") if asked else []


def agent_files(name):
    """The file ``name`` of every player in every environment; none where the recipe has no agents."""
    part = RECIPE.get("agents", {"environments": [], "models": []})
    return [
        f"results/{RECIPE['name']}/agents/{model}/{item['name']}/{name}"
        for item in part["environments"]
        for model in item.get("models", part["models"])
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
    pages = [path for path in agent_figure_files() if Path(path).name == "live_agents.html"]
    opened = " ".join(f"--opened {shlex.quote(path)}" for path in pages)
    return f"{RUN} figures python {table} --scores {{input.scores:q}} {opened} | tee {{log:q}}"
