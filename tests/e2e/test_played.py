"""`snakemake agents`: an environment of the user's own is played, judged and printed."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from checkout import call, checkout
from lemur.core.provenance import ROOT
from snake import values

pytestmark = pytest.mark.timeout(600)
ENTRY = """
  guessing:
    description: Guess a number
    skill: made up
    path: mine/guessing
    needs: []
    feedback: true
    settings: {most: 100, turns: 7, count: 5}
"""
AGENTS = values(
    agents={
        "models": ["gold", "start"], "batch": 4, "precision": "fp32",
        "environments": [{"name": "guessing", "limit": 3, "settings": {"turns": 2}, "max_new_tokens": 4}],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = checkout(tmp_path_factory.mktemp("agents") / "checkout")
    shutil.copytree(ROOT / "tests" / "unit" / "agents" / "guessing", folder / "mine" / "guessing")
    with open(folder / "config" / "environments.yaml", "a") as file:
        file.write(ENTRY)
    return folder


def test_an_environment_from_outside_is_played_judged_and_printed(place):
    done = call(place, "--cores", "2", "agents", "--config", "recipe=smoke", AGENTS)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[0].split()[:3] == ["environment", "player", "strict"]
    assert re.match(
        r"guessing\s+gold\s+100\.0\s+43\.\d to 100\.0\s+100\.0\s+3\s+1\.0\s+solved 3$", lines[1]
    )
    assert re.match(r"guessing\s+start\s+0\.0\s.*out of turns 3$", lines[2]) and len(lines) == 4
    assert lines[3] == "every episode opens from results/figures/smoke/live_agents.html"
    folder = place / "results" / "smoke" / "agents" / "start" / "guessing"
    head, *episodes = map(json.loads, (folder / "episodes.jsonl").read_text().splitlines())
    assert head["settings"]["settings"]["turns"] == 2 and len(episodes) == 3
    record = json.loads((folder / "scores.json.prov.json").read_text())
    assert "episodes.jsonl" in json.dumps(record)


def test_every_number_opens_to_its_episodes(place):
    """From the table over the list to each page, whose prompt is the one that was played."""
    drawn = place / "results" / "figures" / "smoke"
    assert {path.name for path in drawn.glob("live_*.*g")} == {"live_agents_by_turn.svg", "live_agent_radar.svg"}  # fmt: skip
    links = re.findall(r'href="([^"]+/pages/index.html)"', (drawn / "live_agents.html").read_text())
    assert [link.split("/")[-4] for link in links] == ["start", "gold"]
    for link in links:
        index = (drawn / link).read_text()
        pages = re.findall(r'href="(\d+\.html)"', index)
        assert len(pages) == 3
        for name in pages:
            page = ((drawn / link).parent / name).read_text()
            assert "between 0 and 100" in page and "digest was recorded" not in page
            assert "Turn 1" in page and "Observation, reward" in page


@pytest.mark.long
def test_a_second_run_plays_nothing_and_another_limit_plays_what_is_new(place):
    done = call(place, "--cores", "2", "agents", "--config", "recipe=smoke", AGENTS)
    assert done.returncode == 0 and "play" not in done.stderr
    more = AGENTS.replace("'limit': 3", "'limit': 4")
    assert more != AGENTS
    done = call(place, "--cores", "2", "agents", "--config", "recipe=smoke", more)
    assert done.returncode == 0, done.stderr
    assert "solved 4" in done.stdout
    log = (place / "logs" / "play" / "smoke" / "start" / "guessing.log").read_text()
    assert "4/4 episodes (100%)" in log
    journal = next((place / "results/smoke/agents/start/guessing/episodes").glob("*.jsonl"))
    kinds = [json.loads(line)["kind"] for line in journal.read_text().splitlines()]
    assert kinds.count("end") == 4  # three of them from the first run


@contextlib.contextmanager
def serving(model):
    """The address of a completions server of a model folder, and what ends it."""
    command = [
        ROOT / "workflow" / "env-run",
        "evaluate",
        "python",
        "tests/completion_server.py",
        model,
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.stdin.close()


def played(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.long
def test_a_served_model_plays_and_a_model_of_the_recipe_teaches_it(place):
    """By the command, the served weights being those of the model that starts."""
    model = next(place.glob("resources/models/*/model"))
    entry = "{name: guessing, limit: 3, settings: {turns: 2}, max_new_tokens: 4, feedback: {model: start, solution: true}}"
    with serving(model) as (url, _):
        asked = ("model=tiny", f"server={url}", f"environments=[{entry}]")
        done = call(place, "--cores", "2", "agents", "--config", "recipe=smoke", *asked)
    assert done.returncode == 0, done.stderr
    row = done.stdout.strip().splitlines()[1]
    assert re.match(r"guessing\s+tiny\s+0\.0\s.*out of turns 3$", row)
    out = place / "results" / "models" / "agents" / "tiny" / "guessing" / "episodes.jsonl"
    head, *episodes = played(out)
    assert head["settings"]["model_sha256"] == "served: tiny"
    assert head["settings"]["teacher"]["model"] == "start"
    assert head["settings"]["settings"] == {
        "most": 100, "turns": 2, "count": 5, "feedback": True, "binary": False, "with_solution": True
    }  # fmt: skip
    _, *alone = played(
        place / "results" / "smoke" / "agents" / "start" / "guessing" / "episodes.jsonl"
    )
    first = [episode["turns"][0]["answer"] for episode in episodes]
    assert first == [one["turns"][0]["answer"] for one in alone[:3]]
    # The teacher speaks after each turn that does not end an episode.
    assert [["feedback" in turn["info"] for turn in episode["turns"]] for episode in episodes] == [
        [True, False]
    ] * 3
    record = json.loads(out.with_name("episodes.jsonl.prov.json").read_text())
    assert f"{model.parent.relative_to(place)}/DONE.json" in json.dumps(record)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_server_that_goes_away_stops_the_command_with_one_line(place):
    """What was answered is kept, and the same command continues with a server at another address."""
    model = next(place.glob("resources/models/*/model"))
    entry = "{name: guessing, max_new_tokens: 100, settings: {turns: 7, count: 5}}"
    folder = place / "results" / "models" / "agents" / "gone" / "guessing"
    with serving(model) as (url, process):
        asked = ("model=gone", "batch=1", f"environments=[{entry}]", f"server={url}")
        command = ["workflow/env-run", "workflow", "snakemake", "--cores", "2", "agents"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [*command, "--config", "recipe=smoke", *asked], cwd=place, stderr=pipe, text=True
        ) as run:
            while run.poll() is None and not _answers(folder):
                time.sleep(0.05)
            process.kill()
            said = run.stderr.read()
    lines = [line for line in said.splitlines() if line.startswith("error: guessing gone: ")]
    assert run.returncode and lines and "the same command continues" in lines[0], said
    assert "Traceback" not in said and not (folder / "episodes.jsonl").exists()
    kept = _answers(folder)
    assert 0 < kept < 35
    with serving(model) as (url, _):
        done = call(
            place,
            "--cores",
            "2",
            "agents",
            "--config",
            "recipe=smoke",
            *asked[:-1],
            f"server={url}",
        )
    assert done.returncode == 0, done.stderr
    _, *episodes = played(folder / "episodes.jsonl")
    turns = sum(len(episode["turns"]) for episode in episodes)
    assert turns == _answers(folder) and not any(episode["restarts"] for episode in episodes)


def _answers(folder):
    """Answers that the journal holds."""
    found = "".join(path.read_text() for path in folder.glob("episodes/*.jsonl"))
    return found.count('"kind": "answer"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("recipe=smoke", values(agents="null")), "recipe 'smoke' names no agents"),
        (
            ("recipe=smoke", AGENTS.replace("'limit': 3", "'feedback': {'model': 'chatt'}")),
            "did you mean 'chat'?",
        ),
        (("recipe=smoke", AGENTS.replace("guessing", "gessing")), "did you mean 'guessing'?"),
        (("recipe=smoke", AGENTS.replace("'turns'", "'tuns'")), "did you mean 'turns'?"),
    ],
)
def test_a_mistake_is_one_line_before_any_job(place, arguments, said):
    done = call(place, "--cores", "2", "agents", "--config", *arguments)
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert done.returncode and len(errors) == 1 and said in errors[0]
    assert "Traceback" not in done.stderr


READ = """
import json, sys
from inspect_ai.log import read_eval_log
log = read_eval_log(sys.argv[1])
rates = {score.name: 100 * score.metrics["success"].value for score in log.results.scores}
samples = [
    [sample.id, len(sample.messages), sample.messages[1].text, sample.scores["strict"].value,
     sample.metadata["end"], sample.model_usage[log.eval.model].output_tokens]
    for sample in log.samples
]
print(json.dumps([log.status, log.eval.task, log.eval.model, log.eval.tags, rates, samples]))
"""


@pytest.mark.long
def test_inspects_own_reader_reads_what_was_exported(place):
    done = call(place, "--cores", "2", "export_agents", "--config", "recipe=smoke", AGENTS)
    assert done.returncode == 0, done.stderr[-3000:]
    for player, tags in (("gold", ["known solutions, no model"]), ("start", None)):
        folder = place / "results" / "smoke" / "agents" / player / "guessing"
        read = subprocess.run(
            [ROOT / "workflow" / "env-run", "export", "python", "-c", READ, folder / "episodes.eval"],
            capture_output=True, text=True,
        )  # fmt: skip
        assert read.returncode == 0, read.stderr
        status, task, model, found, rates, samples = json.loads(read.stdout.splitlines()[-1])
        assert (status, task, model, found) == ("success", "guessing", f"lemur/{player}", tags)
        scores = json.loads((folder / "scores.json").read_text())
        assert rates == {rule: scores[rule]["value"] for rule in ("strict", "paper")}
        lines = (folder / "episodes.jsonl").read_text().splitlines()[1:]
        verdicts = (folder / "verdicts.jsonl").read_text().splitlines()
        wanted = [
            [one["task"], 1 + 2 * len(one["turns"]), one["turns"][0]["answer"], verdict["strict"],
             one["end"], sum(turn["tokens"] for turn in one["turns"])]
            for one, verdict in zip(map(json.loads, lines), map(json.loads, verdicts), strict=True)
        ]  # fmt: skip
        assert samples == wanted
        assert (folder / "episodes.eval.prov.json").is_file()


MIRROR = Path(
    os.environ.get("LEMUR_MIRROR", "").split(os.pathsep)[0] or ROOT.parent / "shared" / "mirror"
)
LEMUR = "data/outputs/lemur-70b-chat-v1/F=None/max5_p2+tool+cd/reasoning/gsm8k"


@pytest.mark.long
def test_records_are_executed_again_and_come_out_as_they_were(place, monkeypatch):
    """48 episodes of the paper's own model: 28 solved as MINT counts, 14 strictly."""
    found = sorted(MIRROR.glob(f"xingyaoww/mint-bench/*/{LEMUR}"))
    if not found:
        pytest.skip("mirror: no copy of xingyaoww/mint-bench")
    monkeypatch.setenv("LEMUR_MIRROR", str(MIRROR))
    done = call(place, "--cores", "2", "replay", "--config", f"records={found[0]}")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert lines[0] == "48 recorded episodes of mint executed again"
    assert lines[1:3] == [
        "verdicts: 48 of 48 as recorded (100.00 %)", "counters: 48 of 48 as recorded (100.00 %)"
    ]  # fmt: skip
    observed = re.match(r"observations: (\d+) of 83 as recorded", lines[3])
    assert int(observed.group(1)) >= 79


def test_a_replay_without_records_is_one_line(place):
    for arguments, said in (
        ((), "replay needs recorded episodes: --config records=<folder>"),
        (("--config", "records=nowhere", "environment=mynt"), "did you mean 'mint'?"),
    ):
        done = call(place, "--cores", "2", "replay", *arguments)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert done.returncode and len(errors) == 1 and said in errors[0], done.stderr
