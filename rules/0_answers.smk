# What is recorded of a command, and what the targets that print are asked.


def asked_for():
    """The values of --config, and config.yaml's where none was given."""
    return {key: value for key, value in config.items() if key != "captions"}


def configuration_files():
    """What a recipe is resolved from; a site's words say nothing of it."""
    own = project.configuration(Path(config["recipe"])) if PROJECT else ()
    listed = (path for path in (ROOT / "config").rglob("*.yaml") if path.stem[:4] != "site")
    return [*sorted(listed), *own]


def printing_scores():
    """Shell text that prints the scores of all models on all benchmarks, as a table."""
    table = shlex.quote(str(SCRIPTS / "6_evaluate" / "table.py"))
    call = f"{RUN} figures python {table} --labels {{params.labels:q}} --scores {{input:q}}"
    return f"{call} | tee {{log:q}}"


def explaining():
    """Shell text that prints how a result was made."""
    return f"{RUN} workflow python -m lemur.trace {{params.of:q}} 2> {{log:q}}"


def new_project(wildcards):
    """The folder that `snakemake init` makes; refused where none is named."""
    if "name" not in config:
        sys.exit("error: init needs the folder of the new project: --config name=../mine")
    return str(config["name"])


def making_project():
    """Shell text that makes a project of one's own."""
    return f"{RUN} workflow python -m lemur.config.new_project {{params.name:q}} 2> >(tee {{log:q}} >&2)"


def two_sides(wildcards):
    """What `snakemake diff` compares."""
    missing = [key for key in ("before", "after") if key not in config]
    if missing:
        sys.exit(
            f"error: diff: {' and '.join(missing)} not given: --config before=<recipe> after=<recipe>, "
            "or the folders of two runs"
        )
    return [config["before"], config["after"]]


def comparing_sides():
    """Shell text that prints what differs between two recipes or two runs."""
    return f"{RUN} workflow python -m lemur.diff {{params.sides:q}} 2> {{log:q}}"
