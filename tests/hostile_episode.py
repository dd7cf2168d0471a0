"""An episode in which everything that a model or a world says attacks the page that shows it.

Written by the project's own writers, in the folder of a result, for the made environment of
tests/unit/agents/guessing.
"""

from dataclasses import replace
from pathlib import Path

from lemur.agents import episodes_file, play_spec, scoring
from lemur.agents.driver import prompt_digest
from lemur.agents.environment import Verdict
from lemur.agents.episode import Episode, Turn
from played_results import played_as

HOSTILE = (
    "</pre></main><script>window.planted=1</script><img src=x onerror='window.planted=1'>"
    '<a href="javascript:window.planted=1">x</a><style>*{display:none}</style><!-- ]]> &lt; &#0;'
    "</title></textarea><base href='http://example.org/'><meta http-equiv=refresh content='0;url=x'>"
    "{{ 7 * 7 }}{% raw %}\u202egnp.exe\u2069 \x00\x1b[2J\x7f \ud800 end"
)
# What a page shows of it: letters as they are, the rest named.
SHOWN = (
    HOSTILE.replace("\u202e", "[U+202E]").replace("\u2069", "[U+2069]").replace("\x00", "[U+0000]")
    .replace("\x1b", "[U+001B]").replace("\x7f", "[U+007F]").replace("\ud800", "[U+D800]")
)  # fmt: skip
# What the environment says of an episode goes into scores.json, which holds whole letters alone.
NAMED, NAMED_SHOWN = (
    text.replace("\ud800", "").replace("[U+D800]", "") for text in (HOSTILE, SHOWN)
)
LONG = "y" * 20_005
SPEC = {
    "environment": "guessing", "path": "tests/unit/agents/guessing", "model": "start", "seed": 1,
    "settings": {"turns": 2}, "limit": 3,
}  # fmt: skip


def write(folder: Path) -> Path:
    """episodes.jsonl and verdicts.jsonl in ``folder``: a hostile episode, a plain one, a lost one."""
    folder.mkdir(parents=True, exist_ok=True)
    info = {"action": HOSTILE, "feedback": HOSTILE, "end": NAMED, "more": {HOSTILE: [HOSTILE]}}
    hostile = Episode(
        "guess/0",
        HOSTILE,
        (
            Turn("0" * 64, HOSTILE, 9, "stop", HOSTILE, 0.5, False, info),
            Turn("0" * 64, LONG, 9, "length", "", 0.0, True, {}),
        ),
        NAMED,
        restarts=1,
        detail=NAMED,
    )
    suite = play_spec.open_suite(play_spec.read_spec(SPEC), play_spec.NONE)
    tasks = {task.id: task for task in suite.tasks()}
    first = suite.messages(tasks["guess/1"], "between 0 and 100", [])
    digest = prompt_digest(first, suite.sampling())
    solved = Turn(digest, "37", 1, "end", "right", 1.0, True, {"action": 37, "end": "solved"})
    plain = Episode("guess/1", "between 0 and 100", (solved,), "solved")
    lost = Episode("guess/2", "", (), "world failed", detail=NAMED)
    verdicts = [
        Verdict(1.0, 0.0, NAMED),
        Verdict(1.0, 1.0),
        Verdict(0.0, 0.0, left_out=f"world failed: {NAMED}"),
    ]
    played = [hostile, plain, lost]
    settings = replace(played_as("guessing", SPEC["settings"]), sampling=suite.sampling())
    left_out = {f"task {NAMED}": NAMED}
    episodes_file.write(folder / "episodes.jsonl", settings, left_out, played)
    judged = [scoring.Judged(*pair) for pair in zip(played, verdicts, strict=True)]
    given = play_spec.read_spec(SPEC)
    scores = folder / "scores.json"
    scoring.write(given, judged, left_out, scores, folder / "verdicts.jsonl")
    return scores
