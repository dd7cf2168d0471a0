"""Every rule that is a job, once: its slice of the recipe, its version, and where its script runs.

``STAGES`` is what a rule has besides files, a log and shell text. ``params`` makes its params of it:
Snakemake runs a job again whose params changed, and nothing else of a rule does that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lemur.config import stages
from lemur.core.files import canonical
from lemur.cost import resources
from lemur.dag.agent_files import AgentFiles
from lemur.dag.downloads import Downloads, records_slice
from lemur.dag.export_files import ExportFiles
from lemur.dag.figure_files import PAPER, FigureFiles
from lemur.dag.run import Run
from lemur.figures import settings
from lemur.study import cells

# Few recipes need these: they are built by the job that does.
ON_DEMAND = ("mathematics", "formats", "export")
# The environment of what answers: vLLM has one of its own.
BACKEND = "backend"


@dataclass(frozen=True)
class Stage:
    """What a rule is besides files.

    ``slice``: what its script is given of the recipe, by run and wildcards. ``version``: the key of
    lemur.config.stages.VERSION. ``environment``: where its script runs. ``locked``: a new lock of that
    environment makes the result again. ``cell``: of a study every cell has a job of its own.
    ``reads``: the pinned entry that a job reads, where a rule has a job for each. ``needs``: other
    environments, which are built before the job.
    """

    slice: Callable[[Run, Any], Any]
    version: str | None = None
    environment: str = "data"
    locked: bool = True
    cell: bool = False
    reads: Callable[[Run, Any], Any] | None = None
    needs: Callable[[Run, Any], list[str]] | None = None


def environment_of(run: Run, stage: Stage) -> str:
    """The environment that a stage's script runs in."""
    if stage.environment != BACKEND:
        return stage.environment
    chosen = run.recipe["evaluate"].get("backend", {}).get("name")
    return "vllm" if chosen == "vllm" else "evaluate"


def params(run: Run, rule: str) -> dict[str, Any]:
    """The params of a rule: ``spec``, and where they bear on its results ``version``, ``lock`` and the
    environments that are built before (``build``, names alone: where the checkout lies is no reason
    to make anything again)."""
    stage = STAGES[rule]
    environment = environment_of(run, stage)
    made: dict[str, Any] = {"spec": lambda wildcards: canonical(stage.slice(run, wildcards))}
    if stage.version:
        made["version"] = stages.VERSION[stage.version]
    if (needs := stage.needs) is not None:
        made["build"] = lambda wildcards: " ".join(needs(run, wildcards))
        made["lock"] = lambda wildcards: [
            run.lock(name) for name in (environment, *needs(run, wildcards))
        ]
    elif stage.locked:
        made["lock"] = run.lock(environment)
    return made


# -- what a job reads -------------------------------------------------------------------------------


def _source(run: Run, w: Any) -> Any:
    return next(entry for entry in run.sources() if entry["name"] == w.source)


def _preflight(run: Run, recipe: Any, stage: str) -> dict[str, Any]:
    layout, view = recipe[stage]["parallel"], run.views[recipe["name"]]
    return {
        "stage": stage,
        "device": layout["device"],
        "nodes": layout["nodes"],
        "processes_per_node": layout["processes_per_node"],
        "disk_bytes": resources.disk_needed(view, stage),
        "clock_seconds": 30,
        "timeout_seconds": 300,
        "training": stages.train(recipe, stage) if resources.compiles(view, stage) else None,
    }


def _replayed(run: Run, w: Any) -> dict[str, Any]:
    return {"environment": w.environment, "batch": 4, "limit": run.config.get("sample")}


# -- rules that are alike ---------------------------------------------------------------------------


def _drawn(slice_: Callable[[Run, Any], Any]) -> Stage:
    return Stage(slice_, "figures", "figures")


def _figure(name: str | None = None) -> Stage:
    """A figure by its name, or by the wildcard ``figure``."""
    return _drawn(lambda run, w: FigureFiles(run).slice(name or w.figure.partition(".")[0]))


def _episodes(version: str, environment: str, **more: Any) -> Stage:
    def played(run: Run, w: Any) -> Any:
        return stages.play(run.recipe, w.model, w.environment)

    return Stage(
        played, version, environment, needs=lambda run, w: AgentFiles(run).needs(w), **more
    )


# fmt: off
STAGES = {
    "download": Stage(lambda run, w: Downloads(run).slice(w, w.folder), "download", locked=False,
                      reads=lambda run, w: Downloads(run).entry(w.folder, w.name)),
    "generate_mathematics": Stage(lambda run, w: Downloads(run).slice(w, "corpora"), "download", "mathematics",
                                  reads=lambda run, w: Downloads(run).entry("corpora", w.name)),
    "prepare_model": Stage(lambda run, w: Downloads(run).model_entry(w.base), "model", "train",
                           reads=lambda run, w: Downloads(run).model_entry(w.base)),
    "clean": Stage(lambda run, w: stages.clean(run.recipe, w.source), "clean", reads=_source),
    "signatures": Stage(lambda run, w: stages.signatures(run.recipe), "duplicates", reads=_source),
    "duplicates": Stage(lambda run, w: stages.duplicates(run.recipe), "duplicates"),
    "plan_mixture": Stage(lambda run, w: stages.plan(run.cell(w)), "mix", locked=False, cell=True),
    "decontaminate": Stage(lambda run, w: stages.decontaminate(run.cell(w)), "mix", cell=True),
    "heldout": Stage(lambda run, w: stages.heldout(run.recipe, w.kind), "mix"),
    "write_datasheet": Stage(lambda run, w: stages.datasheet(run.recipe), "datasheet", locked=False),
    "write_mixture_table": Stage(lambda run, w: stages.mixture_table(run.cell(w)), "datasheet", locked=False, cell=True),
    "tokenize": Stage(lambda run, w: stages.token_files(w.tokenizer), "tokenize", reads=_source),
    "pack": Stage(lambda run, w: stages.pack(run.cell(w)), "pack", cell=True),
    "continue_pretraining": Stage(lambda run, w: stages.train(run.cell(w), "pretrain"), "pretrain", "train", cell=True),
    "preflight_pretrain": Stage(lambda run, w: _preflight(run, run.cell(w), "pretrain"), None, "train", cell=True),
    "write_checkpoint_model": Stage(lambda run, w: {"step": int(w.step)}, None, "train", cell=True),
    "conversations": Stage(lambda run, w: stages.conversations(run.recipe), "sft"),
    "heldout_conversations": Stage(lambda run, w: stages.heldout_conversations(run.recipe), "sft"),
    "sft_tokens": Stage(lambda run, w: stages.sft_tokens(run.recipe), "sft"),
    "supervised_fine_tuning": Stage(lambda run, w: stages.train(run.recipe, "sft"), "sft", "train"),
    "preflight_sft": Stage(lambda run, w: _preflight(run, run.recipe, "sft"), None, "train"),
    "generate": Stage(lambda run, w: stages.generate(run.cell(w), w.model, w.benchmark), "generate", BACKEND, cell=True,
                      reads=lambda run, w: stages.baseline(run.recipe, w.model)),
    "judge": Stage(lambda run, w: stages.judge(run.cell(w), w.model, w.benchmark), "judge", "evaluate", cell=True),
    "benchmark_samples": Stage(lambda run, w: ExportFiles(run).samples_slice(), "samples", "evaluate"),
    "play": _episodes("play", BACKEND, reads=lambda run, w: stages.baseline(run.recipe, w.model)),
    "judge_episodes": _episodes("judge_episodes", "evaluate"),
    "episode_pages": _episodes("episode_pages", "evaluate"),
    "export_episodes": _episodes("export_episodes", "export"),
    "replay_records": Stage(_replayed, "replay", "evaluate", needs=lambda run, w: AgentFiles(run).replay_needs(w)),
    "fetch_records": Stage(lambda run, w: records_slice((PAPER / "mint_records.tsv").read_text()), "download"),
    "count_records": Stage(lambda run, w: {"records": str(PAPER / "mint_records.tsv")}, "agents", "figures"),
    "compare_records": Stage(lambda run, w: {}, "agents", "figures"),
    "paper_figure": _figure(),
    "claims_table": _drawn(lambda run, w: FigureFiles(run).claims_slice(w.run)),
    "loss": _figure("loss"),
    "mixture_figure": _figure("mixture"),
    "scores_figure": _figure(),
    "action_bits_table": _figure("action_bits"),
    "draw_action_ranking": _drawn(lambda run, w: FigureFiles(run).ranking_slice()),
    "foundation_table": _drawn(lambda run, w: settings.foundation(run.style, run.recipe, run.catalogue("benchmarks"))),
    "agents_table": _figure("live_agents"),
    "agents_figure": _figure(),
    "capability_table": _figure(),
    "model_card": Stage(lambda run, w: ExportFiles(run).card_slice(w), "card", "evaluate"),
    "report": _drawn(lambda run, w: FigureFiles(run).report_slice()),
    "index": _drawn(lambda run, w: {}),
    "write_ro_crate": _drawn(lambda run, w: {"name": run.name, "description": run.recipe["description"]}),
    "export_scores": Stage(lambda run, w: ExportFiles(run).slice(), "export", "formats"),
    "croissant": Stage(lambda run, w: stages.datasheet(run.recipe), "export", "formats"),
    "export_trackio": Stage(lambda run, w: {"recipe": run.name}, "export", "formats"),
    "analyse_study": Stage(lambda run, w: cells.analysis_spec(run.study), "study", "evaluate"),
    "draw_study": Stage(lambda run, w: settings.spec(run.style, "study", None), "study", "figures"),
    # Targets whose script prints or writes what no rule reads.
    "corpus": Stage(lambda run, w: stages.datasheet(run.recipe), locked=False),
    "study_so_far": Stage(lambda run, w: cells.analysis_spec(run.study), None, "evaluate", locked=False),
}
# fmt: on
