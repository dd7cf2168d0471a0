"""Two scores of a recorded episode."""

from collections.abc import Mapping
from typing import Any

from lemur.agents.browser.protocol import EARLY
from lemur.agents.environment import Verdict
from lemur.agents.environments.webarena import matching
from lemur.agents.environments.webarena.asking import Ask, Unjudged, means
from lemur.agents.environments.webarena.sites import NAMES, PLACE
from lemur.agents.environments.webarena.tasks import judged_by_model
from lemur.agents.episode import Episode

NO_JUDGE = "needs a judge model"


def judge(task: Mapping[str, Any], episode: Episode, ask: Ask | None) -> Verdict:
    """*paper*: the product of the task's evaluators, faults kept: a sentence about why an episode was
    ended counts as its answer, a reference may be a part of a word or of another address, and of
    several references' queries any value will do. *strict*: those repaired."""
    evaluation = task["eval"]
    if judged_by_model(evaluation) and ask is None:
        return Verdict(0.0, 0.0, left_out=NO_JUDGE)
    last = episode.turns[-1].info if episode.turns else {}
    answer = str(last.get("answer", ""))
    found: Mapping[str, Any] = last.get("evidence") or {}
    if "program_html" in evaluation["eval_types"] and found.get("failed"):
        return Verdict(0.0, 0.0, left_out=f"what it came to cannot be looked at: {found['failed']}")
    try:
        parts = _parts(task, answer, found, ask)
    except Unjudged as error:
        return Verdict(0.0, 0.0, left_out=str(error))
    paper, strict, why = True, True, ""
    for kind, (as_original, strictly) in parts.items():
        if as_original != strictly and not why:
            why = WHY[kind] if not answer.startswith(EARLY) else EARLY_WHY
        paper, strict = paper and as_original, strict and strictly
    if paper == strict:
        why = "" if strict else episode.end
    return Verdict(float(paper), float(strict), why)


WHY = {
    "string_match": "a number or word is read otherwise",
    "url_match": "a part of an address, or of several addresses' queries",
    "program_html": "",
}
EARLY_WHY = "why it was ended counts as an answer"


def _parts(
    task: Mapping[str, Any], answer: str, found: Mapping[str, Any], ask: Ask | None
) -> dict[str, tuple[bool, bool]]:
    """Each evaluator's two verdicts."""
    evaluation, made = task["eval"], {}
    for kind in evaluation["eval_types"]:
        if kind == "string_match":
            references, early = evaluation["reference_answers"], answer.startswith(EARLY)
            by_model = not judged_by_model(evaluation)
            if not by_model and ask is not None:
                by_model = means(task, answer, ask)
            made[kind] = (
                by_model and matching.answer_matches(references, answer, False),
                by_model and not early and matching.answer_matches(references, answer, True),
            )
        elif kind == "url_match":
            wanted, url = public(evaluation["reference_url"]), str(found.get("url", ""))
            made[kind] = (
                matching.url_matches(wanted, url),
                matching.url_matches_strictly(wanted, url),
            )
        else:
            texts = found.get("texts", [])
            right = len(texts) == len(evaluation["program_html"]) and matching.pages_match(
                evaluation["program_html"], texts
            )
            made[kind] = (right, right)
    return made


def public(text: str) -> str:
    """``__SHOPPING__`` and the like by the names that sites have in the original."""
    return PLACE.sub(lambda found: NAMES.get(found.group(1).lower(), found.group(0)), text)
