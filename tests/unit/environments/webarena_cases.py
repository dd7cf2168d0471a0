"""Made tasks of WebArena, and how an answer to one is judged."""

from lemur.agents.environments.webarena import judge
from lemur.agents.episode import Episode, Turn

BASE = {"sites": ["shopping"], "task_id": 0, "require_login": False, "storage_state": None,
        "start_url": "__SHOPPING__/", "geolocation": None, "intent": "Do it", "require_reset": False}  # fmt: skip


def task(number=0, **evaluation):
    known = {"eval_types": [], "reference_answers": None, "reference_url": "", "program_html": []}
    extra = {key: evaluation.pop(key) for key in list(evaluation) if key in BASE}
    return {**BASE, **extra, "task_id": number, "eval": {**known, **evaluation}}


def string(number=0, **references):
    return task(number, eval_types=["string_match"], reference_answers=references)


def ended(answer="", end="stopped", **found):
    info = {"answer": answer, "evidence": found, "end": end}
    return Episode("0", "", (Turn("", "", 0, "end", "", 0.0, True, info),), end)


def verdict(item, answer="", ask=None, **found):
    made = judge.judge(item, ended(answer, **found), ask)
    return made.paper, made.strict, made.why
