"""Figures, tables and the report: which there are, and what each is made of."""

import re
import shlex
from pathlib import Path
from typing import Any

from lemur.config import claims, paths
from lemur.config.values import Values
from lemur.core.files import canonical
from lemur.core.provenance import ROOT
from lemur.dag.agent_files import AgentFiles
from lemur.dag.run import Run, one_line, refuse
from lemur.dag.scored_models import ScoredModels
from lemur.figures import settings
from lemur.trace import records

PAPER = ROOT / "reports" / "paper"
PAPER_FIGURES = (
    "overview.svg",
    "foundation_table.html",
    "foundation_radar.svg",
    "agent_radar.svg",
    "agent_table.html",
    "mint_by_turn.svg",
    "mint_table.html",
)
# Tables of what agents reached, by what they show of it.
CAPABILITIES = settings.CAPABILITIES
OTHER_KINDS = (".md", ".csv", ".tex")


def captions() -> dict[str, str]:
    """What the templates of reports/snakemake/ read, which cannot open a file: a figure's text is the
    same in `snakemake --report` as in the page itself."""
    folder = ROOT / "reports" / "captions"
    return {path.stem: path.read_text() for path in folder.glob("*.rst")}


class FigureFiles:
    """The figures and the report of a run."""

    def __init__(self, run: Run):
        self.run = run
        self.models = ScoredModels(run)
        self.agents = AgentFiles(run)
        # Of claims there is the paper's own page, and a recipe's with what its run shows.
        self.claims = run.file(paths.CLAIMS)
        # Models that are scored without a recipe share its name, and have a table each.
        alone = [entry["name"] for entry in run.baselines] if "model" in run.config else []
        self.foundation = str(Path(run.file(paths.FIGURES), *alone, "foundation.html"))
        self.foundation_others = [
            str(Path(self.foundation).with_suffix(kind)) for kind in OTHER_KINDS
        ]
        self.paper = [f"{paths.PAPER_FIGURES}/{name}" for name in PAPER_FIGURES]
        self.report = run.file(paths.REPORT)
        self.report_summary = run.file(paths.REPORT_SUMMARY)
        # {figure: heading of the report's section that shows it}
        self.sections: dict[str, str] = {
            name: section["heading"]
            for section in run.style["report"]["sections"]
            for name in section["figures"]
        }
        others = {Path(self.claims).stem, Path(self.foundation).stem}
        others |= {Path(figure).stem for figure in PAPER_FIGURES}
        # A figure of the report that is neither the paper's nor the table beside it is one of the recipe.
        self.of_recipe = tuple(name for name in self.sections if name not in others)

    # -- which there are --------------------------------------------------------------------------

    @property
    def recipe_files(self) -> list[str]:
        """Figures of the recipe's own results."""
        own = [name for name in self.of_recipe if name not in (*settings.OF_AGENTS, "action_bits")]
        drawn = [f"{self.run.file(paths.FIGURES)}/{name}.svg" for name in own]
        return drawn + self.action_bits + self.agent_files

    @property
    def action_scores(self) -> list[str]:
        """The recipe's scores on the actions of recorded episodes; none where it does not name them."""
        listed = self.models.files()
        return [x for x in listed if Path(x).parent.name == "bits_per_byte_recorded_actions"]

    @property
    def action_bits(self) -> list[str]:
        """The table of those scores by skill."""
        named = "action_bits" in self.sections and self.action_scores
        return [f"{self.run.file(paths.FIGURES)}/action_bits.html"] if named else []

    @property
    def agent_files(self) -> list[str]:
        """What agents reached: a table that leads to every episode, and figures. None without agents."""
        named = [name for name in settings.OF_AGENTS if name in self.sections]
        own = named if "agents" in self.run.recipe else []
        kind = dict.fromkeys(("live_agents", *settings.CAPABILITIES), "html")
        folder = self.run.file(paths.FIGURES)
        return [f"{folder}/{name}.{kind.get(name, 'svg')}" for name in own]

    @property
    def in_report(self) -> list[str]:
        """Those that the sections of figures.yaml show."""
        drawn = [self.claims, *self.recipe_files, self.foundation, *self.paper]
        return [path for path in drawn if Path(path).stem in self.sections]

    @property
    def default(self) -> list[str]:
        """What plain ``snakemake`` makes of a recipe: the report, or the scores of one model."""
        if self.run.only_scores:
            claims_page = [] if "model" in self.run.config else [self.claims]
            return [self.foundation, *claims_page, *self.agents.played_by_default]
        made = [self.report, paths.INDEX_PAGE, *self.models.cards]
        return [*made, *self.agents.played_by_default]

    @property
    def runs_of_claims(self) -> str:
        """Whose pages of claims there are, as a pattern."""
        return "|".join(["paper", re.escape(self.run.name)])

    # -- what each is made of ---------------------------------------------------------------------

    def slice(self, name: str) -> Values:
        """The style of one figure; a recipe's figure also carries what its models are called."""
        of_recipe = self.run.recipe if name in self.of_recipe else None
        return settings.spec(self.run.style, name, of_recipe)

    def ranking_slice(self) -> Values:
        """What the figure of bits per byte against success needs of the recipe's models."""
        return settings.ranking(self.run.style, self.run.recipe)

    def ranking_scores(self, wildcards: Any) -> list[str]:
        """Scores on the actions of recorded episodes; refused where the recipe has none."""
        if not self.action_scores:
            refuse(
                f"recipe '{self.run.name}' does not score actions: add bits_per_byte_recorded_actions to "
                "evaluate.benchmarks"
            )
        return self.action_scores

    def claims_slice(self, whose: str) -> Values:
        """What the page of claims needs of recipes and models; a mistake in claims.yaml is one line."""
        run = self.run
        recipe = (
            () if whose == "paper" else (run.recipe, settings.as_the_paper(run.style, run.recipe))
        )
        with one_line():
            return claims.spec(PAPER / "claims.yaml", *recipe)

    @property
    def labels(self) -> str:
        """What each of the recipe's models is called, as JSON."""
        return canonical(settings.labels(self.run.style, self.run.recipe))

    def report_slice(self) -> Values:
        """What the report shows, and the prices and powers of a site."""
        site = self.run.site
        stated = {key: site[key] for key in ("price", "power") if key in site}
        own = {"site": stated} if stated else {}
        return settings.report_spec(self.run.style, self.run.recipe, **own)

    def claims_scores(self, wildcards: Any) -> list[str]:
        """The scores that a page of claims is held against."""
        return [] if wildcards.run == "paper" else self.models.files()

    def scores_of_figure(self, wildcards: Any) -> list[str]:
        """The scores that a figure draws, so that another benchmark does not draw it again."""
        everything, in_bits = self.models.files(), wildcards.figure == "bits_per_byte"
        return [x for x in everything if ("bits_per_byte_" in x) == in_bits] or everything

    @property
    def heldout_scores(self) -> list[str]:
        """Bits per byte of the recipe's own models: what its training is held against."""
        return [x for x in self.models.files() if Path(x).parent.name.startswith("bits_per_byte_")]

    @property
    def mixture_drops(self) -> list[str]:
        """Documents that overlap benchmarks, where a model that is scored was trained on a mixture."""
        return [self.run.file(paths.DROPPED)] if self.models.trained else []

    @property
    def compared_records(self) -> list[str]:
        """The comparison with a recount of the trajectories, where the user asked for one."""
        return [paths.COMPARED] if self.run.config.get("from_records") else []

    # -- what lies in this folder already ---------------------------------------------------------

    @property
    def other_recipes(self) -> list[str]:
        """Resolved recipes of other runs in this folder: the report shows what differs."""
        mine = f"{self.run.digest[:16]}.json"
        return sorted(
            str(path)
            for path in Path("results").glob("*/recipes/*.json")
            if path.name != mine and not path.name.endswith(records.SUFFIX)
        )

    @property
    def reports_here(self) -> list[str]:
        """This recipe's report, and those of other recipes that were run in this folder."""
        others = Path("results").glob("*/report.html")
        found = {str(path) for path in others if path.with_suffix(".json").is_file()}
        return sorted({self.report, *found})

    @property
    def tables_here(self) -> list[str]:
        """Tables that stand in no report: of models scored alone, and of a study's mixtures."""
        scored = Path("results", "figures", "models").glob("*/foundation.html")
        reported = {Path(report).parent for report in self.reports_here}
        mixed = (
            path
            for path in Path("results").glob("*/mix/table.txt")
            if path.parent.parent not in reported
        )
        return sorted(map(str, (*scored, *mixed)))


def report_templates() -> list[Path]:
    """Templates and captions: a changed caption rebuilds the report."""
    folders = (ROOT / "reports" / "template", ROOT / "reports" / "captions")
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def others(stem: str) -> list[str]:
    """A table's other forms beside its page."""
    return [f"{stem}{kind}" for kind in OTHER_KINDS]


# -- params of rules: Snakemake calls them with the job's wildcards and files -----------------------


def paper_arguments(wildcards: Any, input: Any) -> str:
    """What each of the paper's figures reads."""
    reported = f"--reported {shlex.quote(str(input.reported))}"
    outcomes = f"--outcomes {shlex.quote(str(input.outcomes))}"
    return {
        "overview": "",
        "foundation_table": reported,
        "foundation_radar": reported,
        "agent_radar": f"{reported} {outcomes}",
        "agent_table": f"{reported} {outcomes}",
        "mint_by_turn": outcomes,
        "mint_table": outcomes,
    }[Path(wildcards.figure).stem]


def agent_arguments(wildcards: Any, input: Any) -> str:
    """What the figures of agents read beside the scores."""
    if wildcards.figure != "live_agent_radar":
        return ""
    return f"--reported {shlex.quote(str(input.reported))} --outcomes {shlex.quote(str(input.outcomes))}"
