"""Make a run's folder with its report and its RO-Crate, in the environment that draws figures: made_report.py FOLDER

Every figure of config/figures.yaml is drawn, jobs have records and logs, another run's recipe is
kept, and markup is planted wherever text comes from a corpus, a model or a recipe.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import hostile_episode
import played_results
import trial_run
import yaml
from lemur.agents import play_spec
from lemur.claims import table
from lemur.config import claims as claims_spec
from lemur.config import load
from lemur.core import provenance
from lemur.core.files import canonical, write_json
from lemur.core.provenance import ROOT
from lemur.figures import (
    agent,
    compared,
    dots,
    foundation,
    live_agent_radar,
    live_agents,
    live_agents_by_turn,
    loss,
    mixture,
    overview,
    settings,
)
from lemur.report import episodes, index, page
from lemur.trace import crate

PLANTED = "<script>window.planted=1</script><img src=x onerror='window.planted=1'>"


def played(spec, reported, outcomes, drawn):
    """What agents reached, with the pages of one whose every word attacks them."""
    paths = played_results.write_results(Path("results/mini"))
    for path in paths:
        path.with_name("pages").mkdir()
        (path.parent / "pages" / "index.html").write_text("pages\n")
    hostile = hostile_episode.write(Path("results/mini/agents/start/guessing"))
    files = hostile.with_name("episodes.jsonl"), hostile.with_name("verdicts.jsonl")
    out = hostile.parent / "pages" / "index.html"
    episodes.write(hostile_episode.SPEC, *files, play_spec.NONE, out)
    paths.append(hostile)
    live_agents.write(spec("live_agents"), paths, drawn / "live_agents.html")
    live_agents_by_turn.write(spec("live_agents_by_turn"), paths, drawn / "live_agents_by_turn.svg")
    live_agent_radar.write(spec("live_agent_radar"), reported, outcomes, paths, drawn / "live_agent_radar.svg")  # fmt: skip


def main(folder):
    os.chdir(folder)
    config = yaml.safe_load((ROOT / "config" / "figures.yaml").read_text())
    files = trial_run.files(Path("results"))
    drawn = Path("results/figures/mini")
    reported, outcomes = (
        trial_run.PAPER / name for name in ("reported.csv", "mint_outcomes.tsv.gz")
    )

    def spec(name):
        recipe = {**trial_run.RECIPE, "agents": {"models": ["gold", "start", "chat"]}}
        own = name in ("loss", "mixture", "bits_per_byte", "scores", *settings.OF_AGENTS)
        made = settings.spec(config, name, recipe if own else None)
        return json.loads(canonical(made))

    for path in files["scores"]:
        path.with_name("prompt.txt").write_text(f"What is 6 times 7? {PLANTED}")
        score = json.loads(path.read_text())
        trial_run.write_file(path.with_name("generations.jsonl"), trial_run.generations(score, []))
    answers = {"start": ["41", PLANTED], "pretrained": ["42"] * 4, "chat": ["42", ""]}
    for model, texts in answers.items():
        texts = [*texts, *[""] * (16 - len(texts))]
        right = texts.count("42") / 16
        score = trial_run.score("gsm8k", model, right, metric="exact match", n=16, of=1319)
        score["responses"] = {"empty": texts.count(""), "finish": {"stop": 13, "length": 3}}
        place = Path("results/mini/evaluate") / model / "gsm8k"
        trial_run.write_file(place / "scores.json", score)
        trial_run.write_file(place / "generations.jsonl", trial_run.generations(score, texts))
        trial_run.write_file(place / "verdicts.jsonl", trial_run.verdicts(score))
        (place / "prompt.txt").write_text(f"What is 6 times 7? {PLANTED}")
        if place / "scores.json" not in files["scores"]:
            files["scores"].append(place / "scores.json")
    card = Path("results/mini/card/chat/README.md")
    card.parent.mkdir(parents=True)
    card.write_text("A model\n")
    training = {stage: files[stage] for stage in ("pretrain", "sft")}
    loss.write(spec("loss"), training, files["scores"], drawn / "loss.svg")
    mixture.write(spec("mixture"), files["plan"], files["realised"], drawn / "mixture.svg")
    dots.write_bits(spec("bits_per_byte"), files["scores"], drawn / "bits_per_byte.svg")
    dots.write_scores(spec("scores"), files["scores"], drawn / "scores.svg")
    overview.write(spec("overview"), drawn / "overview.svg")
    foundation.write_radar(spec("foundation_radar"), reported, drawn / "foundation_radar.svg")
    foundation.write_table(spec("foundation_table"), reported, drawn / "foundation_table.html")
    dropped = Path("results/mini/mix/dropped.tsv")
    dropped.write_text("source\tpart\trow\tbenchmark\nsympy\t0\t1\tgsm8k\n")
    recipe = {**trial_run.RECIPE, "evaluate": trial_run.EVALUATED}
    compared.write(settings.foundation(config, recipe, load.catalogue("benchmarks")), files["scores"], reported, dropped, drawn / "foundation.html")  # fmt: skip
    agent.write_radar(spec("agent_radar"), reported, outcomes, drawn / "agent_radar.svg")
    agent.write_table(spec("agent_table"), reported, outcomes, drawn / "agent_table.html")
    agent.write_recount(spec("mint_table"), outcomes, drawn / "mint_table.html")
    played(spec, reported, outcomes, drawn)
    made = {**claims_spec.spec(trial_run.PAPER / "claims.yaml"), "recipe": "mini"}
    judged = table.Files(trial_run.PAPER / "claims.yaml", reported, outcomes, files["scores"])
    table.write(made, judged, drawn / "claims.html")
    figures = sorted([*drawn.glob("*.svg"), *drawn.glob("*.html")])
    sheet = [{"heading": "Sources"}, {"table": {"head": ["source", "size"], "rows": [["a", "146.53 kB"], ["b", "1.54 MB"], [PLANTED, "12 B"]]}},
             {"heading": "Ten documents kept"},
             {"examples": [{"source": "sympy", "path": PLANTED, "language": "python", "text": PLANTED}]},
             {"heading": "Known limits"}, {"items": [PLANTED]}]  # fmt: skip
    datasheet = trial_run.write_file(Path("results/corpus/mini/datasheet.json"), {"corpus": "mini", "blocks": sheet})  # fmt: skip
    datasheet.with_suffix(".md").write_text("A corpus\n")

    log = Path("logs/pretrain/mini.log")
    log.parent.mkdir(parents=True)
    log.write_text("step 1\n")
    trial_run.recorded("2_mix/plan.py", [files["plan"]], files["statistics"], {})
    trial_run.recorded("3_tokenize/pack.py", [files["realised"]], [files["plan"]], {})
    trial_run.recorded("4_pretrain/pretrain.py", [files["pretrain"]], [files["realised"]], {"x": PLANTED}, str(log))  # fmt: skip
    trial_run.recorded("5_sft/sft.py", [files["sft"]], [files["pretrain"]], {}, str(log))
    for figure in figures:
        trial_run.recorded("8_figures/loss.py", [figure], [files["pretrain"], files["sft"], reported], {})  # fmt: skip

    bad = trial_run.score("mbpp", "pretrained", None, reason=PLANTED)
    score = trial_run.write_file(Path("results/mini/evaluate/pretrained/mbpp/scores.json"), bad)
    trial_run.write_file(
        score.with_name("generations.jsonl"), trial_run.generations(bad, [PLANTED])
    )
    trial_run.write_file(score.with_name("verdicts.jsonl"), trial_run.verdicts(bad))
    recipe = {**trial_run.RECIPE, "description": PLANTED, "seed": 1}
    other = {**recipe, "seed": 2, "corpus": {"sources": [{"name": "sympy"}, {"name": PLANTED}]}}
    kept = Path("results/mini/recipes") / f"{provenance.digest(other)[:16]}.json"
    write_json(kept, other)
    inputs = page.Inputs(
        figures=figures, scores=[*files["scores"], score],
        metrics=[files["pretrain"], files["sft"]], plan=files["plan"], realised=files["realised"],
        statistics=files["statistics"], datasheet=datasheet, recipes=[kept], cards=[card],
    )  # fmt: skip
    report = Path("results/mini/report.html")
    page.write(settings.report_spec(config, recipe), inputs, report)
    trial_run.recorded("8_figures/report.py", [report], figures, {})
    index.write([report], Path("results/index.html"))
    crate.write(recipe, [report], Path("results/ro-crate-metadata.json"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
