# Functions of the figures, the report and Snakemake's own report.
PAPER_FIGURES = (
    "overview.svg",
    "foundation_table.html",
    "foundation_radar.svg",
    "agent_radar.svg",
    "agent_table.html",
    "mint_by_turn.svg",
    "mint_table.html",
)
# Models that are scored without a recipe share its name, and have a table each.
SCORED = [entry["name"] for entry in baselines()] if "model" in config else []
FOUNDATION = str(Path("results", "figures", RECIPE["name"], *SCORED, "foundation.html"))
# Of claims there is the paper's own page, and a recipe's with what its run shows.
CLAIMS = f"results/figures/{RECIPE['name']}/claims.html"
PAPER_CLAIMS = "results/figures/paper/claims.html"
FOUNDATION_OTHERS = [str(Path(FOUNDATION).with_suffix(kind)) for kind in (".md", ".csv", ".tex")]
SECTIONS = {
    name: section["heading"]
    for section in STYLE["report"]["sections"]
    for name in section["figures"]
}
# A figure of the report that is neither the paper's nor the table beside it is one of the recipe.
RECIPE_FIGURES = tuple(
    name
    for name in SECTIONS
    if name
    not in {
        Path(CLAIMS).stem,
        Path(FOUNDATION).stem,
        *(Path(figure).stem for figure in PAPER_FIGURES),
    }
)


def paper_figure_files():
    return [f"results/figures/paper/{name}" for name in PAPER_FIGURES]


def claims_spec(run):
    """What the page of claims needs of recipes and models; a mistake in claims.yaml is one line."""
    recipe = () if run == "paper" else (RECIPE, settings.as_the_paper(STYLE, RECIPE))
    try:
        return canonical(claims.spec(PAPER / "claims.yaml", *recipe))
    except UserError as error:
        sys.exit(f"error: {error}")


def recipe_figure_files(recipe):
    own = [name for name in RECIPE_FIGURES if name not in (*settings.OF_AGENTS, "action_bits")]
    drawn = [f"results/figures/{recipe['name']}/{name}.svg" for name in own]
    return drawn + action_bits_files() + agent_figure_files()


def action_scores():
    """The recipe's scores on the actions of recorded episodes; none where it does not name them."""
    return [x for x in scores_of(RECIPE) if Path(x).parent.name == "bits_per_byte_recorded_actions"]


def action_bits_files():
    """The table of those scores by skill."""
    named = "action_bits" in SECTIONS and action_scores()
    return [f"results/figures/{RECIPE['name']}/action_bits.html"] if named else []


def agent_figure_files():
    """What agents reached: a table that leads to every episode, and figures. None without agents."""
    own = [name for name in settings.OF_AGENTS if name in SECTIONS and "agents" in RECIPE]
    kind = dict.fromkeys(("live_agents", *settings.CAPABILITIES), "html")
    return [f"results/figures/{RECIPE['name']}/{name}.{kind.get(name, 'svg')}" for name in own]


def agent_figure_arguments(wildcards, input):
    """What the figures of agents read beside the scores."""
    if wildcards.figure != "live_agent_radar":
        return ""
    return f"--reported {shlex.quote(str(input.reported))} --outcomes {shlex.quote(str(input.outcomes))}"


def report_figures():
    """Those that the sections of figures.yaml show."""
    drawn = [CLAIMS, *recipe_figure_files(RECIPE), FOUNDATION, *paper_figure_files()]
    return [path for path in drawn if Path(path).stem in SECTIONS]


def mixture_drops():
    """Documents that overlap benchmarks, where a model that is scored was trained on a mixture."""
    trained = {"pretrained", "chat"} & set(RECIPE["evaluate"]["models"])
    return [f"results/{RECIPE['name']}/mix/dropped.tsv"] if trained else []


def figure_output(name):
    return in_report(f"results/figures/{{recipe}}/{name}.svg")


# What the templates of reports/snakemake/ read, which cannot open a file: a figure's text is the
# same in `snakemake --report` as in the page itself.
config["captions"] = {
    path.stem: path.read_text() for path in (ROOT / "reports" / "captions").glob("*.rst")
}


def in_report(path):
    """Mark a figure or a table for `snakemake --report`, under its section of figures.yaml."""
    return report(
        path,
        caption="../reports/snakemake/figure.rst",
        category=lambda wildcards, output: SECTIONS.get(Path(output[0]).stem),
        subcategory=lambda wildcards, output: (
            "Tables" if Path(output[0]).suffix == ".html" else "Figures"
        ),
        labels=lambda wildcards, output: {"figure": Path(output[0]).stem},
    )


def scores_in_report(path):
    """The same for the scores of one model on one benchmark."""
    return report(
        path,
        caption="../reports/snakemake/scores.rst",
        category="Scores",
        subcategory="By benchmark",
        labels={"benchmark": "{benchmark}", "model": "{model}"},
    )


def figure_spec(name):
    """The style of one figure; a recipe's figure also carries what its models are called."""
    return canonical(settings.spec(STYLE, name, RECIPE if name in RECIPE_FIGURES else None))


def paper_arguments(figure, files):
    """What each of the paper's figures reads."""
    reported = f"--reported {shlex.quote(str(files.reported))}"
    outcomes = f"--outcomes {shlex.quote(str(files.outcomes))}"
    return {
        "overview": "",
        "foundation_table": reported,
        "foundation_radar": reported,
        "agent_radar": f"{reported} {outcomes}",
        "agent_table": f"{reported} {outcomes}",
        "mint_by_turn": outcomes,
        "mint_table": outcomes,
    }[Path(figure).stem]


def scores_of_figure(name):
    """The scores that a figure draws, so that another benchmark does not draw it again."""
    everything = scores_of(RECIPE)
    own = [x for x in everything if ("bits_per_byte_" in x) == (name == "bits_per_byte")]
    return own or everything


def heldout_scores():
    """Bits per byte of the recipe's own models: what its training is held against."""
    return [x for x in scores_of(RECIPE) if Path(x).parent.name.startswith("bits_per_byte_")]


def report_spec():
    # Of a site's words the report reads its prices and powers alone.
    stated = {key: SITE[key] for key in ("price", "power") if key in SITE}
    return canonical(settings.report_spec(STYLE, RECIPE, **({"site": stated} if stated else {})))


def other_recipes():
    """Resolved recipes of other runs in this folder: the report shows what differs."""
    mine = f"{RECIPE_DIGEST[:16]}.json"
    return sorted(
        str(path)
        for path in Path("results").glob("*/recipes/*.json")
        if path.name != mine and not path.name.endswith(records.SUFFIX)
    )


def reports_here():
    """This recipe's report, and those of other recipes that were run in this folder."""
    others = Path("results").glob("*/report.html")
    return sorted({REPORT, *(str(path) for path in others if path.with_suffix(".json").is_file())})


def tables_here():
    """Tables that stand in no report: of models scored alone, and of a study's mixtures."""
    scored = Path("results", "figures", "models").glob("*/foundation.html")
    reported = {Path(report).parent for report in reports_here()}
    mixed = (
        path
        for path in Path("results").glob("*/mix/table.txt")
        if path.parent.parent not in reported
    )
    return sorted(map(str, (*scored, *mixed)))


def report_files():
    """Templates and captions: a changed caption rebuilds the report."""
    folders = (ROOT / "reports" / "template", ROOT / "reports" / "captions")
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def compared_records():
    """The comparison with a recount of the trajectories, where the user asked for one."""
    return ["results/agents/compared.json"] if config.get("from_records") else []


def records_spec():
    """The pinned trajectory files of reports/paper/mint_records.tsv as one download."""
    lines = (PAPER / "mint_records.tsv").read_text().splitlines()
    names = lines[0].split("\t")
    rows = [dict(zip(names, line.split("\t"))) for line in lines[1:]]
    files = [
        {"path": row["path"], "sha256": row["sha256"], "size": int(row["bytes"])} for row in rows
    ]
    source = {key: rows[0][key] for key in ("repository", "commit")}
    source["url"] = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
    return canonical(
        {"name": "mint", "from": {**source, "files": files}, "licence": rows[0]["licence"]}
    )
