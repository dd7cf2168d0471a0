"""What a reader must know of a score before believing it, said beside the score wherever it stands."""

from lemur.evaluation.score import Score


def answers(score: Score) -> int:
    """How many answers were generated for a score; 0 for choices and documents, which are none."""
    return sum(score.responses.finish.values())


def empty(score: Score) -> str:
    """``19 of 24 answers are empty``; nothing where none is."""
    count, asked = score.responses.empty, answers(score)
    if not count:
        return ""
    return f"{count} of {asked or score.n} answers {'is' if count == 1 else 'are'} empty"


def cut(score: Score) -> str:
    """Answers that ended at the limit of new tokens, and prompts that were refused or cut."""
    responses = score.responses
    asked, remarks = answers(score), []
    if long := responses.finish.get("length", 0):
        remarks.append(f"{long} of {asked} answers end at the limit of new tokens")
    if refused := responses.finish.get("refused", 0):
        remarks.append(f"{refused} of {asked} prompts were refused by the server")
    if short := responses.truncated_prompts:
        remarks.append(f"{short} of {asked or score.n} prompts did not fit whole")
    return "; ".join(remarks)


def forgeable(score: Score) -> str:
    """How many programs shared a process with their test, as the originals have it: one that is
    written against the judge can pass there without solving anything."""
    if score.value is None:
        return ""
    judged, count = score.number_judged, 0
    if score.benchmark.startswith("multipl_e"):
        count = judged
    elif score.benchmark.startswith("ds1000"):
        count = len(score.details.get("one_process") or {})
    if not count:
        return ""
    how = "share a process with their test and could forge a pass"
    if count == 1:
        how = "shares a process with its test and could forge a pass"
    return f"{count} of {judged} programs {how}"


def computed(score: Score) -> str:
    """What was computed in another precision than the one asked for; said in the report alone, since
    it rounds less."""
    return f"{score.precision} was computed in {score.computed}" if score.computed else ""


def all_caveats(score: Score) -> list[str]:
    """All of them that apply, the one that changes most first."""
    return [text for text in (empty(score), cut(score), forgeable(score)) if text]
