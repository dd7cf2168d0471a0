# What a study reads and makes.
def study_file(name):
    """One of a study's results; refused where no study is named."""

    def path(wildcards):
        if not STUDY:
            sys.exit("error: target study: goes with --config study=<name of config/studies>")
        return f"results/{RECIPE['name']}/study/{name}"

    return path


def study_files():
    """A study's verdict, table and figure."""
    return [study_file(name)(None) for name in ("verdict.txt", "table.md", "study.svg")]


def study_scores():
    """scores.json of every measure of every cell."""
    return [
        f"results/{cell.recipe}/evaluate/{cell.model}/{benchmark}/scores.json"
        for cell in (STUDY.cells if STUDY else ())
        for benchmark in STUDY.design.measures.values()
    ] + [
        f"results/{cell.recipe}/evaluate/pretrained-step-{step}/{STUDY.design.measures[measure]}/scores.json"
        for cell in (STUDY.cells if STUDY else ())
        for step in cell.steps
        for measure in STUDY.design.checkpoint_measures
    ]


def study_mixtures():
    """What the cells were trained on: epochs of each source."""
    return [
        f"results/{cell.recipe}/tokens/realised.json"
        for cell in (STUDY.cells if STUDY else ())
        if cell.share is not None
    ]


def there(paths):
    """Those of the files that have been made."""
    return [shlex.quote(path) for path in paths if Path(path).exists()]


def study_report():
    """Where what is known of a study so far is kept, to be committed; refused where none is named."""
    if not STUDY:
        sys.exit("error: target study_so_far: goes with --config study=<name of config/studies>")
    return f"reports/study/{RECIPE['name']}/analysis.json"
